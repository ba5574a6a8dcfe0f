# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Falco rules files from the disk, and reports to it: paths and directories in, texts out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..falco.errors import FalcoError
from ..falco.load.ruleset import RulesFile, decode
from ..falco.yaml.nodes import MAX_BYTES


def read_rules_files(paths: Sequence[str]) -> tuple[tuple[RulesFile, ...], tuple[tuple[str, str], ...]]:
    """Read rules files in order.

    Args:
        paths: files, or directories; of a directory every `*.yaml` and `*.yml`, by name, as Falco does.

    Returns:
        The files, and (name, reason) of what could not be read.
    """
    files: list[RulesFile] = []
    unreadable: list[tuple[str, str]] = []
    for path in paths:
        found = [path]
        if Path(path).is_dir():
            found = sorted(
                str(entry) for entry in Path(path).iterdir() if entry.suffix in (".yaml", ".yml") and entry.is_file()
            )
            if not found:
                unreadable.append((path, "the directory has no *.yaml or *.yml file"))
        for name in found:
            try:
                with Path(name).open("rb") as stream:
                    content = stream.read(MAX_BYTES + 1)
            except OSError as error:
                unreadable.append((name, f"cannot read the file: {error.strerror or error}"))
                continue
            if len(content) > MAX_BYTES:
                unreadable.append((name, f"the file has more than {MAX_BYTES} bytes"))
                continue
            files.append(RulesFile(name, decode(content)))
    return tuple(files), tuple(unreadable)


def at_least_one(paths: Sequence[str]) -> Sequence[str]:
    """The paths, of which there must be one: a check of nothing would say that all is well.

    Raises:
        FalcoError: there is none.
    """
    if not paths:
        raise FalcoError("files: the list is empty, so there is nothing to judge; name a file or a directory")
    return paths


def write_rules_files(texts: Mapping[str, str]) -> None:
    """Write rules files, each at once: who reads one meanwhile finds it as it was or as it is to be.

    Args:
        texts: by path; the files exist, and keep their mode and owner.

    Raises:
        OSError: a file cannot be written.
    """
    for path, text in texts.items():
        target = Path(path).resolve()
        before = target.stat()
        beside = target.with_name(f".{target.name}.new")
        beside.write_bytes(text.encode("utf-8", "surrogateescape"))
        beside.chmod(before.st_mode & 0o7777)
        if (before.st_uid, before.st_gid) != (beside.stat().st_uid, beside.stat().st_gid):
            os.chown(beside, before.st_uid, before.st_gid)
        beside.replace(target)


def write_if_changed(path: str, text: str) -> bool:
    """Write a report unless the file has these bytes already; tell whether it was written.

    Raises:
        OSError: the file cannot be written.
    """
    target = Path(path)
    content = text.encode("utf-8", "replace")
    if target.is_file() and target.read_bytes() == content:
        return False
    target.write_bytes(content)
    return True
