"""falco_chart_info through its main(): given paths, the cache, and charts that others carry."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ..module_runner import run_module

REPO = "https://charts.example"


def write_chart(folder: Path, name: str, version: str = "1.0.0") -> Path:
    folder.mkdir(parents=True)
    (folder / "Chart.yaml").write_text(f"name: {name}\nversion: {version}\nappVersion: '7'\n")
    (folder / "values.yaml").write_text("a: 1\n")
    return folder


@pytest.fixture
def falco(tmp_path: Path) -> Path:
    """A chart that carries one called falcosidekick, and another whose name begins so."""
    root = write_chart(tmp_path / "falco", "falco", "9.1.0")
    write_chart(root / "charts" / "falcosidekick", "falcosidekick", "0.12.1")
    return root


def pack(folder: Path, target: Path, inner: str = "falco") -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(target, "w:gz") as archive:
        archive.add(folder, inner)
    return target


def info(tmp_path: Path, *charts: dict[str, Any]) -> dict[str, Any]:
    arguments = {"charts": list(charts), "repo_url": REPO, "cache": str(tmp_path / "cache")}
    return run_module("falco_chart_info", arguments)


CARRIED = {"name": "falcosidekick"}


def test_a_directory_and_what_it_carries(tmp_path: Path, falco: Path) -> None:
    found = info(tmp_path, {"name": "falco", "ref": str(falco)}, CARRIED)
    assert found["missing"] == []
    about = found["charts"]["falco"]
    assert (about["path"], about["name"], about["version"], about["app_version"]) == (str(falco), "falco", "9.1.0", "7")
    assert found["charts"]["falcosidekick"]["path"] == str(falco / "charts" / "falcosidekick")
    assert not (tmp_path / "cache").exists()


def test_the_digest_is_that_of_the_check(tmp_path: Path, falco: Path) -> None:
    found = info(tmp_path, {"name": "falco", "ref": str(falco)})
    checked = run_module("falco_chart_check", {"path": str(falco)})
    assert found["charts"]["falco"]["digest"] == checked["chart"]["digest"]


def test_a_chart_that_is_not_in_the_cache_is_told_with_its_place(tmp_path: Path, falco: Path) -> None:
    wanted = {"name": "falco", "ref": "charts/falco", "version": "9.1.0"}
    folder = tmp_path / "cache" / hashlib.sha256(f"{REPO}charts/falco".encode()).hexdigest()[:12]
    found = info(tmp_path, wanted, CARRIED)
    assert found["charts"] == {}
    assert found["missing"] == [{"ref": "charts/falco", "version": "9.1.0", "directory": str(folder)}]
    pack(falco, folder / "falco-9.1.0.tgz")
    found = info(tmp_path, wanted, CARRIED)
    assert (found["missing"], sorted(found["charts"])) == ([], ["falco", "falcosidekick"])


@pytest.mark.parametrize("form", ["directory", "archive"])
def test_a_carried_chart_is_unpacked_once(tmp_path: Path, falco: Path, form: str) -> None:
    if form == "archive":
        inner = falco / "charts" / "falcosidekick"
        pack(inner, falco / "charts" / "falcosidekick-0.12.1.tgz", "falcosidekick")
        for file in inner.iterdir():
            file.unlink()
        inner.rmdir()
    wanted = {"name": "falco", "ref": str(pack(falco, tmp_path / "falco.tgz"))}
    path = Path(info(tmp_path, wanted, CARRIED)["charts"]["falcosidekick"]["path"])
    assert path.parent.parent == tmp_path / "cache"
    assert sorted(file.name for file in path.parent.iterdir()) == ["falcosidekick"]
    assert (path / "Chart.yaml").read_text().startswith("name: falcosidekick")
    (path / "mark").touch()
    assert info(tmp_path, wanted, CARRIED)["charts"]["falcosidekick"]["path"] == str(path)
    assert (path / "mark").exists()


def test_half_an_unpacked_chart_is_unpacked_again(tmp_path: Path, falco: Path) -> None:
    wanted = {"name": "falco", "ref": str(pack(falco, tmp_path / "falco.tgz"))}
    path = Path(info(tmp_path, wanted, CARRIED)["charts"]["falcosidekick"]["path"])
    (path / "Chart.yaml").unlink()
    (path / "left").touch()
    assert info(tmp_path, wanted, CARRIED)["charts"]["falcosidekick"]["version"] == "0.12.1"
    assert not (path / "left").exists()


def test_a_file_outside_of_a_chart_is_refused(tmp_path: Path, falco: Path) -> None:
    target = pack(falco, tmp_path / "falco.tar")
    with tarfile.open(target, "w:gz") as archive:
        archive.add(falco, "falco")
        entry = tarfile.TarInfo("falco/charts/falcosidekick/../../../../planted")
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b"x"))
    told = info(tmp_path, {"name": "falco", "ref": str(target)}, CARRIED)["msg"]
    assert "has a file outside of itself" in told
    assert not list(tmp_path.rglob("planted"))


@pytest.mark.parametrize(
    ("chart", "told"),
    [
        ({"ref": "/no/chart"}, "falco_chart_ref: there is no /no/chart on the controller."),
        ({"ref": "falco", "version": "9"}, 'falco_chart_version is "9". A chart from a repository needs an exact'),
        (
            {"ref": "falco"},
            'falco_chart_version is "". A chart from a repository needs an exact version such as 9.1',
        ),
        ({}, "needs a ref, or a chart before it"),
    ],
)
def test_a_chart_that_cannot_be_had(tmp_path: Path, chart: dict[str, Any], told: str) -> None:
    asked = {"name": "falco", "variable": "falco_chart", "example": "9.1.0", **chart}
    assert told in info(tmp_path, asked)["msg"]


def test_a_chart_that_carries_none_is_told_with_what_to_do(tmp_path: Path) -> None:
    chart = write_chart(tmp_path / "falco", "falco")
    for ref in (chart, pack(chart, tmp_path / "falco.tgz")):
        told = info(tmp_path, {"name": "falco", "ref": str(ref)}, CARRIED)["msg"]
        assert "carries no chart falcosidekick in charts/. Name one in falco_sidekick_chart_ref" in told
