# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts damaged texts to whatever reads texts, and tells every one that ends in a traceback or takes too long.

Each input is told by its number: the same seed and number give the same text, on any machine, so a failure is had again
by --first NUMBER --inputs 1. Ends with 1 if anything failed.

With --guided coverage chooses what is damaged next (guided.py), on one subject; what failed is told as its bytes.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "build" / "collections"))
from tools.fuzz.mutate import mutated  # noqa: E402 - run as a program, tools is found by then
from tools.fuzz.patience import EVERY, MOST_TOLD, PATIENCE_SECONDS, over  # noqa: E402 - run as a program, tools is found by then
from tools.fuzz.subject import Subject  # noqa: E402 - run as a program, tools is found by then
from tools.fuzz.subjects import SUBJECTS  # noqa: E402 - the collection is found by then


def text_of(subject: Subject, seed: int, number: int) -> tuple[str, str]:
    """The damaged text of an input, and the text that was damaged."""
    random = Random(f"{seed}:{number}")  # noqa: S311 - no secret: it must be the same again
    whole = random.choice(subject.texts)
    return mutated(whole, subject.texts, random), whole


def run(name: str, seed: int, first: int, inputs: int) -> int:
    """Puts inputs to one subject; the number of those that failed."""
    subject = SUBJECTS[name]()
    failed = 0
    start = time.process_time()
    signal.signal(signal.SIGPROF, over)
    for number in range(first, first + inputs):
        text, whole = text_of(subject, seed, number)
        signal.setitimer(signal.ITIMER_PROF, PATIENCE_SECONDS)
        try:
            subject.put(number, text, whole)
        except Exception:
            failed += 1
            if failed <= MOST_TOLD:
                print(f"{name} {number}:\n{text!r}\n{traceback.format_exc()}", flush=True)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        done = number - first + 1
        if done % EVERY == 0 or done == inputs:
            print(f"{name}: {done} inputs, {failed} failed, {time.process_time() - start:.0f} s of CPU", flush=True)
    return failed


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tools.fuzz", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="SUBJECT", help=f"{', '.join(SUBJECTS)}; all if left out")
    parser.add_argument("--inputs", type=int, default=100_000, help="of each subject (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--guided", action="store_true", help="coverage chooses what is damaged next; one subject")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.subjects if name not in SUBJECTS]
    if unknown:
        parser.error(f"no subject {unknown[0]!r}: one of {', '.join(SUBJECTS)}")
    if given.guided:
        if len(given.subjects) != 1:
            parser.error("--guided takes one subject")
        # In a process of its own, which counts branches from its imports on, and which Atheris ends.
        command = [sys.executable, "-m", "tools.fuzz.guided", given.subjects[0], str(given.inputs), str(given.seed)]
        # It ends without a word to Python, so what it leaves is taken away here.
        with tempfile.TemporaryDirectory(prefix="falconet-fuzz-") as folder:
            return subprocess.run(command, cwd=ROOT, env={**os.environ, "TMPDIR": folder}, check=False).returncode
    return 1 if sum(run(name, given.seed, given.first, given.inputs) for name in given.subjects or SUBJECTS) else 0


if __name__ == "__main__":
    sys.exit(main())
