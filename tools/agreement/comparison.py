"""One test of another analyser, held against ours; and how many there were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Comparison(NamedTuple):
    """One of their tests.

    Attributes:
        peer: whose.
        kind: what is compared.
        name: of their file or case.
        said: in how many statements.
        found: those that differ, for people.
        refused: an object of its input that the API server refuses and that is left out here; empty if there is none.
    """

    peer: str
    kind: str
    name: str
    said: int
    found: list[str]
    refused: str = ""


@dataclass
class Count:
    """Tests of one kind, their statements, and how many tests agree or differ for a reason."""

    tests: int = 0
    statements: int = 0
    equal: int = 0
    explained: int = 0
