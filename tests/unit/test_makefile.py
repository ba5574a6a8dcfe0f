"""What `make` gives a shell."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_shell_finds_what_make_has_brought(tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / ".done").touch()
    command = f"make env VENV='{tmp_path}/venv' CACHE='{tmp_path}/cache'"
    outer = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    shell = f'eval "$({command})" && echo "$PATH"'
    done = subprocess.run(["bash", "-c", shell], cwd=ROOT, env=outer, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout.startswith(f"{tmp_path}/venv/bin:{tmp_path}/cache/bin:")
    assert done.stdout.endswith(f":{outer['PATH']}\n")
