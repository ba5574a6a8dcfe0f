"""The sensor's programs: compiled once, from the source as it is, and what stops that is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import sensor
from sandbox.errors import SandboxError
from sandbox.sensor import SOURCE, sensor_object


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sensor, "cache_root", lambda: tmp_path / "cache")
    monkeypatch.setattr(sensor, "proxy_environment", lambda: {"http_proxy": "http://p", "HOME": "/x"})
    return tmp_path / "base" / "root"


def test_it_is_compiled_once_and_again_when_the_source_changes(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "sensor.bpf.c").write_text("one")
    seen: list[tuple[str, dict[str, str]]] = []

    def compile_it(_: Path, folder: Path, __: str, *, env: dict[str, str], timeout_seconds: float) -> None:
        seen.append(((folder / "sensor.bpf.c").read_text(), env))
        (folder / "sensor.o").write_text("object")

    monkeypatch.setattr(sensor, "SOURCE", source)
    monkeypatch.setattr(sensor, "run_in_scratch", compile_it)
    first = sensor_object(root)
    assert [path.name for path in first.iterdir()] == ["sensor.o"]
    assert sensor_object(root) == first
    (source / "sensor.bpf.c").write_text("two")
    assert sensor_object(root) != first
    assert seen == [("one", {"http_proxy": "http://p"}), ("two", {"http_proxy": "http://p"})]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("E: Unable to locate package clang", "the mirror does not have clang:"),
        ("sensor.bpf.c:1:1: error: unknown type name", "unknown type name"),
    ],
)
def test_what_stops_it_is_named(root: Path, monkeypatch: pytest.MonkeyPatch, words: str, told: str) -> None:
    def fail(*_: object, **__: object) -> None:
        raise SandboxError(f"exit code 100 from: unshare\n    {words}")

    monkeypatch.setattr(sensor, "run_in_scratch", fail)
    with pytest.raises(SandboxError, match="cannot be compiled") as caught:
        sensor_object(root)
    assert told in caught.value.message


def test_kernel_and_program_agree_on_the_layout_of_a_record() -> None:
    """The sizes in front of the texts, as C lays them out, end where the Go program takes the texts to begin."""
    text = (SOURCE / "sensor.bpf.c").read_text()
    assert "enum { TEXT, BASE, TEXT2, BASE2, FILE_PATH, ADDRESS, TEXTS };" in text
    numbers = 8 * (1 + 1 + 6) + 4 * (2 + 5 + 5)
    rest = 16 + 80 + 2 * 6 + 16 + 16 + 2 * 6 + 4
    record = SOURCE.parents[1] / "go" / "standins" / "internal" / "sensor" / "record.go"
    assert f"const headBytes = {numbers + rest}\n" in record.read_text()
