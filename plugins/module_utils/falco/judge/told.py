# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of the lint have in common: the ruleset, places in it, and the findings that they add."""

from __future__ import annotations

from typing import Any

from ...common.finding import Finding
from ..codes import severity
from ..load.ruleset import Loaded
from .advice import Advice
from .findings import Texts, placed, told
from .positions import Place, Places


class Told:
    """The findings of one ruleset's lint, as its checks add them."""

    def __init__(self, loaded: Loaded, ruleset: str) -> None:
        self.loaded = loaded
        self.ruleset = ruleset
        self.texts = Texts(loaded)
        self.findings: list[Finding] = []
        self._told: set[tuple[str, str, int | None, int | None]] = set()
        self.places = Places(loaded, self.texts.lines)

    def add(self, code: str, file: str, mark: Any, item: str, message: str, hint: str = "") -> None:
        line = mark.line + 1 if mark is not None else None
        column = mark.column + 1 if mark is not None else None
        excerpt = self.texts.excerpt(file, line, column)
        self.findings.append(
            Finding(code, severity(code), file, line, column, item, message, hint, excerpt, self.ruleset)
        )

    def add_at(self, code: str, place: Place, item: str, message: str, advice: Advice) -> None:
        """A finding at a place that is known, with the way to it; each once, however many use what stands there."""
        spot = (code, place.file, place.line, place.column)
        if spot in self._told:
            return
        self._told.add(spot)
        detail = told(place.way)
        message = f"{message} ({detail})" if detail else message
        self.findings.append(placed(self.texts, self.ruleset, code, place, item, item, message, advice))
