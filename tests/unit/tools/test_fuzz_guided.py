"""The driver that coverage guides, by a library that plays Atheris: none of it is installed where these tests run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.fuzz import __main__ as fuzz
from tools.fuzz import guided
from tools.fuzz.subject import Subject

TEXTS = ["kind: Pod\n", "a: 1\n"]


class Played:
    """Atheris as far as it is used: keeps what it is given, and puts the corpus and what the mutator makes of it."""

    def __init__(self) -> None:
        self.options: list[str] = []
        self.watched: list[str] = []

    @contextlib.contextmanager
    def instrument_imports(self, include: list[str]) -> Iterator[None]:
        self.watched = include
        yield

    def Setup(self, argv: list[str], one: Callable[[bytes], None], custom_mutator: Any) -> None:  # noqa: N802 - its name
        self.options, self.one, self.mutator = argv, one, custom_mutator

    def Mutate(self, data: bytes, _most: int) -> bytes:  # noqa: N802 - its name
        return data + b"\xff"

    def Fuzz(self) -> None:  # noqa: N802 - its name
        kept = [path.read_bytes() for path in sorted(Path(self.options[-1]).iterdir())]
        for seed in range(100):
            self.one(kept[seed % len(kept)] if seed < len(kept) else self.mutator(kept[seed % len(kept)], 1000, seed))


class Ended(BaseException):
    """In the place of the process' end."""


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    library = Played()
    monkeypatch.setitem(sys.modules, "atheris", library)

    def end(code: int) -> None:
        raise Ended(code)

    monkeypatch.setattr(guided, "end", end)
    return library


def run(monkeypatch: pytest.MonkeyPatch, put: Callable[[int, str, str], None], inputs: int) -> int:
    monkeypatch.setattr("tools.fuzz.subjects.SUBJECTS", {"some": lambda: Subject(TEXTS, put)})
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(Ended) as ended:
        guided.main(["some", str(inputs), "1"])
    return int(ended.value.args[0])


def test_it_begins_with_the_subjects_texts_and_damages_what_is_kept(
    played: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[int, str, str]] = []
    assert run(monkeypatch, lambda *given: seen.append(given), 40) == 0
    assert "some, guided: 40 inputs, 0 failed" in capsys.readouterr().out
    assert [text for _number, text, _whole in seen[:2]] == TEXTS
    assert len({text for _number, text, _whole in seen}) > 20
    assert any("\udcff" in text for _number, text, _whole in seen), "libFuzzer's own damages are used, too"
    assert {whole for _number, _text, whole in seen} <= set(TEXTS)
    assert played.watched == ["ansible_collections.falconet.k8s"]
    assert "-seed=1" in played.options
    assert not Path(played.options[-1]).exists()


def test_the_same_bytes_ask_the_same() -> None:
    seen: list[tuple[int, str, str]] = []
    subject = Subject(TEXTS, lambda *given: seen.append(given))
    assert guided.put(subject, b"a\xff") == guided.put(subject, b"a\xff")
    assert seen[0] == seen[1]


@pytest.mark.usefixtures("played")
def test_a_traceback_is_told_with_its_bytes_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def put(_number: int, text: str, _whole: str) -> None:
        if text == TEXTS[1]:
            raise KeyError("spec")

    assert run(monkeypatch, put, 3) == 1
    said = capsys.readouterr().out
    assert "some, guided:\nb'a: 1\\n'" in said
    assert "KeyError: 'spec'" in said
    assert "some, guided: 3 inputs, 1 failed" in said


def test_without_atheris_it_says_what_would_bring_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "atheris", None)
    assert guided.main(["some", "1", "1"]) == 2
    assert "pip install --requirement requirements/fuzz.txt" in capsys.readouterr().err


def test_it_is_one_subject_in_a_process_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[list[str]] = []

    class Done:
        returncode = 1

    def started_as(command: list[str], **_options: Any) -> Done:
        started.append(command)
        return Done()

    monkeypatch.setattr(fuzz.subprocess, "run", started_as)
    assert fuzz.main(["logs", "--guided", "--inputs", "7", "--seed", "3"]) == 1
    assert started[0][1:] == ["-m", "tools.fuzz.guided", "logs", "7", "3"]
    with pytest.raises(SystemExit):
        fuzz.main(["--guided"])
    assert "one subject" in capsys.readouterr().err
