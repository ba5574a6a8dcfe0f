# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that outlives a run that was killed, and removes what it left; SIGKILL leaves nobody else to do so."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
from collections.abc import Callable
from pathlib import Path

_DONE = b".\n"
# Linux has the first, others the second.
_DESCRIPTORS = next((path for path in map(Path, ("/proc/self/fd", "/dev/fd")) if path.is_dir()), Path("/dev/fd"))


class Guard:
    """Watches over this process through a pipe whose other end closes with it, whatever ends it.

    It has a session of its own, so that neither the end of a terminal nor a signal to the run's process group reaches
    it, and none of the run's files, so that nobody waits for its output. It ends with the run.

    Args:
        clean: removes everything; called in the process that watches, with the notes that were made.
    """

    def __init__(self, clean: Callable[[list[str]], None]) -> None:
        self.clean = clean
        self._pipe: int | None = None
        self._process = 0

    def start(self) -> None:
        """Begin to watch. Where no process can be made, nobody watches."""
        reading, self._pipe = os.pipe()
        try:
            self._process = os.fork()
        except OSError:
            os.close(reading)
            os.close(self._pipe)
            self._pipe = None
            return
        if self._process == 0:
            code = 1
            try:
                self._watch(_detach(reading))
                code = 0
            finally:
                # Neither the clean-up nor the output of the run it was copied from may happen here.
                os._exit(code)
        os.close(reading)

    def note(self, text: str) -> None:
        """Leave a line for the clean-up."""
        if self._pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._pipe, text.encode() + b"\n")

    def dismiss(self) -> None:
        """Everything is removed: end the watch."""
        if self._pipe is None:
            return
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipe, _DONE)
        os.close(self._pipe)
        self._pipe = None
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._process, 0)

    def _watch(self, reading: int) -> None:
        with os.fdopen(reading, "rb") as pipe:
            lines = pipe.read().splitlines(keepends=True)
        if _DONE not in lines:
            self.clean([line.decode().strip() for line in lines])


def _detach(reading: int) -> int:
    """Keep nothing of the run but the pipe; gives its descriptor."""
    os.setsid()
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    kept = fcntl.fcntl(reading, fcntl.F_DUPFD, 3)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    for number in [int(entry.name) for entry in _DESCRIPTORS.iterdir()]:
        if number > 2 and number != kept:
            # The descriptor of the listing itself is closed already.
            with contextlib.suppress(OSError):
                os.close(number)
    return kept
