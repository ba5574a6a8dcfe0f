"""Each stage's verdicts, for each thing that can be asked and answered."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.check import Check, EvidenceError
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.stages import STAGES, evidence

from tests.unit.evidence.cases import Case

TABLES: dict[str, list[Case]] = {
    stage: importlib.import_module(f"tests.unit.evidence.cases.{stage}").CASES for stage in STAGES
}
EVERY = [pytest.param(stage, case, id=f"{stage}: {case.name}") for stage, cases in TABLES.items() for case in cases]


def told(checks: list[dict[str, Any]], case: Case) -> str:
    """What is otherwise than the case wants; empty if nothing is."""
    verdicts = tuple((check["code"], check["status"]) for check in checks)
    if verdicts != case.verdicts:
        return f"{verdicts} instead of {case.verdicts}"
    details = "\n".join(f"{check['check']}: {check['detail']}" for check in checks) + "\n"
    return next((f"{words!r} is not said in {details!r}" for words in case.says if words not in details), "")


@pytest.mark.parametrize(("stage", "case"), EVERY)
def test_the_verdict(stage: str, case: Case) -> None:
    assert told(evidence(case.asked, stage), case) == ""


@pytest.mark.parametrize("stage", STAGES)
def test_every_verdict_of_a_stage_has_a_case(stage: str) -> None:
    assert {status for case in TABLES[stage] for _code, status in case.verdicts} >= {"passed", "failed"}


@pytest.mark.parametrize("stage", STAGES)
def test_what_was_not_asked_is_an_error(stage: str) -> None:
    good = TABLES[stage][0].asked
    silent = []
    for name in good:
        try:
            evidence({key: value for key, value in good.items() if key != name}, stage)
        except EvidenceError as error:
            assert name in str(error)
        else:
            silent.append(name)
    # Read only where another answer makes them matter.
    assert set(silent) <= {
        "stopped_at",
        "read_only",
        "chrony",
        "node_selector",
        "base_used",
        "base_digests",
        "base_remark",
        "charts",
        "images",
        "image_of",
        "probe",
    }


@pytest.mark.parametrize("asked", [None, [], "text"])
def test_something_else_than_a_mapping_is_an_error(asked: object) -> None:
    with pytest.raises(EvidenceError, match="must be a mapping"):
        evidence(asked, "falco")


def test_an_unknown_stage_names_those_that_there_are() -> None:
    with pytest.raises(EvidenceError, match="'falko' is no stage; those are node_prep, falco"):
        evidence({}, "falko")


@pytest.mark.parametrize(("status", "subject"), [("ok", "x"), ("passed", " ")])
def test_a_check_has_a_verdict_and_a_subject(status: str, subject: str) -> None:
    with pytest.raises(EvidenceError):
        Check("code", "Something is true", subject, status, "")
