"""The record of a process start has the same fields where it is written and where it is read, in two programs."""

from __future__ import annotations

import re
from pathlib import Path

GO = Path(__file__).resolve().parents[3] / "sandbox" / "go"


def fields(path: str) -> dict[str, str]:
    """Type by name in JSON of the structure `start`."""
    found = re.search(r"^type start struct \{\n(.*?)^\}", (GO / path).read_text(), re.S | re.M)
    assert found
    return {name: kind for kind, name in re.findall(r"^\t\w+ +(\S+) +`json:\"(\w+)\"`$", found.group(1), re.M)}


def test_what_the_wrapper_writes_is_what_falco_s_stand_in_reads() -> None:
    written = fields("ociwrap/record.go")
    assert len(written) == 16
    assert fields("standins/internal/falco/events.go") == written
