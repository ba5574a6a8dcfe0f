"""A red check of audit events names its cause: faults planted in what is asked, and what the report then says."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.audit_causes import AUDIT_LINKS
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.causes import first_cause
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.views import alerts

from .cases import falco, k8s_audit
from .cases.k8s_audit import LOG, POD, SESSION, WORKLOAD, counted, matched, place
from .planted import Cluster, judged, part, sound

Plant = Callable[[Cluster], None]
SILENT = [matched(rule, arrived=False) for rule in (POD, SESSION)]
HEARD = [matched(rule) for rule in (POD, SESSION)]


def ask(**values: Any) -> Plant:
    return lambda cluster: cluster["k8s_audit"].update(values)


def rolled_out(ready: int, name: str = WORKLOAD["name"]) -> Plant:
    lame = {**WORKLOAD, "name": name, "ready": ready, "missing": [f"{name}: {ready} of 1 ready"]}
    return lambda cluster: cluster["k8s_audit"]["rollout"].update(workloads=[lame])


NOWHERE = ask(places=[place(*SILENT), place(*SILENT, name="slack")])
NOT_AT_SLACK = ask(places=[place(*HEARD), place(*SILENT, name="slack")])
SENT_NOTHING = ask(after=counted(140, {"webhook": 9}))
BAD = ask(certificate={"problem": "it holds to 2026-01-01", "until": None, "days_left": -1, "days": 3})
STRAY = ask(servers=[{"item": "cp01", "files": ["/etc/x"], "cluster_configuration": "unchanged"}])
OTHER = ask(mounted={"diff": {"before": "--- a.yaml\nx\n", "after": ""}})
OLD = ask(rollout={"workloads": [WORKLOAD], "pods": [], "missing": ["pod falco-a runs another site.yaml"]})
FAULTS: list[tuple[tuple[Plant, ...], tuple[str, str], tuple[str, ...]]] = [
    (
        (rolled_out(0), NOWHERE, SENT_NOTHING),
        ("workloads", "0 of 1 ready"),
        (
            "Falco for audit events has no ready pod",
            "because Falco did not raise it",
            "because their alerts are missing",
        ),
    ),
    ((BAD, NOWHERE, SENT_NOTHING), ("certificate", "2026-01-01"), ("certificate is not as API servers need it",)),
    (
        (STRAY, NOWHERE, ask(after=counted(100))),
        ("api_server", "/etc/x not as asked for"),
        ("the API server of cp01 is not told to send its events",),
    ),
    ((SENT_NOTHING, NOWHERE), ("handover", "could not be sent"), ("the API server did not hand events over",)),
    ((part("-falcosidekick", 0), NOT_AT_SLACK), ("workloads", "0 of 1"), ("because Falcosidekick has no ready pod",)),
    ((rolled_out(0, "x-falcosidekick"), NOT_AT_SLACK), ("workloads", "0 of 1"), ("because Falcosidekick has no",)),
    ((OTHER, OLD, NOWHERE), ("mounted", "a.yaml is not ours"), ("hold other rules", "does not run our rules")),
    (
        (ask(releases={"releases": []}), rolled_out(0), NOWHERE),
        ("release", "no deployed release"),
        ("because it is not installed",),
    ),
]


@pytest.mark.parametrize(
    ("plants", "first", "follows"), FAULTS, ids=[str(first) for _plants, first, _follows in FAULTS]
)
def test_a_fault_is_named_and_what_follows_says_so(
    plants: tuple[Plant, ...], first: tuple[str, str], follows: tuple[str, ...]
) -> None:
    cluster = sound()
    for plant in plants:
        plant(cluster)
    checks = judged(cluster)
    begin = first_cause(checks)
    assert begin["code"] == first[0]
    assert first[1] in begin["detail"]
    rest = [one for one in checks if one["status"] == "failed" and one is not begin]
    assert [one["detail"] for one in rest if "stage" not in one.get("because", {})] == []
    for words in follows:
        assert any(words in one["detail"] for one in rest), [one["detail"] for one in rest]


@pytest.mark.parametrize(
    ("plants", "words"),
    [
        ((rolled_out(1), NOWHERE), "has no ready pod"),
        ((rolled_out(0), NOT_AT_SLACK), "Falco for audit events has no ready pod"),
        ((rolled_out(0, "x-falcosidekick"), NOWHERE, SENT_NOTHING), "could not be sent to Falco, because"),
        ((part("-ui", 0), NOT_AT_SLACK), "has no ready pod"),
        ((BAD, NOT_AT_SLACK), "because the webhook"),
        ((NOT_AT_SLACK,), "because Falco did not raise it"),
    ],
)
def test_what_is_no_cause_is_not_called_one(plants: tuple[Plant, ...], words: str) -> None:
    cluster = sound()
    for plant in plants:
        plant(cluster)
    assert [one["detail"] for one in judged(cluster) if words in one["detail"]] == []


def entry(place: str | None, subject: str, **data: Any) -> dict[str, Any]:
    return {"subject": subject, "detail": "0 of 1 ready", "data": {**data, **({"place": place} if place else {})}}


def told(code: str, check: dict[str, Any], other_code: tuple[str, str], other: dict[str, Any]) -> list[str]:
    """What each link from a check's code to another's says of the two."""
    said = [link(check, other, {}) for own, of, link in AUDIT_LINKS if own == ("k8s_audit", code) and of == other_code]
    return [words for words in said if words]


@pytest.mark.parametrize(
    ("place", "subject", "other", "follows"),
    [
        ("slack", POD, entry(LOG, POD), True),
        ("slack", POD, entry(LOG, SESSION), False),
        ("slack", POD, entry("mail", POD), False),
        (LOG, POD, entry(LOG, POD), False),
    ],
)
def test_an_alert_follows_from_its_own_that_the_log_lacks(
    place: str, subject: str, other: dict[str, Any], follows: bool
) -> None:
    said = told("alert", entry(place, subject), ("k8s_audit", "alert"), other)
    assert said == ["Falco did not raise it"] * follows


@pytest.mark.parametrize(
    ("check", "other", "follows"),
    [
        (entry(LOG, "prod"), entry(LOG, f"{SESSION}, asked of the API"), True),
        (entry(LOG, "prod"), entry("slack", f"{SESSION}, asked of the API"), False),
        (entry(LOG, "prod"), entry(LOG, f"{POD}, asked of the API"), False),
        (entry(LOG, "prod", median_ms=9000), entry(LOG, f"{SESSION}, asked of the API"), False),
        ({**entry(LOG, "prod"), "data": None}, entry(LOG, f"{SESSION}, asked of the API"), False),
    ],
)
def test_a_session_without_a_median_follows_from_its_alerts_at_the_same_place(
    check: dict[str, Any], other: dict[str, Any], follows: bool
) -> None:
    said = told("session", check, ("k8s_audit", "alert"), other)
    assert said == ["their alerts are missing"] * follows


@pytest.mark.parametrize(
    ("place", "other", "follows"),
    [
        ("slack", entry(None, "falco-falcosidekick", ready=0), True),
        ("slack", {**entry(None, "falco-falcosidekick"), "data": None}, True),
        ("slack", entry(None, "falco-falcosidekick", ready=1), False),
        ("slack", entry(None, "falco-k8s-audit", ready=0), False),
        (LOG, entry(None, "falco-falcosidekick", ready=0), False),
    ],
)
def test_an_alert_elsewhere_than_in_the_log_follows_from_a_falcosidekick_without_a_ready_pod(
    place: str, other: dict[str, Any], follows: bool
) -> None:
    said = told("alert", entry(place, POD), ("falco", "workloads"), other)
    assert said == ["Falcosidekick has no ready pod (0 of 1 ready)"] * follows


def test_links_name_codes_that_stages_have() -> None:
    tables = {"falco": falco, "k8s_audit": k8s_audit}
    codes = {
        (stage, code) for stage, table in tables.items() for case in table.CASES for code, _status in case.verdicts
    }
    assert {end for link in AUDIT_LINKS for end in link[:2]} <= codes


def test_alerts_of_audit_events_are_among_those_that_people_look_at() -> None:
    seen = alerts(judged(sound()))
    cells = {one["subject"]: one["cells"] for one in seen["triggers"]}[f"{POD}, asked of the API"]
    assert {name: cell["latency_ms"] for name, cell in cells.items()} == {"Falco's log": 100, "slack": 100}
