"""Damaged inputs are the same again by their number, and whatever goes wrong with one is told and an exit code."""

from __future__ import annotations

import pytest

from tools.fuzz import __main__ as fuzz
from tools.fuzz import subjects

SMALL = subjects.Subject(["kind: Pod\nmetadata: {name: a}\n", "- rule: x\n  condition: evt.type = open\n"], print)


def test_an_input_is_the_same_again_and_unlike_others() -> None:
    texts = [fuzz.text_of(SMALL, 1, number)[0] for number in range(50)]
    assert texts == [fuzz.text_of(SMALL, 1, number)[0] for number in range(50)]
    assert len(set(texts)) > 40
    assert texts != [fuzz.text_of(SMALL, 2, number)[0] for number in range(50)]


@pytest.mark.parametrize("subject", subjects.SUBJECTS)
def test_a_few_inputs_end_without_a_traceback(subject: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz.main([subject, "--inputs", "15"]) == 0
    assert f"{subject}: 15 inputs, 0 failed" in capsys.readouterr().out


def test_a_traceback_is_told_with_its_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def put(number: int, _text: str, _whole: str) -> None:
        if number == 7:
            raise KeyError("spec")

    monkeypatch.setattr(fuzz, "SUBJECTS", {"manifests": lambda: SMALL._replace(put=put)})
    assert fuzz.main(["manifests", "--first", "5", "--inputs", "5"]) == 1
    said = capsys.readouterr().out
    assert "manifests 7:\n" in said
    assert "KeyError: 'spec'" in said
    assert "manifests: 5 inputs, 1 failed" in said


def test_an_input_that_hangs_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def put(_number: int, _text: str, _whole: str) -> None:
        while True:
            pass

    monkeypatch.setattr(fuzz, "SUBJECTS", {"rules": lambda: SMALL._replace(put=put)})
    monkeypatch.setattr(fuzz, "PATIENCE_SECONDS", 0.05)
    assert fuzz.main(["rules", "--inputs", "1"]) == 1
    assert "TooLongError" in capsys.readouterr().out


def test_an_unknown_subject_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        fuzz.main(["pods"])
    assert "one of manifests, rules" in capsys.readouterr().err
