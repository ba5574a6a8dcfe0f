# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Manifests that Kustomize or Helm makes of a directory, for the policy analysis."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from ..files.helm import find_helm
from ..netpol.errors import NetpolError
from ..netpol.read.manifests import Input
from ..netpol.read.repository import KUSTOMIZATIONS

Run = Callable[[list[str]], tuple[int, str, str]]


def render_paths(paths: Sequence[str], run: Run) -> list[Input]:
    """What C(kustomize build) or C(helm template) prints for directories and packed charts.

    Args:
        paths: directories with a kustomization, directories with a C(Chart.yaml), or packed charts.
        run: runs a command and returns its exit code, output and errors.

    Raises:
        NetpolError: a path is neither, there is no program for it, or the program fails.
        KubeError: helm is missing or too old.
    """
    inputs = []
    for name in paths:
        command = _command(Path(name), run)
        code, out, err = run(command)
        if code:
            raise NetpolError(f"{' '.join(command)} fails: {err.strip()}")
        inputs.append(Input(f"{Path(command[0]).name} {name}", text=out))
    return inputs


def _command(path: Path, run: Run) -> list[str]:
    if any((path / name).is_file() for name in KUSTOMIZATIONS):
        kustomize, kubectl = shutil.which("kustomize"), shutil.which("kubectl")
        if kustomize:
            return [kustomize, "build", str(path)]
        if kubectl:
            return [kubectl, "kustomize", str(path)]
        raise NetpolError(f"{path} needs kustomize or kubectl, and neither is in PATH")
    if (path / "Chart.yaml").is_file() or (path.is_file() and path.suffix == ".tgz"):
        return [find_helm(None, run), "template", "release-name", str(path)]
    raise NetpolError(
        f"{path} cannot be rendered: it has no kustomization.yaml and no Chart.yaml, and is no packed chart (.tgz)"
    )
