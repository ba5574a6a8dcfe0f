"""An audit of the locks passes only where a database answered for every package; what mends what is known is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tools import audit
from tools.audit import Accepted, Answer, Known

HERE = "api.osv.dev"
OLD = Known("requests==2.30.0", "PYSEC-2023-74", ("CVE-2023-32681",), ("2.31.0",))
NEVER = Known("ansible==12.3.0", "PYSEC-2020-220", ("CVE-2020-25635",), ())
SAID = {
    "dependencies": [
        {"name": "idna", "version": "3.20", "vulns": []},
        {
            "name": "requests",
            "version": "2.30.0",
            "vulns": [{"id": "PYSEC-2023-74", "fix_versions": ["2.31.0"], "aliases": ["CVE-2023-32681"]}],
        },
        {"name": "six", "skip_reason": "Dependency not found on PyPI and could not be audited: six (1.17.0)"},
    ],
    "fixes": [],
}


def test_each_version_is_asked_for_once_and_each_name_once_in_a_file() -> None:
    wanted = audit.files(["a==1 \\\n    --hash=sha256:0\nb==1 ; sys_platform == 'win32' \\\n", "a==2\nB==1\n"])
    assert wanted == ["a==1\nb==1\n", "a==2\n"]


def test_what_pip_audit_says_is_read() -> None:
    assert audit.read(json.dumps(SAID), "", {"six": "1.17.0"}) == Answer((OLD,), ("six==1.17.0",))


@pytest.mark.parametrize(
    ("said", "complaint", "problem"),
    [
        ("", "Traceback\n  File x\nrequests.exceptions.ConnectionError: no route\n\n", "ConnectionError: no route"),
        ("", "", "gave no answer"),
        ("[]", "odd", "odd"),
    ],
)
def test_what_is_no_answer_is_a_problem(said: str, complaint: str, problem: str) -> None:
    answer = audit.read(said, complaint, {})
    assert answer.problem.endswith(problem)
    code, lines = audit.verdict(answer, [], 9, HERE)
    assert code == audit.NOT_ASKED
    assert lines == [f"NOT AUDITED: {HERE} was not reached: {answer.problem}"]


def test_an_answer_for_some_alone_is_no_pass() -> None:
    names = tuple(f"p{number}==1" for number in range(7))
    code, lines = audit.verdict(Answer(unanswered=names), [], 9, HERE)
    assert code == audit.NOT_ASKED
    assert lines == [
        f"NOT AUDITED: {HERE} has no answer for 7 of 9: p0==1, p1==1, p2==1, p3==1, p4==1 and 2 more",
    ]


def test_what_is_known_fails_also_where_others_have_no_answer() -> None:
    code, lines = audit.verdict(Answer((OLD, NEVER), ("six==1",)), [], 9, HERE)
    assert code == audit.FOUND
    assert lines[:2] == [
        "requests==2.30.0: PYSEC-2023-74, CVE-2023-32681, mended in 2.31.0",
        "ansible==12.3.0: PYSEC-2020-220, CVE-2020-25635, mended in no version",
    ]


@pytest.mark.parametrize("advisory", ["PYSEC-2020-220", "CVE-2020-25635"])
def test_what_is_accepted_passes_with_its_reason(advisory: str) -> None:
    code, lines = audit.verdict(Answer((NEVER,)), [Accepted(advisory, "ansible", "not used")], 9, HERE)
    assert code == audit.PASSED
    assert lines[0] == f"accepted: {advisory} of ansible (not used)"


def test_what_is_accepted_of_one_package_is_not_of_another() -> None:
    other = NEVER._replace(package="ansible-core==2.19.1")
    code, _ = audit.verdict(Answer((other,)), [Accepted(NEVER.advisory, "ansible", "not used")], 9, HERE)
    assert code == audit.FOUND


def test_what_is_accepted_and_not_known_is_told() -> None:
    _, lines = audit.verdict(Answer(), [Accepted("PYSEC-1", "a", "x")], 9, HERE)
    assert lines[0] == f"PYSEC-1 of a is accepted, but {HERE} does not know it of what the locks name"


def test_answers_to_several_files_are_one() -> None:
    both = audit.joined([Answer((OLD,), ("b==1",)), Answer((NEVER, OLD), ("a==1",), "away")])
    assert both == Answer((NEVER, OLD), ("a==1", "b==1"), "away")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for pip-audit's environment; its program prints what lies beside it."""
    file = tmp_path / "bin" / "pip-audit"
    file.parent.mkdir()
    file.write_text(f'#!/bin/sh\ncat {tmp_path}/said\necho "no route to the database" >&2\nexit 1\n')
    file.chmod(0o755)
    monkeypatch.setattr(audit, "release_environment", lambda: tmp_path)
    monkeypatch.setattr(audit, "LEFT", tmp_path / "audit.json")
    return tmp_path / "said"


@pytest.mark.parametrize(("options", "code"), [([], audit.NOT_ASKED), (["--must-answer"], 1)])
def test_a_database_that_is_away_is_told_by_name(
    program: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: int
) -> None:
    program.write_text("")
    assert audit.main(options) == code
    assert "NOT AUDITED: api.osv.dev was not reached: no route to the database" in capsys.readouterr().out
    assert json.loads(audit.LEFT.read_text())["verdict"] == "not audited"


def test_what_is_known_is_left_for_other_programs(program: Path) -> None:
    program.write_text(json.dumps({"dependencies": SAID["dependencies"][:2]}))
    assert audit.main([]) == audit.FOUND
    left = json.loads(audit.LEFT.read_text())
    assert (left["verdict"], left["known"][0]["mended_in"]) == ("found", ["2.31.0"])


def test_each_accepted_advisory_has_its_reason() -> None:
    entries = [Accepted(**entry) for entry in yaml.safe_load(audit.ACCEPTED.read_text())]
    assert all(len(entry.reason) > 20 for entry in entries)
