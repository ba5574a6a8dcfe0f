"""What can be asked of each stage, and the verdicts that must come of it: one table a stage.

Each table holds a case for every verdict of the stage. `test_mutations` changes the stage's code and looks whether one
of these cases tells.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

REMOVED = object()


@dataclass(frozen=True)
class Case:
    """What is asked, the verdicts ((code, status) of each check in order), and words of their sentences and details."""

    name: str
    asked: dict[str, Any]
    verdicts: tuple[tuple[str, str], ...]
    says: tuple[str, ...] = ()


def changed(base: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A deep copy of ``base`` with other values; ``REMOVED`` takes a name away."""
    asked = copy.deepcopy(base)
    asked.update(changes)
    return {name: value for name, value in asked.items() if value is not REMOVED}
