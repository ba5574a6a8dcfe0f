"""What is unpacked stays in its folder, with the data filter of newer Pythons and without it."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from tools.archives import unpack


@pytest.fixture(params=["with the filter", "without"])
def filtered(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.delattr(tarfile, "data_filter", raising=False)


def packed(*members: tarfile.TarInfo) -> tarfile.TarFile:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member in members:
            content = b"x" if member.isfile() else b""
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    buffer.seek(0)
    return tarfile.open(fileobj=buffer)


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


@pytest.mark.usefixtures("filtered")
def test_files_and_links_within_the_folder(tmp_path: Path) -> None:
    with packed(member("a/b"), member("a/link", tarfile.SYMTYPE, "b")) as archive:
        unpack(archive, tmp_path)
    assert (tmp_path / "a" / "link").read_text() == "x"


@pytest.mark.usefixtures("filtered")
@pytest.mark.parametrize(
    "bad",
    [
        member("../outside"),
        member("a/../../outside"),
        member("link", tarfile.SYMTYPE, "../outside"),
        member("hard", tarfile.LNKTYPE, "../outside"),
        member("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda one: one.name,
)
def test_nothing_lands_outside(tmp_path: Path, bad: tarfile.TarInfo) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with packed(bad) as archive, pytest.raises(tarfile.TarError):
        unpack(archive, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert list(folder.iterdir()) == []
