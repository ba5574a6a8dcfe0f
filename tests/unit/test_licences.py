"""Each file says under which licence it is, itself or by REUSE.toml; what is shipped is under that of galaxy.yml.

`make licences` asks the REUSE tool the same of all its specification says.
"""

from __future__ import annotations

import fnmatch
import re
import subprocess
from pathlib import Path

import pytest
import yaml

tomllib = pytest.importorskip("tomllib")  # since Python 3.11

ROOT = Path(__file__).resolve().parents[2]
# In two parts, so that this line is not taken for what it looks for.
SAID = re.compile(r"^\W*SPDX-License-" r"Identifier: (?P<licence>[\w.-]+)$", re.MULTILINE)
#: A file says it at its top.
TOP_CHARACTERS = 500


def tracked() -> list[str]:
    argv = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in told.split("\0") if name and (ROOT / name).is_file())


def said_by_itself(name: str) -> str:
    found = SAID.search((ROOT / name).read_bytes()[:TOP_CHARACTERS].decode("utf-8", "replace"))
    return found["licence"] if found else ""


ANNOTATIONS = tomllib.loads((ROOT / "REUSE.toml").read_text())["annotations"]
FILES = [name for name in tracked() if not name.startswith("LICENSES/")]


def by_annotation(name: str) -> str:
    found = [one["SPDX-License-Identifier"] for one in ANNOTATIONS if fnmatch.fnmatch(name, one["path"])]
    return found[-1] if found else ""


LICENCE = {name: said_by_itself(name) or by_annotation(name) for name in FILES}


def test_each_file_has_one() -> None:
    assert [name for name, licence in LICENCE.items() if not licence] == []


def test_the_text_of_each_is_here_and_of_no_other() -> None:
    assert {path.stem for path in (ROOT / "LICENSES").glob("*.txt")} == set(LICENCE.values())


def test_only_the_sandbox_has_another_than_the_collection() -> None:
    (claimed,) = yaml.safe_load((ROOT / "galaxy.yml").read_text())["license"]
    others = {name for name, licence in LICENCE.items() if licence != claimed}
    assert others
    assert {name.rpartition("/")[0] for name in others} == {"sandbox/standins/sensor"}
    assert (ROOT / "LICENSE").read_bytes() == (ROOT / "LICENSES" / f"{claimed}.txt").read_bytes()


def test_each_annotation_is_of_a_file() -> None:
    assert all(fnmatch.filter(FILES, one["path"]) for one in ANNOTATIONS)
    assert {one["precedence"] for one in ANNOTATIONS} == {"closest"}
