#!/usr/bin/env python3
"""Checks the role falco's values against a copy of the chart: make chart-check CHART=<directory or archive>.

The chart stays outside of this repository. A directory without its dependencies takes them from the directories beside
it, as in the charts' own repository. With CHARTS_GIT=<git directory of that repository>, the chart (VERSION, 9.1.0 by
default) and its dependencies are taken from its tags, and so are older majors, for the checks of upgrades.
"""

from __future__ import annotations

import fnmatch
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tools import archives  # noqa: E402 - run as a program, tools is found by then

OLD_VERSIONS = ("4.22.0", "6.4.1", "7.2.1", "8.0.5")


def git(repository: str, *arguments: str) -> bytes:
    """Output of a git command in that repository."""
    return subprocess.run(["git", f"--git-dir={repository}", *arguments], check=True, capture_output=True).stdout


def unpack(repository: str, chart: str, version: str, target: Path) -> None:
    """A chart at its release's tag."""
    archive = git(repository, "archive", f"{chart}-{version}:charts/{chart}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        archives.unpack(tar, target)


def newest(repository: str, chart: str, wanted: str) -> str | None:
    """The newest released version of a chart that fits a constraint such as 0.12.*; None if there is none."""
    tags = git(repository, "tag", "--list", f"{chart}-[0-9]*").decode().split()
    versions = [tag[len(chart) + 1 :] for tag in tags]
    fitting = [v for v in versions if fnmatch.fnmatch(v, wanted) and v.replace(".", "").isdigit()]
    return max(fitting, key=lambda v: [int(part) for part in v.split(".")], default=None)


def dependencies(chart: Path) -> list[dict[str, Any]]:
    """What Chart.yaml names."""
    return yaml.safe_load((chart / "Chart.yaml").read_text()).get("dependencies") or []


def from_git(repository: str, version: str, target: Path) -> Path:
    """The chart falco in this version, complete."""
    unpack(repository, "falco", version, target)
    for dependency in dependencies(target):
        name = dependency["name"]
        found = newest(repository, name, dependency["version"])
        if found:
            unpack(repository, name, found, target / "charts" / name)
        elif chart := git(repository, "ls-tree", "HEAD", f"charts/{name}"):
            print(f"note: no release of {name} fits {dependency['version']}; HEAD is taken", file=sys.stderr)
            assert chart
            archive = git(repository, "archive", f"HEAD:charts/{name}")
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                archives.unpack(tar, target / "charts" / name)
    return target


def from_directory(source: Path, target: Path) -> Path:
    """A copy of the chart, with dependencies from the directories beside it where it has none."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    for dependency in dependencies(target):
        name, place = dependency["name"], target / "charts" / dependency["name"]
        packed = list((target / "charts").glob(f"{name}-*.tgz")) if (target / "charts").is_dir() else []
        if not place.is_dir() and not packed and (source.parent / name).is_dir():
            shutil.copytree(source.parent / name, place)
            version = yaml.safe_load((place / "Chart.yaml").read_text())["version"]
            if not fnmatch.fnmatch(version, dependency["version"]):
                print(f"note: {name} {version} beside the chart is not {dependency['version']}", file=sys.stderr)
    return target


def unpack_subcharts(chart: Path) -> None:
    """Packed charts in charts/ become directories, so that each can be rendered alone, too."""
    for packed in (chart / "charts").glob("*.tgz"):
        with tarfile.open(packed) as tar:
            archives.unpack(tar, chart / "charts")
        packed.unlink()


def main() -> int:
    """Entry point."""
    source, repository = os.environ.get("CHART", ""), os.environ.get("CHARTS_GIT", "")
    if not source and not repository:
        sys.stderr.write(__doc__ or "")
        return 2
    helm = shutil.which(os.environ.get("HELM", "helm"))
    if not helm:
        sys.exit("chart-check: there is no helm in PATH (make sandbox-up builds one; HELM names another)")
    with tempfile.TemporaryDirectory(prefix="chart-check-") as scratch:
        place = Path(scratch)
        environment = {**os.environ, "HELM": helm}
        if repository:
            environment["CHART"] = str(from_git(repository, os.environ.get("VERSION", "9.1.0"), place / "falco"))
            old = [from_git(repository, version, place / f"falco-{version}") for version in OLD_VERSIONS]
            environment["OLD_CHARTS"] = os.pathsep.join(map(str, old))
        elif Path(source).is_dir():
            environment["CHART"] = str(from_directory(Path(source).resolve(), place / "falco"))
        else:
            with tarfile.open(source) as tar:
                archives.unpack(tar, place)
            environment["CHART"] = str(place / "falco")
        unpack_subcharts(Path(environment["CHART"]))
        return subprocess.run(
            [sys.executable, "-m", "pytest", "tests/chart", "-v", "--no-header", *sys.argv[1:]],
            cwd=ROOT,
            env=environment,
            check=False,  # its exit code is ours
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
