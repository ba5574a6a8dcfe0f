"""Says what this machine lacks and what of the downloads cannot be had, before anything is built.

Usage:
    python3 tools/doctor.py [--offline] [--fresh]

It looks at the machine and at the sandboxes that run on it, and asks the ordinary clients (pip, apt, go) whether all
that is pinned is still there. Each finding says what to do. Exit code 1 if
something is an error. --offline asks nothing of the network; --fresh asks again what was found good within the last
hour, and of what is installed already. With KUBECONFIG or SANDBOX=kind it leaves out what only our own sandbox needs.

Runs on the machine's own Python, before anything is installed: standard library only, and this file can be read by any
Python 3, to tell that it is too old.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

# Nothing newer than the oldest Python of a distribution is imported before its version was looked at.
if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.doctor import Finding

OLDEST = (3, 11)


def too_old(version: "tuple[int | str, ...]", wanted: "tuple[int, ...]" = OLDEST) -> str:
    """Why a Python will not do; empty if it will."""
    if tuple(version) >= wanted:
        return ""
    found, least = (".".join(map(str, one[:2])) for one in (version, wanted))
    return f"Python {found}, {least} or newer is needed"


def show(findings: "Sequence[Finding]") -> int:
    """Print findings, each with what to do; returns how many of them are errors."""
    for one in findings:
        print(f"{one.level:<5}  {one.what}")
        if one.advice and one.level != "ok":
            print(f"       -> {one.advice}")
    return sum(one.level == "error" for one in findings)


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Gather, judge, print; 1 if something is an error."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--offline", action="store_true", help="look at this machine alone")
    parser.add_argument("--fresh", action="store_true", help="ask again what was found good within the last hour")
    options = parser.parse_args(arguments)
    problem = too_old(sys.version_info)
    if problem:
        print(f"error  {problem}\n       -> apt-get install python3, or put a newer one first on PATH")
        return 1
    # Written for newer ones.
    from tools.diagnosis.sections import Wish, sections

    kind = os.environ.get("SANDBOX") == "kind"
    wish = Wish(not os.environ.get("KUBECONFIG"), kind, options.offline, options.fresh)
    errors = 0
    for headline, look in sections(wish):
        print(f"--- {headline}", flush=True)
        errors += show(look())
    if errors:
        print(f"\n{errors} of these must be mended first")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
