"""The sandbox's one exception: what went wrong, and what to do about it."""

from __future__ import annotations


class SandboxError(Exception):
    """Something the user has to know.

    Args:
        message: names the thing and what is wrong with it.
        hint: what would help; printed on a line of its own.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
