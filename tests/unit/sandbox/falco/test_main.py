"""The command line: what ends at once, in which words and with which code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sandbox.standins.falco.__main__ import main

from .setting import configured, rule


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    try:
        code = main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    told = capsys.readouterr()
    return code, told.out, told.err


def test_it_says_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    for option, begins in (
        ("--version", "Falco version: 0.44.0+standin\nEngine:        0.63.0\n"),
        ("-h", "usage: falco"),
    ):
        code, out, _ = run(capsys, option)
        assert code == 0
        assert out.startswith(begins)
        assert "STAND-IN" in out


def test_an_option_that_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "--nosuch")
    assert code == 1
    assert "--nosuch" in err


def test_names_of_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configured(tmp_path)
    (tmp_path / "other.yaml").write_text(rule("Other", "evt.type = open"))
    config = ("-c", str(tmp_path / "falco.yaml"))
    assert run(capsys, *config, "-L")[:2] == (0, "Shell\nRead\n")
    assert run(capsys, *config, "-L", "-r", str(tmp_path / "other.yaml"))[:2] == (0, "Other\n")


def test_verdicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configured(tmp_path)
    config = ("-c", str(tmp_path / "falco.yaml"))
    good, bad = tmp_path / "falco_rules.yaml", tmp_path / "bad.yaml"
    bad.write_text(rule("Bad", "nosuch"))
    code, out, err = run(capsys, *config, "-o", "json_output=false", "-V", str(good))
    assert (code, out) == (0, f"{good}: Ok\n")
    assert err.endswith(f"Validating rules file(s):\n   {good}\n")
    code, out, err = run(capsys, *config, "-V", str(good), "-V", str(bad))
    assert code == 1
    results = json.loads(out)["falco_load_results"]
    assert [(one["name"], one["successful"]) for one in results] == [(str(good), True), (str(bad), False)]
    assert results[1]["errors"][0]["code"] == "LOAD_ERR_VALIDATE"
    assert f"{bad}: Invalid" in err
    code, _, err = run(capsys, *config, "-V", str(tmp_path / "absent.yaml"))
    assert code == 1
    assert err.endswith(f"Error: could not open file {tmp_path}/absent.yaml for reading\n")


def test_a_configuration_that_is_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "-c", str(tmp_path / "falco.yaml"))
    assert code == 1
    assert "Error: " in err
