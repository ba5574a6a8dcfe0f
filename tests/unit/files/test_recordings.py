"""Recorded events: rotated and packed files in order, lines that were cut off, what is damaged."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from plugins.module_utils.falco.errors import FalcoError
from plugins.module_utils.files.recordings import Recording


def test_rotated_parts_come_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "audit.log").write_bytes(b'{"n": 4}\n')
    (tmp_path / "audit-2026-03-02T10-00-00.000.log").write_bytes(b'{"n": 3}\n')
    packed = tmp_path / "audit-2026-03-01T10-00-00.000.log.gz"
    packed.write_bytes(gzip.compress(b'{"n": 1}\n{"n": 2}\n'))
    (tmp_path / "notes.txt").write_text("no event")
    recording = Recording(str(tmp_path))
    assert list(recording.lines()) == [b'{"n": 1}\n', b'{"n": 2}\n', b'{"n": 3}\n', b'{"n": 4}\n']
    assert [(Path(str(part["file"])).name, part["line"]) for part in recording.parts] == [
        (packed.name, 1),
        ("audit-2026-03-02T10-00-00.000.log", 3),
        ("audit.log", 4),
    ]


def test_a_line_that_was_cut_off_is_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "audit-2026-03-02T10-00-00.000.log").write_bytes(b'{"n": 1}\n{"n": 2')
    (tmp_path / "audit.log").write_bytes(b'{"n": 3}\n{"n": 4}')
    recording = Recording(str(tmp_path))
    assert list(recording.lines()) == [b'{"n": 1}\n', b"", b'{"n": 3}\n', b'{"n": 4}']
    assert recording.torn == [2]


def test_one_file_that_is_no_json_at_all_is_not_taken_for_torn(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b"rules: []")
    recording = Recording(str(tmp_path / "events.jsonl"))
    assert list(recording.lines()) == [b"rules: []"]
    assert recording.torn == []


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(FalcoError, match=r"the directory has no \*\.log"):
        Recording(str(tmp_path))
    (tmp_path / "audit.log.gz").write_bytes(gzip.compress(b'{"n": 1}\n' * 1000)[:-20])
    with pytest.raises(FalcoError, match=r"audit\.log\.gz: damaged after line \d+: "):
        list(Recording(str(tmp_path)).lines())
    (tmp_path / "audit.log.gz").write_bytes(b"no gzip")
    with pytest.raises(FalcoError, match=r"damaged after line 0: Not a gzipped file"):
        list(Recording(str(tmp_path)).lines())
