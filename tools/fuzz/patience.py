# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long an input may take, how many failures are told, and how often a count."""

from __future__ import annotations

from types import FrameType

#: Seconds of CPU after which an input of a few kilobytes counts as one that hangs.
PATIENCE_SECONDS = 20.0
#: Failures that are told in full.
MOST_TOLD = 20
#: Inputs after which the count is told.
EVERY = 10_000


class TooLongError(Exception):
    """An input that took longer than C(PATIENCE_SECONDS)."""


def over(_signal: int, _frame: FrameType | None) -> None:
    """Handle the signal of a timer that has run out."""
    raise TooLongError(f"no answer after {PATIENCE_SECONDS:g} s of CPU")
