# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exceptions of the Falco rule core. Everything it raises on purpose is a `FalcoError`."""

from __future__ import annotations


class FalcoError(Exception):
    """Root of what this core raises; the message is meant for the user."""


class ConditionSyntaxError(FalcoError):
    """A condition that the grammar refuses.

    Attributes:
        message: what was expected.
        index: 0-based offset in characters into the condition, where parsing stopped.
    """

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.message = message
        self.index = index


class CheckError(FalcoError):
    """A check, field, operator or value that Falco refuses to compile; carries Falco's kind of message."""


class EngineAbortError(FalcoError):
    """A condition over which Falco itself ends without a report; here it becomes an ordinary finding."""
