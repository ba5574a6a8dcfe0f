# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""The fields of the json plugin, `json.*` and their older names `jevt.*`.

Source: `plugins/json/pkg/json/json.go` in falcosecurity/plugins 0.7.
"""

from __future__ import annotations

from .json_text import Json, Missing, Object, as_string, get, to_text


def pointer_value(event: Json, pointer: str) -> str | None:
    """The value that a JSON pointer (RFC 6901, whose first slash may be missing) leads to, as text."""
    if not pointer:
        return to_text(event)
    keys = (pointer[1:] if pointer.startswith("/") else pointer).split("/")
    value = get(event, *(key.replace("~1", "/").replace("~0", "~") for key in keys))
    return None if isinstance(value, Missing) else as_string(value)


def indented(value: Json, margin: str = "") -> str:
    """The whole event, indented by two blanks, as Go's `json.Indent` writes it."""
    inner = margin + "  "
    if isinstance(value, Object):
        if not value.members:
            return "{}"
        lines = [f"{inner}{to_text(key)}: {indented(item, inner)}" for key, item in value.members]
        return "{\n" + ",\n".join(lines) + f"\n{margin}}}"
    if isinstance(value, list):
        if not value:
            return "[]"
        return "[\n" + ",\n".join(inner + indented(item, inner) for item in value) + f"\n{margin}]"
    return to_text(value)
