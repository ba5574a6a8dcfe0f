# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with what AWX is to have, or with what somebody answered there."""

from __future__ import annotations


class AwxError(ValueError):
    """Objects that cannot be made, or answers that are none.

    Attributes:
      problems: all that is wrong, a sentence each.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))
