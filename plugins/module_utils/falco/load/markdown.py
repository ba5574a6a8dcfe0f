# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The code blocks of Markdown, with the lines and the indentation that they have in the file.

Specification: CommonMark 0.31, fenced code blocks, https://spec.commonmark.org/0.31.2/#fenced-code-blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r"^\ufeff?((?: {0,3}> ?)* *)(`{3,}|~{3,})[^\n]*$")
_QUOTE = re.compile(r"(?: {0,3}> ?)+")
_NEWLINE = re.compile(r"\r\n?|\n")
_ENDINGS = (".md", ".markdown")


def is_markdown(name: str) -> bool:
    """Whether a file's name ends as Markdown's do."""
    return name.lower().endswith(_ENDINGS)


def blocks(text: str) -> Iterator[tuple[int, int, str]]:
    """The fenced blocks of a text; one that nothing closes goes on to the end.

    Args:
        text: Markdown.

    Returns:
        (lines before the block's first, characters before each of its lines, the block) in order.
    """
    block: list[str] | None = None
    fence, indent, start = "", 0, 0
    for number, line in enumerate(_NEWLINE.split(text)):
        match = _FENCE.match(line)
        if block is None:
            if match:
                block, fence, indent, start = [], match.group(2), len(match.group(1)), number + 1
        elif match and match.group(2).startswith(fence) and _QUOTE.sub("", line, count=1).strip() == match.group(2):
            yield start, indent, "\n".join(block)
            block = None
        else:
            block.append(line[indent:])
    if block is not None:
        yield start, indent, "\n".join(block)
