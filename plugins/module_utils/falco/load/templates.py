# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates of Helm and Ansible, read as the YAML around their expressions.

What a template renders to depends on values that nobody has here. Most of it is text all the same, which can be judged
in place: an expression becomes a word of its length, and a line with nothing but statements becomes an empty one.
"""

from __future__ import annotations

import re

_ANY = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.S)
_ALONE = re.compile(r"^[ \t]*(?:\{\{(?:(?!\}\}).)*\}\}|\{%(?:(?!%\}).)*%\}|\{#(?:(?!#\}).)*#\})[ \t\r]*$", re.M | re.S)
_STATEMENT = re.compile(r"\{\{-?\s*(?:if|else|end|range|with|define|block|/\*)")
WORD = "x"
PLACEHOLDER = WORD * len("{{}}")
"""How each word begins that stands in the place of an expression."""


def is_template(text: str) -> bool:
    """Whether a text has expressions or statements of a template."""
    return _ANY.search(text) is not None


def untemplated(text: str) -> str:
    """A template with words in the place of its expressions; each line and column is what it was."""
    return _ANY.sub(_word, _ALONE.sub(_blank, text))


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def _word(match: re.Match[str]) -> str:
    found = match.group()
    if found.startswith("{{") and "\n" not in found and not _STATEMENT.match(found):
        return WORD * len(found)
    return _blank(match)
