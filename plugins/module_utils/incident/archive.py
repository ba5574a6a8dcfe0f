# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One archive of what was collected, with a manifest by which anybody can check each file."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"


def pack(files: Mapping[str, bytes], about: Mapping[str, Any], seconds: int) -> bytes:
    """A gzipped tar archive.

    Args:
        files: contents by name.
        about: what the manifest says beside the files: who, when, what, and what is missing.
        seconds: time of the files, since the epoch.

    Returns:
        The archive; the same for the same input.
    """
    listed = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} for name, content in files.items()
    }
    manifest = json.dumps({**about, "files": listed}, indent=2, sort_keys=True).encode() + b"\n"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in sorted({**files, MANIFEST: manifest}.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(content), seconds, 0o600
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


def keep(path: str, content: bytes) -> str:
    """Write an archive that only its owner can read, and its digest beside it as sha256sum has it.

    Args:
        path: of the archive; its directory exists.
        content: of the archive.

    Returns:
        The digest.

    Raises:
        OSError: it cannot be written.
    """
    target = Path(path)
    digest = hashlib.sha256(content).hexdigest()
    private(target, content)
    private(target.with_name(f"{target.name}.sha256"), f"{digest}  {target.name}\n".encode())
    return digest


def private(target: Path, content: bytes) -> None:
    """Write a file that only its owner can read, at once: it is as before, or whole.

    Raises:
        OSError: it cannot be written.
    """
    beside = target.with_name(f".{target.name}.new")
    beside.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        beside.replace(target)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
