# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""Parameters in the query of a request's URI, as Go's `net/url` reads them.

Source: https://pkg.go.dev/net/url, `Parse` and `ParseQuery`: one malformed pair makes the whole query an error.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*:")


def query_parameters(uri: str) -> dict[str, str] | None:
    """The first value of each parameter; None when Go refuses the URI or its query."""
    if _CONTROL.search(uri):
        return None
    rest, _hash, fragment = uri.partition("#")
    path, _mark, query = rest.partition("?")
    if _BROKEN_ESCAPE.search(path) or _BROKEN_ESCAPE.search(fragment):
        return None
    if not path.startswith("/") and ":" in path.split("/")[0] and not _SCHEME.match(path):
        return None
    parameters: dict[str, str] = {}
    for pair in query.split("&"):
        if ";" in pair or _BROKEN_ESCAPE.search(pair):
            return None
        if not pair:
            continue
        key, _equals, value = pair.partition("=")
        parameters.setdefault(_unescape(key), _unescape(value))
    return parameters


def _unescape(text: str) -> str:
    text = text.replace("+", " ")
    if "%" not in text:
        return text
    data = _ESCAPE.sub(lambda match: chr(0xDC00 + int(match.group(1), 16)), text)
    # bytes that make up a character become that character
    raw = b"".join(
        bytes((ord(char) - 0xDC00,)) if "\udc00" <= char <= "\udcff" else char.encode("utf-8", "surrogateescape")
        for char in data
    )
    return raw.decode("utf-8", "surrogateescape")
