# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a directory is or would be: its mount and how much room there is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_MIB = 1024 * 1024


def storage_of(path: str, mounts: str = "/proc/self/mounts") -> dict[str, Any]:
    """The mount that holds a directory, which need not exist yet.

    Args:
      path: absolute path of the directory.
      mounts: where the mounts are listed.

    Returns:
      C(directory) (the nearest one that exists), C(target) of the mount, C(filesystem) (its type), C(options) and
      C(free_mb) (what a user who is not root may fill, MiB).

    Raises:
      OSError: nothing can be said about it.
    """
    there = Path(os.path.normpath(path))
    while not there.is_dir() and there != there.parent:
        there = there.parent
    real = there.resolve()
    room = os.statvfs(there)
    row: dict[str, Any] = {"directory": str(there), "target": "/", "filesystem": "", "options": ["rw"]}
    # By the list, since a directory bound to a place of its own file system has the same device; the last mount on a
    # place is the one that is seen.
    for line in Path(mounts).read_text(encoding="utf-8", errors="replace").splitlines():
        _device, where, kind, options = line.split()[:4]
        target = Path(_unescaped(where))
        if (target == real or target in real.parents) and len(str(target)) >= len(row["target"]):
            row.update(target=str(target), filesystem=kind, options=options.split(","))
    return {**row, "free_mb": room.f_bavail * room.f_frsize // _MIB}


def _unescaped(text: str) -> str:
    """A path as the kernel lists it, with blanks in octal.

    Source: https://man7.org/linux/man-pages/man5/fstab.5.html
    """
    for octal, letter in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(octal, letter)
    return text
