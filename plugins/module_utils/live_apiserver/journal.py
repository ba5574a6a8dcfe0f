# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of a node written as one change: what was there before is noted first, for the run after a killed one."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..apiserver.errors import ApiServerError

_TEMPORARY = ".falconet-"
"""How files begin that are not finished. The kubelet reads no file of its manifests' folder that begins with a dot."""
JOURNAL = "change.json"


def digest(content: bytes) -> str:
    """What stands for a content."""
    return hashlib.sha256(content).hexdigest()


def read(path: str) -> bytes | None:
    """A file's content, None where there is no file."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        return None


def write(path: str, content: bytes, mode: int = 0o600) -> None:
    """A file in one step, with the owner and the mode of the one in whose place it comes.

    Args:
        path: of the file.
        content: all of it.
        mode: of a file that is new.
    """
    folder = Path(path).parent
    for left in folder.glob(f"{_TEMPORARY}*"):
        left.unlink()
    number, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=folder)
    try:
        with os.fdopen(number, "wb") as stream:
            stream.write(content)
            try:
                before = Path(path).stat()
                os.fchown(number, before.st_uid, before.st_gid)
                os.fchmod(number, stat.S_IMODE(before.st_mode))
            except FileNotFoundError:
                os.fchmod(number, mode)
            stream.flush()
            os.fsync(number)
        Path(temporary).rename(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    _sync(folder)


def remove(path: str) -> None:
    """A file away, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        Path(path).unlink()
        _sync(Path(path).parent)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@dataclass(frozen=True)
class Journal:
    """A change of files that has begun.

    Attributes:
        before: path to content, None where there was no file.
        after: path to the digest of what it is to hold, None where it is to be away.
        processes: number and start of the API servers that ran before it.
    """

    before: Mapping[str, bytes | None]
    after: Mapping[str, str | None]
    processes: frozenset[tuple[int, int]] = field(default_factory=frozenset)

    def done(self) -> bool:
        """Whether all files hold what they are to hold."""
        return all(
            (digest(content) if content is not None else None) == self.after[path]
            for path, content in ((path, read(path)) for path in self.after)
        )

    def put_back(self) -> None:
        """All files as they were before; the first of them comes last."""
        for path, content in reversed(list(self.before.items())):
            if content is None:
                remove(path)
            elif read(path) != content:
                write(path, content)


def begin(folder: str, journal: Journal) -> None:
    """Note a change before it is made.

    Args:
        folder: where the note lies, which is made if need be.
        journal: the change.
    """
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    values = {
        "before": {
            path: None if content is None else base64.b64encode(content).decode()
            for path, content in journal.before.items()
        },
        "after": dict(journal.after),
        "processes": sorted(journal.processes),
    }
    write(str(Path(folder) / JOURNAL), json.dumps(values, indent=1).encode())


def begun(folder: str) -> Journal | None:
    """The change that an earlier run has begun and not ended, or None.

    Raises:
        ApiServerError: its note cannot be read.
    """
    file = str(Path(folder) / JOURNAL)
    content = read(file)
    if content is None:
        return None
    try:
        values: Any = json.loads(content)
        return Journal(
            before={
                path: None if text is None else base64.b64decode(text, validate=True)
                for path, text in values["before"].items()
            },
            after=dict(values["after"]),
            processes=frozenset((int(pid), int(started)) for pid, started in values["processes"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ApiServerError(
            f"{file}: this note of an earlier run cannot be read ({error}); look at the manifest, then remove the note"
        ) from None


def ended(folder: str) -> None:
    """Forget a change that has come to its end."""
    remove(str(Path(folder) / JOURNAL))
