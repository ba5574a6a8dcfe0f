"""The systemd unit of a rulebook, judged by systemd itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[3] / "docs" / "examples" / "rulebook" / "ansible-rulebook.service"
PROGRAM = "/opt/falconet-respond/bin/ansible-rulebook"
pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")


def told(tmp_path: Path, text: str) -> str:
    """What systemd says of a unit; it says nothing of a good one."""
    # The program is one of its own environment; systemd looks whether it is there.
    (tmp_path / "falconet-rulebook.service").write_text(text.replace(PROGRAM, "/bin/true"))
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / "falconet-rulebook.service")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return done.stderr


def test_systemd_takes_it_as_it_is(tmp_path: Path) -> None:
    assert PROGRAM in UNIT.read_text()
    assert told(tmp_path, UNIT.read_text()) == ""


def test_a_word_that_systemd_does_not_know_is_told(tmp_path: Path) -> None:
    assert "PrivatTmp" in told(tmp_path, UNIT.read_text().replace("PrivateTmp", "PrivatTmp"))
