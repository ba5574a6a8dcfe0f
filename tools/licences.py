"""Asks the REUSE tool whether each file of the repository says whose it is and under which licence.

Usage:
    python tools/licences.py [ARGUMENT OF reuse lint...]

The tool is that of requirements/release.txt, in an environment of its own. tests/unit/test_licences.py holds without it
what matters most.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tools.artifact import environment  # noqa: E402 - run as a program, tools is found by then
from tools.environment import SetupError  # noqa: E402 - run as a program, tools is found by then

LOCK = ROOT / "requirements" / "release.txt"
#: What of the lock the package index has as source alone.
BUILT = frozenset({"reuse"})


def release_environment() -> Path:
    """The environment of the tools that a release needs.

    Raises:
        SetupError: it cannot be made.
    """
    return environment(LOCK, BUILT)


def main(arguments: list[str]) -> int:
    """The tool's own exit code; 1 if it cannot be had."""
    try:
        venv = release_environment()
    except SetupError as error:
        print(f"licences: {error.message}\n    try: {error.hint}", file=sys.stderr)
        return 1
    command = [str(venv / "bin" / "reuse"), "--root", str(ROOT), "lint", *arguments]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
