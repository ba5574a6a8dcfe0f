"""The report's forms: headline, views, Markdown, metrics, page; and text that an attacker wrote in each of them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from ansible.template import Templar
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.falconet.k8s.plugins.filter.evidence import (
    evidence_history,
    evidence_report,
    evidence_views,
)
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.markdown import markdown
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.metrics import metrics
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.report import report
from hypothesis import given
from hypothesis import strategies as st

from .cases import respond
from .test_report import ABOUT, check

ROOT = Path(__file__).resolve().parents[3]
HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)> | `x` **b** [a](javascript:b) \\ \n # h {{ 7*7 }}"


def alert(place: str, latency: int | None, status: str = "passed", subject: str = "shell") -> dict[str, Any]:
    data = {"place": place, "latency_ms": latency, "text": "x"}
    return check(status, "verify", code="alert", check=f"Alert arrives at {place}", subject=subject, data=data)


def flow(name: str, *rows: tuple[str, str, str, str], status: str = "passed") -> dict[str, Any]:
    connections = [
        {"from": source, "to": target, "port": 80, "protocol": "TCP", "expected": expected, "status": verdict}
        for source, target, expected, verdict in rows
    ]
    return check(status, "network_policies", code="flow", subject=name, data={"connections": connections})


@pytest.mark.parametrize(
    ("statuses", "sentence"),
    [
        ([], "Nothing is proven on production: no check passed."),
        (["skipped"], "Nothing is proven on production: no check passed."),
        (["passed"], "Proven on production: 1 check passed."),
        (["passed", "skipped"], "Proven on production: 1 check passed, 1 was skipped."),
        (["passed", "failed"], "Not proven on production: 1 of 2 checks failed. First: It holds (a)."),
        (["failed", "skipped"], "Not proven on production: 1 of 2 checks failed, 1 was skipped. First: It holds (a)."),
    ],
)
def test_the_verdict_is_one_sentence(statuses: list[str], sentence: str) -> None:
    assert report([check(status) for status in statuses], **ABOUT)["headline"] == sentence


def test_alerts_are_seen_by_trigger_and_destination() -> None:
    checks = [alert("Falco's log", 40), alert("slack", 80), alert("slack", None, "failed", "cat")]
    seen = evidence_views({"checks": checks})["alerts"]
    assert seen["places"] == ["Falco's log", "slack"]
    assert seen["longest_ms"] == 80
    cells = {one["subject"]: one["cells"] for one in seen["triggers"]}
    assert {place: (cell["latency_ms"], cell["marks"][0]["share"]) for place, cell in cells["shell"].items()} == {
        "Falco's log": (40, 50),
        "slack": (80, 100),
    }
    assert (cells["cat"]["slack"]["status"], cells["cat"]["slack"]["latency_ms"]) == ("failed", None)


def test_each_node_has_its_mark_on_one_axis() -> None:
    check = alert("slack", 80)
    check["data"]["nodes"] = [{"node": "a", "latency_ms": 20.2}, {"node": "b", "latency_ms": 80}, {"node": "c"}]
    seen = evidence_views({"checks": [check, alert("slack", None, "failed", "cat")]})["alerts"]
    shell, cat = seen["triggers"]
    assert shell["nodes"] == 3
    marks = [{"node": "a", "latency_ms": 20, "share": 25}, {"node": "b", "latency_ms": 80, "share": 100}]
    assert shell["cells"]["slack"]["marks"] == marks
    assert cat["cells"]["slack"]["marks"] == []


def test_what_did_not_pass_has_no_latency_and_no_mark() -> None:
    late = alert("slack", 9000, "failed")
    late["data"]["nodes"] = [{"node": "a", "latency_ms": 9000}]
    seen = evidence_views({"checks": [late, alert("webui", 0)]})["alerts"]
    (row,) = seen["triggers"]
    assert (row["cells"]["slack"]["latency_ms"], row["cells"]["slack"]["marks"]) == (None, [])
    assert row["cells"]["webui"]["marks"] == [{"node": "", "latency_ms": 0, "share": 0}]
    assert seen["longest_ms"] == 0


def test_a_node_that_is_slower_than_its_check_says_stays_on_the_axis() -> None:
    slow = alert("slack", 80)
    slow["data"]["nodes"] = [{"node": "a", "latency_ms": 200}]
    (row,) = evidence_views({"checks": [slow]})["alerts"]["triggers"]
    assert row["cells"]["slack"]["marks"] == [{"node": "a", "latency_ms": 200, "share": 100}]


def test_a_check_that_names_no_place_stands_under_its_sentence() -> None:
    seen = evidence_views({"checks": [check(stage="verify", code="alert", check="Alert arrives")]})["alerts"]
    assert seen["places"] == ["Alert arrives"]
    assert seen["longest_ms"] == 0


def test_the_map_shows_what_flows_ask_for_alone() -> None:
    other = {**flow("f", ("a", "b", "allowed", "met")), "stage": "falco"}
    compared = {**flow("f", ("a", "b", "allowed", "met")), "code": "agreement"}
    assert evidence_views({"checks": [other, compared]})["connections"]["targets"] == []


def test_connections_are_seen_as_a_map_and_the_worst_of_a_cell_counts() -> None:
    checks = [
        flow("web", ("a", "b", "allowed", "met"), ("c", "b", "denied", "met")),
        flow("other", ("a", "b", "allowed", "violated"), status="failed"),
        flow("odd", ("c", "d", "allowed", "no such verdict"), status="skipped"),
        flow("twice", ("e", "b", "allowed", "met"), ("e", "b", "allowed", "unproven"), ("e", "b", "allowed", "met")),
    ]
    seen = evidence_views({"checks": checks})["connections"]
    assert seen["targets"] == ["b 80/TCP", "d 80/TCP"]
    rows = {one["name"]: one["cells"] for one in seen["sources"]}
    assert rows["a"] == {"b 80/TCP": {"expected": "allowed", "status": "violated", "flows": ["web", "other"]}}
    assert rows["e"] == {"b 80/TCP": {"expected": "allowed", "status": "unproven", "flows": ["twice"]}}
    assert {target: cell["status"] for target, cell in rows["c"].items()} == {"b 80/TCP": "met", "d 80/TCP": "unproven"}


def test_metrics_are_what_prometheus_reads() -> None:
    made = report([check(), check("failed", subject="b"), alert("slack", 1500)], **{**ABOUT, "cluster": 'a"\\b\nc'})
    lines = metrics(made).splitlines()
    assert 'falconet_proof_passed{cluster="a\\"\\\\b\\nc"} 0' in lines
    assert 'falconet_proof_timestamp_seconds{cluster="a\\"\\\\b\\nc"} 1795723200' in lines
    assert 'falconet_proof_checks{cluster="a\\"\\\\b\\nc",stage="falco",status="failed"} 1' in lines
    assert lines[-1].endswith('trigger="shell",destination="slack"} 1.5')
    named = [line.split("{")[0] for line in lines if not line.startswith("#")]
    assert set(named) == {line.split()[2] for line in lines if line.startswith("# TYPE")}


def test_a_ticket_gets_the_verdict_and_what_failed() -> None:
    before = json.dumps(report([check(subject="b")], **ABOUT))
    checks = [check(), check("failed", subject="b", detail="no pod"), check("skipped", subject="c", detail="off")]
    told = markdown(report(checks, **ABOUT, previous=before, notes=["a stand-in"]))
    assert told.startswith("## Not proven on production: 1 of 3 checks failed, 1 was skipped.")
    assert "| Falco runs on every node | 1 | 1 | 1 |" in told
    assert "### Failed\n\n- It holds (`b`): no pod\n" in told
    assert "- passed → failed: It holds (`b`): no pod" in told
    assert "> a stand\\-in" in told


def test_a_ticket_can_be_made_of_a_report_that_tells_of_no_response() -> None:
    made = report([check()], **ABOUT)
    whole_text = markdown(made)
    assert markdown({**made, "contained": {}}) == whole_text
    del made["contained"]
    assert markdown(made) == whole_text


def test_a_ticket_is_no_report() -> None:
    told = markdown(report([check("failed", subject=f"s{number}") for number in range(50)], **ABOUT))
    assert told.count("- It holds") == 20
    assert "- and 30 more" in told


@given(st.text() | st.just(HOSTILE))
def test_markdown_of_hostile_text_has_no_markup(text: str) -> None:
    made = report([check("failed", detail=text, subject=f"x{text}", check=text)], **ABOUT, notes=[text])
    harmless = report([check("failed", detail="y", subject="xy", check="y")], **ABOUT, notes=["y"])
    assert _markup(markdown(made)) == _markup(markdown(harmless))


def _markup(text: str) -> list[list[str]]:
    """What stays of each line when escaped characters, code and words are gone: the marks of the form itself."""
    lines = [re.sub(r"\\[^a-zA-Z0-9\s]|(`+)(?!`).*?(?<!`)\1(?!`)", "", line) for line in text.split("\n")]
    return [re.findall(r"[\\`*_{}\[\]<>()#+!|~&@-]", line) for line in lines]


def _elements(html: str) -> list[tuple[str, list[tuple[str, str | None]]]]:
    found: list[tuple[str, list[tuple[str, str | None]]]] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            # Text that only names: what it would break out of is seen by what comes after it.
            found.append((tag, [(name, None if name in ("title", "data-place") else value) for name, value in attrs]))

    parser = Parser()
    parser.feed(html)
    parser.close()
    return found


def page(made: dict[str, Any], name: str = "report") -> str:
    """The role's page of this report, or of what changed from a report to it."""
    text = (ROOT / "roles" / "verify" / "templates" / f"{name}.html.j2").read_text()
    reports = evidence_history([json.dumps({**made, "time": "2026-11-25T20:00:00Z"}), "no report"], made)
    # What modules return is never a template, and neither is what is made of it: before 2.19 by this mark.
    variables = {
        "__verify_report": wrap_var(made),
        "__verify_views": wrap_var(evidence_views(made)),
        "__verify_reports": wrap_var(reports),
    }
    return str(Templar(loader=None, variables=variables).template(_trusted(text)))


def _trusted(text: str) -> str:
    try:
        from ansible.template import trust_as_template  # since ansible-core 2.19
    except ImportError:
        return text
    trusted: str = trust_as_template(text)
    return trusted


def contained(text: str) -> list[dict[str, Any]]:
    """A fire drill, an incident, and a pod in quarantine."""
    row = {"at": text, "what": text, "detail": text, "seconds": 1.5, "took": None}
    held = respond.held(namespace=text, pod=text, since=text, until=text, by=text, reason=text, alert=text)
    drill = {"subject": text, "node": text, "pod": text, "timeline": [row]}
    incident = {"directory": text, "archive": text, "held": {"until": text}, "timeline": [row]}
    return [
        check(stage="respond", code="removed", data=drill),
        check(stage="respond", code="incident", subject=text, data={"incident": incident}),
        check(stage="respond", code="quarantines", data={"quarantines": [held]}),
    ]


def test_the_fire_drill_incidents_and_who_is_held_stand_in_page_and_summary() -> None:
    made = report(contained("held-pod"), **ABOUT)
    for text in (page(made), markdown(made)):
        assert "Fire drill: held" in text
        assert "Incident: held" in text
        assert "1.500" in text
        assert "not known" in text
        assert "held-pod/held-pod" in text
    over = report(
        [check(stage="respond", code="quarantines", data={"quarantines": [respond.held(expired=True)]})], **ABOUT
    )
    assert "its time is over" in markdown(over)
    open_ended = check(stage="respond", code="quarantines", data={"quarantines": [respond.held(until="")]})
    assert "until it is released" in markdown(report([open_ended], **ABOUT))
    assert "its time is over" not in markdown(report([open_ended], **ABOUT))
    assert "U, over" in page(over)
    assert "Fire drill" not in page(over) + markdown(over)


def whole(text: str) -> dict[str, Any]:
    """A report that has this text wherever something else than this collection may have written it."""
    before = [check(subject=text, detail=text), check("failed", subject=f"gone {text}")]
    checks = [
        check("failed", subject=text, detail=text),
        alert(text, 5, subject=text),
        alert("slack", None, "failed", subject=f"{text}2"),
        flow(text, (text, f"{text}2", "allowed", "met"), (f"{text}3", text, "denied", "violated")),
        check("skipped", subject=f"{text}3", detail=text),
        check(
            code="nodes", data={"pods": [{"node": text, "name": text, "process": {"version": text, "driver": text}}]}
        ),
        check(stage="falco_rules", code="loaded", data={"pods": [{"node": text, "digests": {text: text}}]}),
        check(code="images", data={"images": {text: {text: text}}, "running": {text: {text: [text]}}}),
        *contained(text),
    ]
    rules = {text: {"enabled": True, "tags": ["T1059", "mitre_execution"]}, "r": {"enabled": True, "tags": ["T1059"]}}
    checks.append(alert("slack", 7, subject=f"r, {text}"))
    node = {"metadata": {"name": text}, "status": {"nodeInfo": {"osImage": text, "kernelVersion": text}}}
    about = {**ABOUT, "cluster": text or "x", "notes": [text], "nodes": [node]}
    previous = json.dumps(report(before, **{**ABOUT, "cluster": text or "x"}))
    return evidence_report(checks, **about, previous=previous, observed={"rules": rules})


def test_the_page_shows_what_is_known() -> None:
    shown = page(whole("known"))
    for part in ("Not proven on known", "Since the report of", "5 ms", "not as declared", "Connections that were"):
        assert part in shown
    for title in (
        "MITRE ATT&amp;CK",
        "What was skipped",
        "Falco, by node",
        "Images that run",
    ):
        assert f"<h2>{title}" in shown
    assert "<td>T1059</td>" in shown
    assert page(report([check()], **ABOUT)).count("<h2>") == 2  # the stage and the nodes, nothing that was not asked


def test_the_page_of_differences_tells_of_each_report() -> None:
    shown = page(whole("known"), "differences")
    assert "2 reports are kept" in shown
    assert [shown.count(f"{day} 20:00:00 UTC") for day in ("2026-11-26", "2026-11-25")] == [1, 1]
    assert "new: failed" in shown
    assert "There was no report before it" in page(report([check()], **ABOUT), "differences")


@pytest.mark.parametrize("name", ["report", "differences"])
def test_a_page_of_hostile_text_has_the_elements_of_a_harmless_one(name: str) -> None:
    assert _elements(page(whole(HOSTILE), name)) == _elements(page(whole("harmless"), name))
    assert "49" not in page(whole(HOSTILE), name).split("<body>")[1]


@pytest.mark.parametrize("name", ["report", "differences"])
def test_nothing_is_fetched_from_elsewhere(name: str) -> None:
    for tag, attributes in _elements(page(whole("x"), name)):
        assert tag not in ("script", "link", "img", "iframe")
        assert not {name for name, _value in attributes} & {"src", "href"}


@pytest.mark.parametrize("name", ["report", "differences"])
def test_a_table_says_on_each_printed_page_what_its_columns_are(name: str) -> None:
    text = page(whole("x"), name)
    # Browsers repeat a head on each page, and a first row like any other they do not.
    assert text.count("<table") == text.count("<thead><tr><th>") > 0
    assert "tbody tr:first-child { break-before: avoid }" in text
