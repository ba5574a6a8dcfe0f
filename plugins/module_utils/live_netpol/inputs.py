# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the policy analysis gets its objects: files, directories, data given inline, or a live cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..netpol.errors import NetpolError
from ..netpol.read.manifests import Input
from ..netpol.read.repository import CHART_TEMPLATE, KUSTOMIZATIONS, NO_TEXT, PATCH, patch_files

SUFFIXES = (".yaml", ".yml", ".json")
#: A single file beyond this is refused before it is read.
MAX_FILE_BYTES = 512 * 1024 * 1024


def read_paths(paths: Sequence[str]) -> list[Input]:
    """Texts of manifests.

    Args:
        paths: files, taken whatever their suffix, and directories, searched for YAML and JSON files at any depth.
            Hidden directories and symbolic links to directories are left out. What a directory holds beside
            manifests (patches of Kustomize, templates of charts, values) is marked to be skipped and counted.

    Raises:
        NetpolError: a path does not exist, cannot be read, or a directory has no manifest.
    """
    inputs: list[Input] = []
    for name in paths:
        path = Path(name)
        if path.is_dir():
            found = sorted(_files(path))
            if not found:
                raise NetpolError(f"{name} has no file that ends in {', '.join(SUFFIXES)}")
            inputs.extend(_read_found(found))
        elif path.exists():
            inputs.append(_read(path))
        else:
            raise NetpolError(f"{name} does not exist")
    return inputs


def _read_found(files: Sequence[Path]) -> list[Input]:
    """The files of a directory, those that are no manifests marked with what they are."""
    patches: set[Path] = set()
    inputs = []
    for file in files:
        if file.name in KUSTOMIZATIONS:
            with suppress(_NoTextError):
                patches.update((file.parent / name).resolve() for name in patch_files(_read(file).text or ""))
    for file in files:
        skip = PATCH if file.resolve() in patches else ""
        if not skip and any(part.name == "templates" and _is_chart(part.parent) for part in file.parents):
            skip = CHART_TEMPLATE
        try:
            text = "" if skip else _read(file).text
        except _NoTextError:
            text, skip = "", NO_TEXT
        inputs.append(Input(str(file), text=text, named=False, skip=skip))
    return inputs


def _is_chart(directory: Path) -> bool:
    return (directory / "Chart.yaml").is_file()


class _NoTextError(NetpolError):
    """A file that is not UTF-8 text."""


def _files(directory: Path) -> list[Path]:
    found = []
    for entry in directory.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if not entry.is_symlink():
                found.extend(_files(entry))
        elif entry.suffix in SUFFIXES or entry.name in KUSTOMIZATIONS:
            found.append(entry)
    return found


def _read(path: Path) -> Input:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise NetpolError(f"{path} is larger than {MAX_FILE_BYTES} bytes")
        return Input(str(path), text=path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _NoTextError(f"{path} is not UTF-8 text: byte {error.start}") from None
    except OSError as error:
        raise NetpolError(f"{path} cannot be read: {error.strerror}") from None


def read_cluster(params: Mapping[str, Any], namespaces: list[str] | None = None) -> list[Input]:
    """A live cluster's objects: what decides about connections, and what explains them.

    Of what only explains, a list without the right to read it is left out and counted.

    Args:
        params: the shared cluster options.
        namespaces: read only these, None for all.

    Raises:
        KubeError: the cluster cannot be read.
    """
    # files and inline objects are analysed without the Kubernetes client, which takes longer to import than they do
    from ..kube.connection import connect
    from ..kube.snapshot import take_snapshot
    from ..kube.surroundings import take_surroundings

    client = connect(dict(params))
    snapshot = take_snapshot(client, namespaces)
    around = take_surroundings(client, snapshot)
    unread = [Input("cluster", text="", named=False, skip=list_of(kind)) for kind in around.forbidden]
    return [Input("cluster", objects=[*snapshot, *around.objects]), *unread]


def list_of(kind: str) -> str:
    """What is said of a list that may not be read."""
    return f"list of {kind} without the right to read it"


def gather(paths: Sequence[str], resources: Sequence[Any] | None, option: str) -> list[Input]:
    """Inputs from files and inline data, the files first so that inline objects replace theirs."""
    inputs = read_paths(paths)
    if resources:
        inputs.append(Input(option, objects=resources))
    return inputs
