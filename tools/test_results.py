"""Prints what failed in a run of many sessions, from the files that they leave behind: its cause stands at the end.

`nox --report` leaves `<lane>.json` (which sessions passed), pytest leaves `<session>.xml` (JUnit: which tests did not).
Two lanes side by side print thousands of lines, and the failure is somewhere among them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

#: Characters of a failure's message that are printed: enough for an assertion, not for what it compared.
MESSAGE = 300
#: Failed tests of a session that are told; the rest is in its output.
MOST = 10


def sessions(directory: Path) -> dict[str, str]:
    """Result of every session by its name: `success`, `failed`, `aborted` or `skipped`.

    Source: https://nox.thea.codes/en/stable/config.html#cmdoption-report
    """
    results: dict[str, str] = {}
    for path in sorted(directory.glob("*.json")):
        results.update((one["name"], one["result"]) for one in json.loads(path.read_text())["sessions"])
    return results


def failures(path: Path) -> list[tuple[str, str]]:
    """Tests of a JUnit file that failed or broke: name and the first words of why.

    Source: https://docs.pytest.org/en/stable/how-to/output.html#creating-junitxml-format-files
    """
    told = []
    for case in ET.parse(path).iter("testcase"):  # noqa: S314 - pytest of the same run wrote it
        for child in case:
            if child.tag in ("failure", "error"):
                message = " ".join((child.get("message") or child.text or "").split())
                told.append((f"{case.get('classname')}::{case.get('name')}", message[:MESSAGE]))
    return told


def lines(directory: Path) -> list[str]:
    """What to print: every session with its result, those that failed last and their failed tests under them."""
    told = []
    for name, result in sorted(sessions(directory).items(), key=lambda one: one[1] != "success"):
        told.append(f"{result:8} {name}")
        tests = directory / f"{name}.xml"
        failed = failures(tests) if tests.is_file() else []
        for test, message in failed[:MOST]:
            told += [f"           {test}", f"             {message}"]
        if len(failed) > MOST:
            told.append(f"           and {len(failed) - MOST} more")
    return told


def main() -> int:
    directory = Path(sys.argv[1])
    print("\n==> sessions of this run")
    print("\n".join(lines(directory) or [f"none left a result in {directory}"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
