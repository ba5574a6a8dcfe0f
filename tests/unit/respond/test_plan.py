"""What is done about an alert: read, matched with the ladder, and held by limits; each limit alone turns it down."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import quote

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.respond_plan import respond_plan
from ansible_collections.falconet.k8s.plugins.module_utils.respond import settings
from ansible_collections.falconet.k8s.plugins.module_utils.respond.alert import PRIORITIES, Alert, read_alert
from ansible_collections.falconet.k8s.plugins.module_utils.respond.errors import RespondError
from ansible_collections.falconet.k8s.plugins.module_utils.respond.ladder import Rung, read_ladder, rung_of
from hypothesis import given
from hypothesis import strategies as st

from ..modules.test_netpol_quarantine import NOW

ALERT = {
    "rule": "Terminal shell in production",
    "priority": "Warning",
    "tags": ["T1059", "maturity_stable"],
    "time": "2026-03-01T09:59:58.123456789Z",
    "output_fields": {"k8s.ns.name": "prod", "k8s.pod.name": "web-1", "proc.cmdline": "{{ lookup('pipe', 'id') }}"},
}
LADDER = [
    {
        "name": "shells",
        "rules": [ALERT["rule"]],
        "steps": ["quarantine", "stop", "note", "collect"],
        "approve": ["stop"],
    },
    {"name": "the rest", "steps": ["note"]},
]
LIMITS = {"dry_run": False, "share_up": 0.5}


def pod(name: str, owner: str | None = "web", ready: str = "True") -> dict[str, Any]:
    owners = [{"controller": True, "uid": owner}] if owner else []
    return {
        "metadata": {"namespace": "prod", "name": name, "ownerReferences": owners},
        "spec": {},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


STATE: dict[str, Any] = {"pod": pod("web-1"), "siblings": [pod("web-1"), pod("web-2"), pod("db-1", "db")]}


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    real = settings.read_state
    monkeypatch.setattr(settings, "read_state", lambda data, _now: real(data, NOW))


def outcome(alert: Any = ALERT, limits: dict[str, Any] = LIMITS, state: dict[str, Any] = STATE) -> dict[str, Any]:
    return respond_plan(quote(json.dumps(alert)), LADDER, limits, state)


def why(plan: dict[str, Any], step: str) -> str:
    return str(next(one["why"] for one in plan["steps"] if one["step"] == step))


def test_steps_are_done_in_the_order_in_which_nothing_is_lost_and_what_waits_says_so() -> None:
    found = outcome()
    assert [one["step"] for one in found["steps"]] == ["note", "collect", "quarantine", "stop"]
    assert found["do"] == ["note", "collect", "quarantine"]
    assert why(found, "stop") == "it waits for somebody who approves"
    assert outcome(limits={**LIMITS, "approved": ["stop"]})["do"] == ["note", "collect", "quarantine", "stop"]
    assert (found["rung"], found["namespace"], found["pod"]) == ("shells", "prod", "web-1")
    assert found["time"] == "2026-03-01T09:59:58.123456Z"


def test_the_incident_is_one_for_a_rule_and_a_pod() -> None:
    later = {**ALERT, "time": "2026-03-01T10:00:00Z", "priority": "Error"}
    assert outcome(later)["incident"] == outcome()["incident"]
    assert outcome({**ALERT, "rule": "other"})["incident"] != outcome()["incident"]


HELD = {"namespace": "prod", "pod": "web-1", "since": "2026-03-01T09:00:00Z"}


@pytest.mark.parametrize(
    ("limits", "state", "step", "said"),
    [
        ({}, {"stopped": "the ConfigMap says so"}, "collect", "responses are stopped: the ConfigMap says so"),
        ({}, {"pod": None}, "collect", "pod prod/web-1 is gone"),
        ({"oldest_minutes": 0}, {}, "collect", "the alert is older than 0 minutes"),
        ({"dry_run": True}, {}, "quarantine", "dry run"),
        ({"protected_namespaces": ["prod"]}, {}, "quarantine", "pods of prod are protected"),
        ({}, {"quarantines": [HELD]}, "quarantine", "pod prod/web-1 is held since 2026-03-01T09:00:00Z"),
        (
            {"pods_per_hour": 1},
            {"quarantines": [{"namespace": "x", "pod": "y", "since": "2026-03-01T09:30:00Z"}]},
            "quarantine",
            "1 pods were held within the hour, and 1 are the most",
        ),
        ({"share_up": 0.6}, {}, "quarantine", "1 of 2 pods of its workload would stay up, fewer than 60%"),
        (
            {"share_up": 0.6, "approved": ["stop"]},
            {},
            "stop",
            "1 of 2 pods of its workload would stay up, fewer than 60%",
        ),
    ],
)
def test_each_limit_alone_turns_a_step_down_with_its_reason(
    limits: dict[str, Any], state: dict[str, Any], step: str, said: str
) -> None:
    found = outcome(limits={**LIMITS, **limits}, state={**STATE, **state})
    assert why(found, step) == said
    assert step not in found["do"]
    assert "note" in found["do"]


def test_a_pod_on_its_node_s_network_is_not_held() -> None:
    on_host = copy.deepcopy(STATE)
    on_host["pod"]["spec"]["hostNetwork"] = True
    assert "node's network" in why(outcome(state=on_host), "quarantine")


def test_what_was_held_long_ago_or_elsewhere_does_not_count_and_a_single_pod_may_be_held() -> None:
    old = {"namespace": "x", "pod": "y", "since": "2026-03-01T08:00:00Z"}
    assert "quarantine" in outcome(limits={**LIMITS, "pods_per_hour": 1}, state={**STATE, "quarantines": [old]})["do"]
    alone = {"pod": pod("web-1"), "siblings": [pod("web-1"), pod("web-2", ready="False")]}
    assert "quarantine" in outcome(limits={**LIMITS, "share_up": 1.0}, state=alone)["do"]
    bare = {"pod": pod("web-1", None), "siblings": [pod("web-1", None), pod("other", None)]}
    assert "quarantine" in outcome(limits={**LIMITS, "share_up": 1.0}, state=bare)["do"]


def test_system_namespaces_are_protected_whatever_the_settings_say() -> None:
    fields = {"k8s.ns.name": "kube-system", "k8s.pod.name": "coredns-1"}
    found = outcome({**ALERT, "output_fields": fields}, state={**STATE, "siblings": []})
    assert why(found, "quarantine") == "pods of kube-system are protected"
    assert "collect" in found["do"]


def test_an_alert_about_no_pod_is_noted() -> None:
    found = outcome({**ALERT, "output_fields": {"k8s.pod.name": "<NA>"}})
    assert found["do"] == ["note"]
    assert why(found, "collect") == "the alert is about no pod"


def test_without_a_rung_nothing_is_done() -> None:
    found = respond_plan(json.dumps({**ALERT, "rule": "other"}), LADDER[:1], LIMITS, STATE)
    assert (found["rung"], found["steps"], found["do"]) == ("", [], [])


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        ([], "the alert is no mapping"),
        ({}, "the alert has no rule; the alert has no priority"),
        ({**ALERT, "priority": "HIGH"}, "the alert's priority is 'HIGH', one of emergency"),
        ({**ALERT, "output_fields": {"k8s.ns.name": "prod"}}, "names a pod without its namespace"),
        (
            {**ALERT, "output_fields": {"k8s.ns.name": "../x", "k8s.pod.name": "{{ 7*7 }}\n"}},
            "the alert's k8s.ns.name is no name of Kubernetes: '../x'; the alert's k8s.pod.name is no name",
        ),
        ({**ALERT, "output_fields": {"k8s.ns.name": ["prod"], "k8s.pod.name": {"a": 1}}}, "is no name of Kubernetes"),
    ],
)
def test_what_is_no_alert_is_refused(alert: Any, said: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        outcome(alert)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"), [("{", "the alert is no JSON"), ({"rule": "x"}, "the alert is no text"), ("", "no JSON")]
)
def test_what_is_no_json_is_refused(text: Any, said: str) -> None:
    with pytest.raises(AnsibleFilterError, match=said):
        respond_plan(text, LADDER, LIMITS, STATE)


def test_nothing_that_is_returned_is_a_template() -> None:
    hostile = {**ALERT, "rule": "{{ lookup('pipe', 'id') }}{% x %}", "tags": ["{{ 1 }}"]}
    assert "{" not in "".join(str(value) for value in outcome(hostile).values() if isinstance(value, str))


def test_an_alert_s_time_may_be_missing_or_broken() -> None:
    for time in (None, "yesterday", "2026-13-45T00:00:00Z", 7):
        assert "quarantine" in outcome({**ALERT, "time": time})["do"]


def test_everything_that_is_wrong_with_a_ladder_is_told_at_once() -> None:
    ladder: list[Any] = [
        {"nam": "x", "steps": ["notee"], "rules": "all", "priority": "HIGH"},
        "x",
        {"name": "y", "steps": []},
    ]
    with pytest.raises(RespondError) as caught:
        read_ladder(ladder)
    assert caught.value.problems == (
        "respond_ladder[0]: unknown key 'nam'; did you mean 'name'?",
        "respond_ladder[0].name: a text",
        "respond_ladder[0].rules: a list of texts",
        "respond_ladder[0].steps: no step is called 'notee'; did you mean 'note'?",
        "respond_ladder[0].priority: 'HIGH' is none of " + ", ".join(PRIORITIES),
        "respond_ladder[1]: a mapping with name and steps",
        "respond_ladder[2].steps: at least one of note, collect, quarantine, stop",
    )
    with pytest.raises(RespondError, match="a list with at least one rung"):
        read_ladder([])


def test_everything_that_is_wrong_with_limits_is_told_at_once() -> None:
    limits = {
        "dry": True,
        "pods_per_hour": True,
        "share_up": 2,
        "dry_run": "no",
        "approved": ["x"],
        "oldest_minutes": -1,
    }
    with pytest.raises(AnsibleFilterError) as caught:
        outcome(limits=limits)
    for word in (
        "dry: no such limit",
        "pods_per_hour:",
        "share_up:",
        "dry_run:",
        "approved: no step",
        "oldest_minutes:",
    ):
        assert word in str(caught.value)


words = st.sampled_from(("a", "b", "c"))
sets = st.frozensets(words, max_size=2)
alerts = st.builds(Alert, words, st.sampled_from(PRIORITIES), sets, st.none(), words, words)
rungs = st.builds(Rung, words, sets, st.sampled_from(("", *PRIORITIES)), sets, sets)


@given(st.lists(rungs, max_size=4), alerts)
def test_the_first_rung_that_fits_counts(ladder: list[Rung], alert: Alert) -> None:
    def fits(rung: Rung) -> bool:
        urgent = not rung.priority or PRIORITIES.index(alert.priority) <= PRIORITIES.index(rung.priority)
        pairs = ((rung.rules, {alert.rule}), (rung.tags, alert.tags), (rung.namespaces, {alert.namespace}))
        return urgent and all(not wanted or wanted & had for wanted, had in pairs)

    fitting = [rung for rung in ladder if fits(rung)]
    assert rung_of(ladder, alert) is (fitting[0] if fitting else None)


@given(st.recursive(st.none() | st.text() | st.integers(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_whatever_is_sent_is_read_or_refused(data: Any) -> None:
    for sent in (data, {**ALERT, "output_fields": data}, {**ALERT, "rule": data, "tags": data, "priority": data}):
        try:
            assert isinstance(read_alert(sent), Alert)
        except RespondError as error:
            assert str(error)
