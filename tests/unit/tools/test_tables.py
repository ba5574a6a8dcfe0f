"""The tables of module_utils are what tools/facts says, all of them, and facts are read as they stand in sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import read_facts, tables


def test_every_table_is_what_its_facts_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert tables.main(["--check"]) == 0, capsys.readouterr().err


def test_a_table_that_differs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    edited = tmp_path / "edited.py"
    edited.write_text("by hand")
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    monkeypatch.setattr(tables, "all_texts", lambda: {edited: "by tool", tmp_path / "missing.py": ""})
    assert tables.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert "edited.py is not what tools/facts says" in told
    assert "missing.py" in told
    assert edited.read_text() == "by hand"
    assert tables.main([]) == 0
    assert edited.read_text() == "by tool"


def test_what_says_that_a_tool_made_it_is_checked() -> None:
    made = {
        path
        for path in tables.UTILS.rglob("*.py")
        if "by tools/tables.py; do not edit" in path.read_text(encoding="utf-8")[:600].lower()
    }
    assert made == set(tables.all_texts())


def test_an_event_table_is_read(tmp_path: Path) -> None:
    driver = tmp_path / "driver"
    driver.mkdir()
    (driver / "ppm_events_public.h").write_text("PPME_A_E = 0,\nPPME_A_X = 1,\n")
    (driver / "event_table.c").write_text(
        '/* [PPME_Z] = {"z" */ [PPME_A_E] = {"a", EC_X, 0, 1, {{"name", PT_FSPATH, PF_NA}}},\n'
        '[PPME_A_X] = {"a", EC_X, 0, 2, {{"res", PT_ERRNO, PF_DEC},\n {"fd", PT_FD, PF_DEC}}},\n'
    )
    assert list(read_facts.events(tmp_path)) == [
        ("code", "name", "parameters"),
        ("0", "a", "name:fspath"),
        ("1", "a", "res:errno fd:fd"),
    ]


def test_the_keys_of_a_schema_are_read(tmp_path: Path) -> None:
    schema = tmp_path / "schema.h"
    schema.write_text(
        'const char s[] = LONG_STRING_CONST(\n{"definitions": {"FalcoConfig": {"properties": {"a": {"$ref": "#/A"},'
        ' "b": {"type": "string"}}}, "A": {"type": "object", "properties": {"c": {"type": "boolean"}}}}}\n);\n'
    )
    assert list(read_facts.config_keys(schema)) == [("key", "type"), ("a.c", "boolean"), ("b", "string")]


def test_the_settings_of_outputs_are_read(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "Chart.yaml").write_text("version: 1.2.3\n")
    (tmp_path / "templates" / "secrets.yaml").write_text(
        '  SLACK_WEBHOOKURL: "{{ .Values.config.slack.webhookurl | b64enc }}"\n'
        '  AWS_SQS_URL: "{{ .Values.config.aws.sqs.url | b64enc }}"\n'
    )
    assert list(read_facts.outputs(tmp_path)) == [
        ("output", "setting", "variable", "chart"),
        ("aws", "sqs.url", "AWS_SQS_URL", "1.2.3"),
        ("slack", "webhookurl", "SLACK_WEBHOOKURL", "1.2.3"),
    ]


def test_the_front_door_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert read_facts.main(["nonsense"]) == 2
    assert "Usage" in capsys.readouterr().err
