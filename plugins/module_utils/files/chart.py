# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a Helm chart, a directory or a packed archive, into what the checks of values need."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..common.yaml_text import YAML_IMPORT_ERROR, YamlTextError, read_all, read_one
from ..falco_chart.chart import Chart
from ..kube.errors import KubeError

#: No chart comes near; an archive that unpacks to more is refused.
LIMIT_BYTES = 64 * 1024 * 1024


def read_chart(path: str) -> Chart:
    """The chart at this path.

    Args:
        path: a chart's directory or its ``.tgz``.
    Raises:
        KubeError: there is no chart, or it cannot be read.
    """
    if YAML_IMPORT_ERROR:
        raise KubeError("the Python library PyYAML is missing", "Install it for the Python that runs this module.")
    root = Path(path)
    try:
        files = _directory(root) if root.is_dir() else archive_files(root.read_bytes())
        return _chart(files)
    except (OSError, tarfile.TarError, YamlTextError, KeyError, UnicodeDecodeError, EOFError, zlib.error) as error:
        raise KubeError(
            f"{path} is no Helm chart that can be read: {type(error).__name__}: {error}",
            "A chart is a directory with Chart.yaml and values.yaml, or its archive made by helm package or helm pull.",
        ) from error


def read_manifests(text: str) -> list[dict[str, Any]]:
    """The objects that C(helm template) printed.

    Raises:
        KubeError: it is no YAML, which happens where a template indents a value wrongly.
    """
    try:
        return [o for o in read_all(text, in_c=True) if isinstance(o, dict)]
    except YamlTextError as error:
        line = f" in line {error.line}" if error.line else ""
        raise KubeError(f"what helm template prints is no YAML{line}: {error.problem}") from error


def _directory(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def archive_files(content: bytes) -> dict[str, bytes]:
    """Files of a packed chart by their paths inside it.

    Raises:
        tarfile.TarError: it is no archive, or one that unpacks to more than LIMIT_BYTES.
    """
    files: dict[str, bytes] = {}
    size = 0
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for member in archive:
            data = archive.extractfile(member) if member.isfile() else None
            if data is None:
                continue
            size += member.size
            if size > LIMIT_BYTES:
                raise tarfile.TarError("unpacks to more than 64 MiB")
            # The first part of each name is the chart's own directory.
            files[member.name.split("/", 1)[-1]] = data.read()
    return files


def _mapping(name: str, content: bytes) -> dict[str, Any]:
    """What a file of a chart says; both that are read are mappings."""
    found = read_one(content)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise YamlTextError(f"{name} is no mapping")
    return found


def _dependencies(meta: Mapping[str, Any]) -> dict[str, str]:
    """Charts that a chart depends on: name to the key under which their values stand."""
    found = meta.get("dependencies") or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise YamlTextError("dependencies of Chart.yaml are no list of mappings")
    return {str(one["name"]): str(one.get("alias", one["name"])) for one in found}


def _chart(files: Mapping[str, bytes]) -> Chart:
    meta = _mapping("Chart.yaml", files["Chart.yaml"])
    values = _mapping("values.yaml", files.get("values.yaml", b""))
    templates = {n: data.decode("utf-8") for n, data in files.items() if n.startswith("templates/")}
    packed: dict[str, dict[str, bytes]] = {}
    for name, data in files.items():
        if name.startswith("charts/") and name.endswith(".tgz") and name.count("/") == 1:
            packed[name] = archive_files(data)
        elif name.startswith("charts/") and name.count("/") >= 2:
            _charts, directory, inner = name.split("/", 2)
            packed.setdefault(directory, {})[inner] = data
    subcharts = {sub.name: sub for sub in (_chart(inner) for inner in packed.values() if "Chart.yaml" in inner)}
    aliases = _dependencies(meta)
    return Chart(
        name=str(meta["name"]),
        version=str(meta["version"]),
        app_version=str(meta.get("appVersion", "")),
        defaults=values,
        templates=tuple(templates[name] for name in sorted(templates)),
        subcharts={aliases.get(name, name): sub for name, sub in subcharts.items()},
        missing=tuple(alias for name, alias in aliases.items() if name not in subcharts),
    )
