# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts read from and written to files: nothing of others is overwritten, and no file is ever half written."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..kube.errors import KubeError


def read_text(path: str) -> str:
    """The text of a file.

    Raises:
        KubeError: it cannot be read, or is no UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KubeError(f"{path} cannot be read: {error}") from error


def differing(files: Mapping[str, str], force: bool) -> list[str]:
    """Paths whose files are not there or hold another text.

    Args:
        files: path to the text that it is to hold.
        force: whether files with another text may be overwritten.

    Raises:
        KubeError: there is a file with another text, and it may not.
    """
    changed = [path for path, text in files.items() if not Path(path).exists() or read_text(path) != text]
    there = [path for path in changed if Path(path).exists()]
    if there and not force:
        raise KubeError(f"{', '.join(there)} holds something else.", "Name another file, or say force: true.")
    return changed


def write_text(path: str, text: str, mode: int) -> None:
    """Writes a file as a whole, with this mode; its directory is made if it is not there.

    Raises:
        KubeError: it cannot be written.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}.", delete=False
        ) as file:
            file.write(text)
        Path(file.name).chmod(mode)
        Path(file.name).replace(target)
    except OSError as error:
        raise KubeError(f"{path} cannot be written: {error}") from error
