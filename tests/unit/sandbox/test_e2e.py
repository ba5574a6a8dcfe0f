"""Choosing and reading Kubernetes' NetworkPolicy specs."""

from __future__ import annotations

import argparse
import io
import re

import pytest

from sandbox import e2e


def spec(text: str, state: str = "passed", **more: object) -> dict[str, object]:
    hierarchy = ["[sig-network] Netpol", "NetworkPolicy between server and client"]
    return {"LeafNodeType": "It", "ContainerHierarchyTexts": hierarchy, "LeafNodeText": text, "State": state, **more}


def test_report_leaves_out_what_did_not_run() -> None:
    report = {
        "SpecReports": [
            spec("should deny", RunTime=2_500_000_000),
            spec("should allow", "failed", Failure={"Message": "had no connectivity"}),
            spec("other", "skipped"),
            {"LeafNodeType": "BeforeSuite", "State": "passed", "LeafNodeText": ""},
        ]
    }
    results = e2e.read_report([report, {}])
    assert [(result.passed, result.seconds, result.detail) for result in results] == [
        (True, 2.5, ""),
        (False, 0, "had no connectivity"),
    ]
    assert results[0].name == "[sig-network] Netpol NetworkPolicy between server and client should deny"


def test_progress_tells_the_end_of_each_spec() -> None:
    output = [
        "Will run 2 of 6895 specs\n",
        "------------------------------\n",
        "  STEP: Creating a namespace\n",
        "• [12.345 seconds]\n",
        "• [FAILED] [61.000 seconds]\n",
        "Ran 2 of 6895 Specs in 73.4 seconds\n",
    ]
    sink = io.StringIO()
    told = list(e2e.progress(e2e.copied(output, sink)))
    assert told == ["spec 1 of 2: passed after 12 s", "spec 2 of 2: FAILED after 61 s"]
    assert sink.getvalue() == "".join(output)


def test_focus_chooses_by_part_of_the_name_and_takes_its_signs_literally() -> None:
    focus = e2e.focus_for(["Ports [Feature:NetworkPolicy]", "a 'default-deny-all' policy"])
    # Go's syntax has no escaped space.
    assert "\\ " not in focus
    assert re.search(focus, "[sig-network] Netpol x should enforce policy based on Ports [Feature:NetworkPolicy]")
    assert re.search(focus, "[sig-network] Netpol should support a 'default-deny-all' policy")
    assert not re.search(focus, "[sig-network] Netpol should enforce policy based on Ports F")
    assert not re.search(focus, "[sig-network] Services Ports [Feature:NetworkPolicy]")


def test_default_is_at_least_eight_specs_and_without_other_protocols() -> None:
    assert len(e2e.DEFAULT_SPECS) >= 8
    assert re.search(e2e.OTHER_PROTOCOLS, "NetworkPolicy between server and client using UDP should enforce")
    assert re.search(e2e.SKIP, "[Feature:SCTPConnectivity]")


def test_choices_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    e2e.add_arguments(parser)
    assert parser.parse_args(["--spec", "a", "--spec", "b"]).spec == ["a", "b"]
    with pytest.raises(SystemExit):
        parser.parse_args(["--all", "--list"])
    assert "not allowed" in capsys.readouterr().err
