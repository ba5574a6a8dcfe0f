# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rulesets that cannot be changed because Falco would not load them, told with place and entry."""

from __future__ import annotations

from collections.abc import Mapping

from ...common.finding import place
from ..codes import ERROR
from ..errors import FalcoError
from ..judge.findings import findings_of
from ..load.embedded import Embedded, placed
from ..load.ruleset import Loaded


def must_load(loaded: Loaded, what: str, inner: Mapping[str, Embedded]) -> None:
    """Refuse a ruleset that Falco would refuse.

    Args:
        loaded: the ruleset.
        what: how to call it.
        inner: what was found within other files, by its name in `loaded`; it is told where those have it.

    Raises:
        FalcoError: with file, line, column and entry of the first error, and how many more there are.
    """
    errors = [placed(finding, inner) for finding in findings_of(loaded) if finding.severity == ERROR]
    if not errors:
        return
    first = errors[0]
    item = f"{first.item}: " if first.item else ""
    hint = f" ({first.hint})" if first.hint else ""
    more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    raise FalcoError(f"{what} does not load: {place(first)}: {item}{first.code}: {first.message}{hint}{more}")
