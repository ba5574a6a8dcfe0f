# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where charts are on the controller: a path that was given, the cache of pulled ones, or inside another chart."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..kube.errors import KubeError
from .chart import archive_files

_VERSION = re.compile(r"v?[0-9]+\.[0-9]+\.[0-9]+")
_PATH = re.compile(r"[/.~]")


@dataclass(frozen=True)
class Wanted:
    """A chart that is asked for.

    Attributes:
      ref: its name in a repository, an C(oci://) reference, or a path, which begins with C(/), C(.) or C(~).
      version: exact; not needed for a path.
      variable: what messages call it by; C(_ref) and C(_version) are added.
      example: of a version, for messages.
    """

    ref: str
    version: str
    variable: str
    example: str


def locate(wanted: Wanted, repo_url: str, cache: str) -> Path:
    """Where the chart is, or would be once it was pulled.

    Raises:
      KubeError: a path without a chart, or a chart from a repository without an exact version.
    """
    if _PATH.match(wanted.ref):
        path = _real(wanted.ref)
        if not path.exists():
            raise KubeError(f"{wanted.variable}_ref: there is no {path} on the controller.")
        return path
    if not _VERSION.match(wanted.version):
        raise KubeError(
            f'{wanted.variable}_version is "{wanted.version}".',
            f"A chart from a repository needs an exact version such as {wanted.example}, so that a run tomorrow "
            "installs the same.",
        )
    source = hashlib.sha256((repo_url + wanted.ref).encode()).hexdigest()[:12]
    return _real(cache) / source / f"{wanted.ref.rstrip('/').rpartition('/')[2]}-{wanted.version}.tgz"


def carried(chart: Path, name: str, cache: str) -> Path:
    """A chart that another one carries in its ``charts/``; one from an archive is unpacked into the cache, once.

    Raises:
      KubeError: it carries none of this name.
    """
    if chart.is_dir():
        found = [path for path in (chart / "charts").glob(f"{name}*") if path.name == name or path.suffix == ".tgz"]
    else:
        content = chart.read_bytes()
        found = _unpacked(content, name, _real(cache) / hashlib.sha256(content).hexdigest()[:12])
    if len(found) != 1:
        raise KubeError(
            f"The chart {chart} carries no chart {name} in charts/.",
            "Name one in falco_sidekick_chart_ref (and falco_sidekick_chart_version, unless it is a path).",
        )
    return found[0]


def _unpacked(content: bytes, name: str, folder: Path) -> list[Path]:
    target = folder / name
    if (target / "Chart.yaml").is_file():
        return [target]
    prefix = f"charts/{name}"
    inner: dict[str, bytes] = {}
    for path, data in archive_files(content).items():
        if path.startswith(f"{prefix}/"):
            inner[path[len(prefix) + 1 :]] = data
        elif path.startswith(f"{prefix}-") and path.endswith(".tgz") and path.count("/") == 1:
            inner = dict(archive_files(data))
    if "Chart.yaml" not in inner:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    # Beside its place first, so that a run that is killed leaves no half a chart there.
    made = Path(tempfile.mkdtemp(dir=folder))
    try:
        for path, data in inner.items():
            if ".." in Path(path).parts:
                raise KubeError(f"the chart {name} has a file outside of itself: {path}")
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_bytes(data)
        made.chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)
        made.rename(target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return [target]


def _real(path: str) -> Path:
    return Path(path).expanduser().resolve()
