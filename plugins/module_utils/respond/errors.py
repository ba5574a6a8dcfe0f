# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with an alert or with the settings of a response."""

from __future__ import annotations

from collections.abc import Sequence


class RespondError(Exception):
    """Root of everything that this package raises on purpose.

    Attributes:
        problems: all that is wrong, each with its path in the caller's data.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))
