"""apt's mirror: reached or not, with or without the suite that the nodes are made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.debian import Mirror
from sandbox.errors import SandboxError
from tools.diagnosis import mirrors
from tools.diagnosis.mirrors import Answer, Answers, ask, judge, reason

PREFERRED = Mirror("http://mirror.test/debian", "bookworm", ("main",))
OWN = Mirror("http://mirror.test/debian", "trixie", ("main",))


def test_a_mirror_with_the_suite_is_good() -> None:
    (finding,) = judge(Answers((Answer(PREFERRED), Answer(OWN))), cached=False)
    assert (finding.level, finding.what) == ("ok", "apt's mirror http://mirror.test/debian has bookworm")


def test_a_mirror_with_another_suite_alone_will_do() -> None:
    (finding,) = judge(Answers((Answer(PREFERRED, "404 Not Found"), Answer(OWN))), cached=False)
    assert finding.level == "note"
    assert finding.what == "apt's mirror http://mirror.test/debian has trixie, but not bookworm: 404 Not Found"


@pytest.mark.parametrize(("cached", "level"), [(False, "error"), (True, "note")])
def test_a_mirror_that_is_away_matters_unless_all_is_there(cached: bool, level: str) -> None:
    (finding,) = judge(Answers((Answer(PREFERRED, "Could not connect"),)), cached=cached)
    assert finding.level == level
    assert finding.what == "apt's mirror: bookworm: Could not connect"
    assert "sources.list.d" in finding.advice
    assert ("in the cache" in finding.advice) is cached


@pytest.mark.parametrize(("cached", "level"), [(False, "error"), (True, "note")])
def test_apt_without_a_source_is_told(cached: bool, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> list[Mirror]:
        raise SandboxError("apt has no source for component main of trixie", "see /etc/apt")

    monkeypatch.setattr(mirrors, "find_mirrors", none)
    (finding,) = judge(mirrors.gather(), cached=cached)
    assert (finding.level, finding.what) == (level, "apt has no source for component main of trixie")
    assert finding.advice.endswith("see /etc/apt")


def helper(folder: Path, text: str) -> Path:
    path = folder / "apt-helper"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_apts_own_client_is_asked_for_the_suites_index(tmp_path: Path) -> None:
    program = helper(tmp_path, f'echo "$@" > {tmp_path}/asked')
    assert ask(PREFERRED, program) == Answer(PREFERRED)
    words = (tmp_path / "asked").read_text().split()
    assert words[words.index("download-file") + 1] == "http://mirror.test/debian/dists/bookworm/InRelease"


def test_its_words_become_the_reason(tmp_path: Path) -> None:
    said = "E: Failed to fetch http://m/InRelease  404  Not Found [IP: 192.0.2.1 80]"
    program = helper(tmp_path, f"echo 'W: unsandboxed' >&2; echo '{said}' >&2; exit 100")
    assert ask(PREFERRED, program).problem == "http://m/InRelease 404 Not Found [IP: 192.0.2.1 80]"
    assert ask(PREFERRED, tmp_path / "none").problem.startswith(f"{tmp_path}/none is not installed")
    assert reason("") == "no reason given"
