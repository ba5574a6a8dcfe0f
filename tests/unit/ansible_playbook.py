"""ansible-playbook as people start it: from the repository, without colours, and with a limit."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def ansible_playbook(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Its exit code and output, whatever they are.

    Args:
        arguments: of the program.
        environment: variables beside the test's own.
    """
    return subprocess.run(
        ["ansible-playbook", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
