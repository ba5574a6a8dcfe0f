"""Prints what a finished demo proved, from the report of each cluster of the inventory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

EVIDENCE = Path("evidence")


def clusters(inventory: str) -> list[str]:
    """Hosts of the group `clusters`."""
    listed = subprocess.run(
        ["ansible-inventory", "-i", inventory, "--list"], check=True, capture_output=True, text=True
    ).stdout
    names: list[str] = json.loads(listed).get("clusters", {}).get("hosts", [])
    return names


def main() -> int:
    failed = 0
    for cluster in clusters(sys.argv[1]):
        path = EVIDENCE / cluster / "report.json"
        if not path.is_file():
            print(f"{cluster}: no evidence at {path}: did the run reach the stage verify?", file=sys.stderr)
            failed += 1
            continue
        report = json.loads(path.read_text())
        print(f"\nProven on cluster {cluster}, {report['time']}:")
        for note in report["notes"]:
            print(f"  ! {note}")
        stages: dict[str, Counter[str]] = {}
        for check in report["checks"]:
            stages.setdefault(check["stage"], Counter())[check["status"]] += 1
        for stage, counts in stages.items():
            told = ", ".join(f"{counts[s]} {s}" for s in ("passed", "failed", "skipped") if counts[s])
            print(f"  {stage:17} {told}")
        print(f"Evidence: {path.with_name('report.html').resolve()}")
        failed += report["summary"]["failed"]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
