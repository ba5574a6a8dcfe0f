# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text within Markdown (CommonMark, https://spec.commonmark.org/0.31.2/) that stays text, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence


def plain(text: object) -> str:
    """Text as text: one line, and nothing in it that Markdown or HTML would read."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&@-])", r"\\\1", " ".join(str(text).split()))


def code(text: object) -> str:
    """Text as code, on one line; its fence is longer than any run of backticks within it (section 6.1)."""
    line = " ".join(str(text).split())
    longest = max(map(len, re.findall("`+", line)), default=0)
    if not line:
        return ""
    if not longest:
        return f"`{line}`"
    fence = "`" * (longest + 1)
    return f"{fence} {line} {fence}"


def first(entries: Sequence[str], most: int) -> Iterator[str]:
    """The lines of a list of the first of these, and how many more there are."""
    yield from (f"- {entry}" for entry in entries[:most])
    if len(entries) > most:
        yield f"- and {len(entries) - most} more"
