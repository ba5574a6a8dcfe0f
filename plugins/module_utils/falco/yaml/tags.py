# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""yaml-cpp's reading of tags: with a handle, with none, and verbatim between angle brackets.

Source: `src/scantag.cpp` and `src/exp.h` of https://github.com/jbeder/yaml-cpp.
"""

from __future__ import annotations

import re

from .nodes import Mark
from .scalars import ScalarReader

_TAG_CHARACTER = re.compile(r"[A-Za-z0-9\-#;/?:@&=+$_.~*'()]|%[0-9A-Fa-f]{2}")
_URI_CHARACTER = re.compile(r"[A-Za-z0-9\-#;/?:@&=+$,_.!~*'()\[\]]|%[0-9A-Fa-f]{2}")
_WORD_CHARACTER = re.compile(r"[A-Za-z0-9\-]")


class TagReader(ScalarReader):
    """A text with a position in it, from which tags are read as well as scalars."""

    def tag(self) -> str:
        """The tag whose exclamation mark was just read.

        Raises:
            YamlError: yaml-cpp does not take it for one.
        """
        if self.peek() == "<":
            return self._verbatim_tag()
        start = self.index
        handle = True
        first_other: Mark | None = None
        while self.index < self.size:
            if self.text[self.index] == "!":
                if not handle:
                    raise self.error("illegal character found while scanning tag handle", first_other)
                break
            if handle:
                match = _WORD_CHARACTER.match(self.text, self.index)
                if not match:
                    handle = False
                    first_other = self.mark()
            if not handle:
                match = _TAG_CHARACTER.match(self.text, self.index)
            if not match:
                break
            self.index = match.end()
        value = self.text[start : self.index]
        tag = f"!{value}" if value else "!!" if handle else "!"
        if handle and self.peek() == "!":
            self.index += 1
            tag = f"!{value}!{self._tag_suffix()}"
        return tag

    def _verbatim_tag(self) -> str:
        """What stands between angle brackets."""
        self.index += 1
        start = self.index
        while self.index < self.size and self.text[self.index] != ">":
            match = _URI_CHARACTER.match(self.text, self.index)
            if not match:
                break
            self.index = match.end()
        if self.peek() != ">":
            raise self.error("end of verbatim tag not found")
        self.index += 1
        return self.text[start : self.index - 1]

    def _tag_suffix(self) -> str:
        start = self.index
        while self.index < self.size:
            match = _TAG_CHARACTER.match(self.text, self.index)
            if not match:
                break
            self.index = match.end()
        if self.index == start:
            raise self.error("tag handle with no suffix")
        return self.text[start : self.index]
