# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded events from the disk, line by line: one file, or a directory of rotated ones, packed or not.

The API server keeps a log's earlier parts beside it, with the time of the rotation in their names
(audit-2026-03-01T10-00-00.000.log, and .gz where something packs them); the part that is written to has none.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from ..falco.errors import FalcoError

_NAMES = re.compile(r"\.(?:log|jsonl?|ndjson)(?:\.gz)?$")
_ROTATED = re.compile(r"-(\d{4}-\d\d-\d\dT[\d.-]+)$")
_LAST = "~"
"""Sorts after every time."""


class Recording:
    """Lines of one or more files, read once, in the order in which they were written.

    Attributes:
        parts: of each file that was begun its name (`file`) and the number of its first line (`line`).
        torn: number of each line that was cut off at the end of its file, as when the writer was killed; left out.
    """

    def __init__(self, path: str) -> None:
        """Find the files; none is opened.

        Args:
            path: a file, or a directory whose *.log, *.json, *.jsonl and *.ndjson are taken, with .gz or without.

        Raises:
            FalcoError: the directory has none.
            OSError: it cannot be read.
        """
        self.files = [Path(path)]
        if Path(path).is_dir():
            self.files = sorted((one for one in Path(path).iterdir() if _NAMES.search(one.name)), key=_written)
            if not self.files:
                raise FalcoError(f"{path}: the directory has no *.log, *.json, *.jsonl or *.ndjson, nor any with .gz")
        self.parts: list[dict[str, str | int]] = []
        self.torn: list[int] = []

    def lines(self) -> Iterator[bytes]:
        """Every line; numbers go on from file to file, and a torn one is given as a blank one, so that they hold.

        Raises:
            FalcoError: a packed file is damaged.
            OSError: a file cannot be read.
        """
        number = 0
        for file in self.files:
            self.parts.append({"file": str(file), "line": number + 1})
            try:
                with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
                    for line in stream:
                        number += 1
                        if number > int(self.parts[-1]["line"]) and not line.endswith(b"\n") and not _whole(line):
                            self.torn.append(number)
                            yield b""
                        else:
                            yield line
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise FalcoError(f"{file}: damaged after line {number}: {error}") from error


def _written(file: Path) -> tuple[str, str, str]:
    """What to sort files by: the log that they belong to, then the time of rotation, and last what is written to."""
    name = _NAMES.sub("", file.name)
    rotated = _ROTATED.search(name)
    return (name[: rotated.start()] if rotated else name, rotated.group(1) if rotated else _LAST, file.name)


def _whole(line: bytes) -> bool:
    try:
        json.loads(line, strict=False)
    except ValueError:
        return False
    return True
