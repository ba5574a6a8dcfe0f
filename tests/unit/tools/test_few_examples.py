"""Where few examples are asked for, a property that wants hundreds draws ten, and one that wants less draws its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.few_examples import EXAMPLES

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
from hypothesis import given, settings, strategies as st
drawn = {"default": 0, "many": 0, "few": 0}

@given(st.integers())
def test_default(_number):
    drawn["default"] += 1

@given(st.integers())
@settings(max_examples=300)
def test_many(_number):
    drawn["many"] += 1

@settings(max_examples=3)
@given(st.integers())
def test_few(_number):
    drawn["few"] += 1

def test_told():
    print("drawn", *drawn.values())
"""


def test_of_many_examples_a_few_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "test_it.py"
    path.write_text(PROGRAM)
    command = [sys.executable, "-m", "pytest", "-s", "-p", "tools.few_examples", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, f"--rootdir={tmp_path}", str(path)], cwd=ROOT, capture_output=True, text=True)
    assert f"drawn {EXAMPLES} {EXAMPLES} 3" in done.stdout
    assert done.returncode == 0
