"""Holds this collection's answers against the tests of netpol-analyzer and network-config-analyzer.

Give the directories of copies of their repositories, at whatever version. Ends with 1 if anything differs that
explained.py has no reason for, or if something that it has a reason for agrees.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "build" / "collections"))
from tools.agreement import netpol_analyzer, network_config_analyzer  # noqa: E402 - the collection is found by then
from tools.agreement.comparison import Comparison, Count  # noqa: E402 - run as a program, tools is found by then
from tools.agreement.explained import REFUSED, reason  # noqa: E402 - run as a program, tools is found by then

MAX_TOLD = 5


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tools.agreement", description=__doc__)
    parser.add_argument("--netpol-analyzer", type=Path, metavar="DIRECTORY", help="github.com/np-guard/netpol-analyzer")
    parser.add_argument(
        "--network-config-analyzer", type=Path, metavar="DIRECTORY", help="github.com/np-guard/network-config-analyzer"
    )
    given = parser.parse_args(arguments)
    found: list[Comparison] = []
    if given.netpol_analyzer:
        found.extend(netpol_analyzer.compare(given.netpol_analyzer))
    if given.network_config_analyzer:
        found.extend(network_config_analyzer.compare(given.network_config_analyzer))
    if not found:
        parser.error("nothing to compare: give the directory of one of the two")
    return report(found)


def report(found: Iterable[Comparison]) -> int:
    """Prints each difference and the figures; the exit code."""
    counts: dict[str, Count] = {}
    unexplained = 0
    agreeing: dict[str, bool] = {}
    reasons: dict[str, int] = {}
    for item in found:
        count = counts.setdefault(f"{item.peer}: {item.kind}", Count())
        count.tests += 1
        count.statements += item.said
        pattern, why = reason(item.name)
        if pattern:
            agreeing[pattern] = agreeing.get(pattern, True) and not item.found
        if not item.found:
            count.equal += 1
            continue
        why = why or (REFUSED if item.refused else "")
        count.explained += bool(why)
        unexplained += not why
        if why:
            reasons[why] = reasons.get(why, 0) + 1
            continue
        print(f"{item.peer}: {item.kind}: {item.name}")
        for line in item.found[:MAX_TOLD]:
            print(f"    {line}")
    print(f"\n{'':50}{'tests':>8}{'statements':>12}{'equal':>8}{'explained':>11}")
    for name, count in counts.items():
        print(f"{name:50}{count.tests:8}{count.statements:12}{count.equal:8}{count.explained:11}")
    for why, number in reasons.items():
        print(f"{number:4} explained: {why}")
    stale = [pattern for pattern, agrees in agreeing.items() if agrees]
    for pattern in stale:
        print(f"explained.py: {pattern}: nothing differs for this reason any more")
    return 1 if unexplained or stale else 0


if __name__ == "__main__":
    sys.exit(main())
