# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage chooses what is damaged next, on one subject, by Atheris, which is libFuzzer for Python.

Source: https://github.com/google/atheris

A text that reaches code which no text before reached is kept and damaged further, by our damages and by libFuzzer's
bytes. Atheris is no part of the environment for development: ``pip install --requirement requirements/fuzz.txt``.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from tools.fuzz.mutate import MOST_CHARACTERS, mutated
from tools.fuzz.patience import EVERY, MOST_TOLD, PATIENCE_SECONDS, over
from tools.fuzz.subject import ROOT, Subject

#: Whose branches are counted.
WATCHED = "ansible_collections.falconet.k8s"
#: Of texts, how many are damaged as lines and values are, and not as bytes.
_OURS = 0.7


class MissingError(Exception):
    """Atheris is not installed."""


def atheris() -> ModuleType:
    """The library.

    Raises:
        MissingError: it is not there, with what would bring it.
    """
    try:
        return importlib.import_module("atheris")
    except ImportError:
        raise MissingError(
            f"--guided needs Atheris: {sys.executable} -m pip install --requirement requirements/fuzz.txt"
        ) from None


def mutator(subject: Subject, library: Any) -> Callable[[bytes, int, int], bytes]:
    """What makes a new input of one that was kept: our damages, or libFuzzer's.

    Args:
        subject: whose texts parts are taken from.
        library: Atheris.
    """

    def changed(data: bytes, most_bytes: int, seed: int) -> bytes:
        random = Random(seed)  # noqa: S311 - no secret: libFuzzer gives the seed, so that it is the same again
        if random.random() < _OURS:
            text = mutated(text_of(data), subject.texts, random)
            return text.encode("utf-8", "surrogatepass")[:most_bytes]
        found: bytes = library.Mutate(data, most_bytes)
        return found

    return changed


def text_of(data: bytes) -> str:
    """The text of an input; bytes that are no UTF-8 are a surrogate each, as where files are read carelessly."""
    return data.decode("utf-8", "surrogateescape")


def put(subject: Subject, data: bytes) -> tuple[int, str]:
    """Puts an input to a subject: its own digest is its number, so that the same bytes ask the same."""
    number, text = zlib.crc32(data), text_of(data)
    subject.put(number, text, subject.texts[number % len(subject.texts)])
    return number, text


class Tally:
    """Counts inputs, and tells those that fail, as `python3 -m tools.fuzz` does.

    Attributes:
        name: of the subject.
        inputs: after how many the process ends.
    """

    def __init__(self, name: str, subject: Subject, inputs: int) -> None:
        self.name, self.subject, self.inputs = name, subject, inputs
        self.done = self.failed = 0
        self.start = time.process_time()

    def __call__(self, data: bytes) -> None:
        """Put one input; after the last one the process ends, since Atheris never returns."""
        signal.setitimer(signal.ITIMER_PROF, PATIENCE_SECONDS)
        try:
            put(self.subject, data)
        except Exception:
            self.failed += 1
            if self.failed <= MOST_TOLD:
                print(f"{self.name}, guided:\n{data!r}\n{traceback.format_exc()}", flush=True)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        self.done += 1
        if self.done % EVERY == 0 or self.done == self.inputs:
            seconds = time.process_time() - self.start
            print(f"{self.name}, guided: {self.done} inputs, {self.failed} failed, {seconds:.0f} s of CPU", flush=True)
        if self.done == self.inputs:
            end(1 if self.failed else 0)


def end(code: int) -> None:
    """End the process past libFuzzer, which would end it with a code of its own."""
    sys.stdout.flush()
    os._exit(code)


def drive(subject: Subject, one: Callable[[bytes], None], library: Any, inputs: int, seed: int) -> None:
    """Give inputs to a function until it ends the process.

    Args:
        subject: whose texts are where it begins.
        one: takes an input; it must not raise.
        library: Atheris.
        inputs: how many there are at most.
        seed: of libFuzzer; what comes of it depends on coverage alone.
    """
    with tempfile.TemporaryDirectory(prefix="falconet-fuzz-") as folder:
        for number, text in enumerate(subject.texts):
            (Path(folder) / str(number)).write_bytes(text.encode("utf-8", "surrogatepass")[:MOST_CHARACTERS])
        options = [
            f"-runs={inputs}",
            f"-seed={seed}",
            f"-max_len={MOST_CHARACTERS}",
            "-verbosity=0",
            f"-artifact_prefix={folder}/",
        ]
        library.Setup([sys.argv[0], *options, folder], one, custom_mutator=mutator(subject, library))
        library.Fuzz()


def main(arguments: list[str]) -> int:
    """SUBJECT INPUTS SEED, as `python3 -m tools.fuzz SUBJECT --guided` gives them."""
    name, inputs, seed = arguments[0], int(arguments[1]), int(arguments[2])
    try:
        library = atheris()
    except MissingError as error:
        print(f"python3 -m tools.fuzz: {error}", file=sys.stderr)
        return 2
    sys.path.insert(0, str(ROOT / "build" / "collections"))
    with library.instrument_imports(include=[WATCHED]):
        subject: Subject = importlib.import_module("tools.fuzz.subjects").SUBJECTS[name]()
    signal.signal(signal.SIGPROF, over)
    drive(subject, Tally(name, subject, inputs), library, inputs, seed)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
