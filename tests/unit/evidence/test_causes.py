"""A red check names its cause: faults planted in what is asked of a sound cluster, and what the report then says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.priorities import PRIORITIES
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.causes import LINKS, Link, explained, first_cause
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.report import report
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.stages import STAGES, evidence
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.unalerted import why_unalerted
from hypothesis import given
from hypothesis import strategies as st

from .cases import falco, falco_rules, network_policies, node_prep, respond, verify
from .planted import (
    EVERYWHERE,
    READ,
    RULE,
    Cluster,
    ask,
    deliver,
    differs_on,
    done_nowhere,
    drop_on,
    image,
    judged,
    lose_on,
    missing,
    no_pod_on,
    observe,
    part,
    path,
    refusing,
    sound,
    unasked,
    violate,
)
from .test_report import ABOUT, check


@dataclass(frozen=True)
class Fault:
    """What is planted, the check to begin with (code, words of it), and words of what follows from it."""

    name: str
    plants: tuple[Callable[[Cluster], None], ...]
    first: tuple[str, str]
    follows: tuple[str, ...] = field(default=())


RULES_GONE = {"rules": {"Read of etc shadows": {"enabled": True, "priority": "Warning"}}}
FAULTS = [
    Fault("a Falcosidekick that has lost one of two pods", (part("-falcosidekick", 1, 2),), ("workloads", "1 of 2")),
    Fault(
        "Falcosidekick without a ready pod",
        (part("-falcosidekick", 0), missing("slack", "webui")),
        ("workloads", "0 of 1"),
        ("because Falcosidekick has no ready pod (falco-falcosidekick: 0 of 1 pods ready)",) * 2,
    ),
    Fault(
        "the UI without a ready pod",
        (part("-ui", 0), missing("webui")),
        ("workloads", "0 of 1"),
        ("because Falcosidekick's UI has no ready pod",),
    ),
    Fault(
        "Redis without a ready pod",
        (part("-redis", 0), part("-ui", 0), missing("webui")),
        ("workloads", "-redis: 0 of 1"),
        ("because Redis has no ready pod", "because Falcosidekick's UI has no ready pod"),
    ),
    Fault(
        "no volume for Redis, whose node is not prepared",
        (
            ask("node_prep", redis={"stat": {"exists": False}}),
            ask("falco", claim={"resources": [{"status": {"phase": "Pending"}}]}),
            part("-redis", 0),
        ),
        ("redis", "is missing"),
        ("because its volume is missing (The claim is Pending.)", "is not prepared for Redis"),
    ),
    Fault(
        "no Falco on the trigger's node",
        (no_pod_on("n1"), EVERYWHERE),
        ("nodes", "n1: no Falco pod"),
        ("because Falco does not watch n1 (n1: no Falco pod", "because Falco did not raise it", "did not raise it"),
    ),
    Fault(
        "a Falco pod that is not ready",
        (differs_on("n1", "does not answer /metrics"), part("falco", 1, 2), EVERYWHERE),
        ("workloads", "falco: 1 of 2 pods ready"),
        (
            "because Falco's pods are not ready (falco: 1 of 2 pods ready)",
            "because Falco does not watch n1 (does not answer /metrics)",
            "because Falco did not raise it",
            "because Falco did not raise it",
        ),
    ),
    Fault(
        "no driver that can run on a node",
        (
            ask("node_prep", driver={"driver": "none", "summary": "too old"}),
            no_pod_on("n1"),
            part("falco", 1, 2),
            EVERYWHERE,
        ),
        ("driver", "too old"),
        ("n1: no Falco pod", "falco: 1 of 2 pods ready, because no driver can run on worker01 (too old)"),
    ),
    Fault(
        "a ConfigMap that the trigger's node has not synced",
        (differs_on("n1", "reports another own.yaml", "falco_rules"), EVERYWHERE),
        ("loaded", "reports another own.yaml"),
        ("because Falco on n1 does not run our rules (reports another own.yaml)", "did not raise it", "did not raise"),
    ),
    Fault(
        "a rules file broken by hand, and a pod that was restarted with it",
        (ask("falco_rules", mounted={"diff": {"before": "--- a.yaml\n", "after": ""}}), part("falco", 1, 2)),
        ("mounted", "hold other rules"),
        ("because the ConfigMaps hold other rules than the inventory",),
    ),
    Fault(
        "a rule that Falco lacks",
        (observe(**RULES_GONE), EVERYWHERE),
        ("alert", "(did you mean 'Read of etc shadows'?)"),
    ),
    Fault(
        "a rule that is off",
        (observe(rules={RULE: {"enabled": False, "priority": "Warning"}}), EVERYWHERE),
        ("alert", "because the rule is switched off"),
    ),
    Fault(
        "Falco's priority above the rule's",
        (observe(priority="error"), EVERYWHERE),
        ("alert", "because the rule's priority WARNING is below Falco's, error (falco_priority)"),
    ),
    Fault(
        "a namespace scope beside the trigger",
        (observe(scope={"namespaces": ["shop-*", "pay"]}), EVERYWHERE),
        ("alert", "because the rule fires in shop-*, pay alone (falco_rules_scope), not in prod"),
    ),
    Fault(
        "a scope that silences",
        (observe(scoped=[{"rule": RULE, "action": "append", "silenced": "no event has both"}]), EVERYWHERE),
        ("alert", "because the rule is scoped so that it never fires (falco_rules_scope): no event has both"),
    ),
    Fault(
        "a namespace scope that leaves a rule of other namespaces none",
        (
            observe(
                scope={"namespaces": ["elsewhere"]},
                scoped=[{"rule": RULE, "action": "append", "silenced": "it looks at other namespaces"}],
            ),
            EVERYWHERE,
        ),
        ("alert", "because the rule fires in elsewhere alone (falco_rules_scope), not in prod"),
    ),
    Fault(
        "a namespace scope in the place of another one",
        (
            observe(scope={"namespaces": ["pay"]}, scoped=[{"rule": RULE, "action": "replace", "silenced": ""}]),
            EVERYWHERE,
        ),
        ("alert", "because the rule fires in pay alone (falco_rules_scope), not in prod"),
    ),
    Fault(
        "a rule hidden under rule_matching: first",
        (observe(rule_matching="first", hidden=[{"rule": RULE, "by": "Any read"}]), EVERYWHERE),
        ("alert", "because rule 'Any read' comes first and hides it"),
    ),
    Fault(
        "an output's priority above the rule's",
        (observe(outputs={"slack": {"minimumpriority": "critical"}}), missing("slack")),
        ("alert", "because the rule's priority WARNING is below that of slack, critical (falco_outputs)"),
    ),
    Fault(
        "an output that refuses",
        (deliver(slack=refusing("it was answered 403 (Forbidden)", "status")), missing("slack")),
        ("output", "it was answered 403 (Forbidden)"),
        ("because slack did not take it (it was answered 403 (Forbidden)",),
    ),
    Fault(
        "an output whose name is written otherwise where it refuses",
        (deliver(Slack=refusing("it was answered 403 (Forbidden)", "status")), missing("slack")),
        ("output", "it was answered 403 (Forbidden)"),
        ("because Slack did not take it (it was answered 403 (Forbidden)",),
    ),
    Fault(
        "a receiver that is away, so that it cannot even be asked",
        (deliver(slack=refusing("it refuses the connection", "refused")), unasked("slack")),
        ("output", "it refuses the connection"),
        ("no endpoints, because slack did not take it (it refuses the connection",),
    ),
    Fault(
        "a policy between Falco and Falcosidekick, on the trigger's node",
        (path("Falco to Falcosidekick", "n1", "policy"), lose_on("n1"), missing("slack", "webui")),
        ("path", "because it is shut"),
        ("because Falco to Falcosidekick does not pass", "because Falco did not hand it over (n1: 2 alerts lost"),
    ),
    Fault(
        "a node that serves no Service's address",
        (
            path("Falco to Falcosidekick", "n1", "address"),
            path("Falco to cluster DNS", "n1", "address"),
            lose_on("n1"),
            missing("slack", "webui"),
        ),
        ("path", "because it is shut"),
        ("because Falco to Falcosidekick does not pass",) * 2,
    ),
    Fault(
        "Falcosidekick without a ready pod, so that Falco loses alerts",
        (part("-falcosidekick", 0), lose_on("n1"), missing("slack", "webui")),
        ("workloads", "0 of 1"),
        ("because Falcosidekick has no ready pod", "because Falcosidekick has no ready pod"),
    ),
    Fault(
        "DNS away, so that an output cannot be resolved",
        (
            path("Falcosidekick to cluster DNS", "n2", "away"),
            deliver(slack=refusing("DNS does not answer for x", "no_dns")),
            missing("slack"),
        ),
        ("path", "because it is shut"),
        ("because Falcosidekick to cluster DNS does not pass", "because slack did not take it"),
    ),
    Fault(
        "the UI behind a policy",
        (
            path("Falcosidekick to its UI", "n2", "policy"),
            deliver(webui=refusing("it does not answer", "silent")),
            missing("webui"),
        ),
        ("path", "because it is shut"),
        ("because Falcosidekick to its UI does not pass", "because webui did not take it"),
    ),
    Fault(
        "the UI without a pod, as Falcosidekick sees it",
        (part("-ui", 0), deliver(webui=refusing("it refuses the connection", "refused")), missing("webui")),
        ("workloads", "0 of 1"),
        ("because Falcosidekick's UI has no ready pod",) * 2,
    ),
    Fault(
        "events dropped on the trigger's node",
        (drop_on("n1"), EVERYWHERE),
        ("drops", "n1: 50 of 100 events"),
        ("because Falco drops events there (n1: 50 of 100 events", "because Falco did not raise it"),
    ),
    Fault(
        "an image that does not exist",
        (image("reg.example/none:1"), part("-falcosidekick", 0), missing("slack", "webui")),
        ("images", "somebody changed it since"),
        ("because what runs is not what is declared", "because Falcosidekick has no ready pod"),
    ),
    Fault(
        "somebody else's policy that opens a flow",
        (
            lambda cluster: violate(cluster, "denied", "allowed"),
            lambda cluster: cluster["network_policies"]["plan"].update(
                violations=[{"flow": "f", "policy": "NetworkPolicy prod/open", "message": "f: a -> b is allowed"}]
            ),
        ),
        ("policies", "somebody else made it"),
        ("because the policies say so (f: a -> b is allowed NetworkPolicy prod/open is not of set",),
    ),
    Fault(
        "policies that are not enforced",
        (
            ask("network_policies", canary={"enforced": False, "why": "n2 lets all pass", "nodes": ["n2"]}),
            lambda cluster: violate(cluster, "denied", "allowed"),
        ),
        ("enforced", "n2 lets all pass"),
        ("because policies are not enforced (n2 lets all pass)",),
    ),
    Fault(
        "someone else's policy",
        (
            ask("network_policies", plan={"objects": [{"name": "web", "action": "update"}]}),
            lambda cluster: violate(cluster, "denied", "allowed"),
        ),
        ("declared", "web would change"),
        ("because policies in the cluster are not those that are declared (web would change)",),
    ),
]


def test_without_a_fault_it_is_green() -> None:
    assert [one for one in judged(sound()) if one["status"] == "failed"] == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_named_and_what_follows_says_so(fault: Fault) -> None:
    cluster = sound()
    for plant in fault.plants:
        plant(cluster)
    checks = judged(cluster)
    first = first_cause(checks)
    assert first["code"] == fault.first[0]
    assert fault.first[1] in first["detail"]
    rest = [one for one in checks if one["status"] == "failed" and one is not first]
    follow = [one["detail"] for one in rest if "stage" in one.get("because", {})]
    assert len(follow) == len(rest), [one["detail"] for one in rest if one["detail"] not in follow]
    for words in fault.follows:
        assert any(words in detail for detail in follow), follow


def test_where_the_node_is_not_known_a_falco_that_is_nowhere_is_a_cause() -> None:
    cluster = sound()
    for plant in (no_pod_on("n1"), no_pod_on("n2"), done_nowhere):
        plant(cluster)
    assert any("because Falco does not watch any node" in one["detail"] for one in judged(cluster))


def test_the_network_that_disagrees_follows_from_policies_that_are_not_enforced() -> None:
    enforced = check("failed", "network_policies", code="enforced", subject="nodes n1", detail="all pass")
    allowed = check("failed", "network_policies", code="agreement", detail="a -> b on 80/TCP is allowed, but x")
    denied = {**allowed, "detail": "a -> b on 80/TCP is denied, but x"}
    told = [one["detail"] for one in explained([enforced, allowed, denied], {})]
    assert told[1:] == [f"{allowed['detail']}, because policies are not enforced (all pass)", denied["detail"]]


def test_an_alert_of_a_fire_drill_is_missing_for_the_reasons_for_which_others_are() -> None:
    cluster = sound()
    cluster["respond"] = respond.ran(
        **respond.GONE, trigger=respond.trigger(falco=respond.place(False), slack=respond.place(False))
    )
    cluster["observed"]["rules"] = {"Read of etc shadows": {"enabled": True, "priority": "WARNING"}}
    log, slack = (one for one in judged(cluster) if (one["stage"], one["code"]) == ("respond", "alert"))
    assert log["detail"].endswith("because Falco loads no rule of this name (did you mean 'Read of etc shadows'?)")
    assert slack["because"] == {
        "words": "Falco did not raise it",
        "stage": "respond",
        "code": "alert",
        "check": "Alert of the fire drill arrives at Falco's log",
        "subject": respond.SUBJECT,
    }


def test_the_headline_begins_with_the_cause() -> None:
    cluster = sound()
    for plant in (part("-redis", 0), part("-ui", 0), missing("webui")):
        plant(cluster)
    made = report([one for stage in STAGES for one in evidence(cluster[stage], stage)], **ABOUT)
    assert made["headline"].endswith("First: Workload is ready (falco/StatefulSet/falco-falcosidekick-ui-redis).")


@given(st.data())
def test_causes_end(data: st.DataObject) -> None:
    """Whatever fails, from each check one comes to one that follows from no other."""
    cluster = sound()
    for plant in data.draw(
        st.lists(st.sampled_from([plant for fault in FAULTS for plant in fault.plants]), max_size=6)
    ):
        plant(cluster)
    checks = judged(cluster)
    for one in checks:
        seen, now = set(), one
        while "stage" in now.get("because", {}):
            key = (now["stage"], now["code"], now["check"], now["subject"])
            assert key not in seen
            seen.add(key)
            because = now["because"]
            now = next(
                c for c in checks if all(c[name] == because[name] for name in ("stage", "code", "check", "subject"))
            )
            assert now["status"] == "failed"


def test_passed_and_skipped_checks_have_no_cause() -> None:
    checks = [check(), check("skipped", "verify", code="alert"), check("failed", code="workloads")]
    assert explained(checks, {}) == checks


@pytest.mark.parametrize("link", LINKS, ids=lambda link: f"{'-'.join(link[0])} of {'-'.join(link[1])}")
def test_checks_without_data_are_explained_as_well(link: Link) -> None:
    both = [check("failed", stage, code=code, subject=subject) for (stage, code), subject in zip(link[:2], "ab")]
    assert [one["status"] for one in explained(both, {})] == ["failed", "failed"]


def test_where_each_check_says_that_it_follows_one_is_begun_with_all_the_same() -> None:
    assert first_cause([check(), check("failed", subject="b", because={"stage": "falco"})])["subject"] == "b"


def test_links_name_codes_that_stages_have() -> None:
    cases = {"falco": falco, "falco_rules": falco_rules, "network_policies": network_policies, "verify": verify}
    cases |= {"respond": respond}
    codes = {
        (stage, code) for stage, table in {**cases, "node_prep": node_prep}.items() for case in table.CASES
        for code, _status in case.verdicts
    }  # fmt: skip
    assert {end for link in LINKS for end in link[:2]} <= codes


@pytest.mark.parametrize("priority", PRIORITIES)
def test_a_priority_is_below_those_that_are_more_urgent(priority: str) -> None:
    below = [
        least
        for least in (*PRIORITIES, "info", "", "loud")
        if why_unalerted(READ, "Falco's log", {"rules": {RULE: {"priority": priority}}, "priority": least})
    ]
    more_urgent = list(PRIORITIES[: PRIORITIES.index(priority)])
    assert below == [*more_urgent, *(["info"] if "informational" in more_urgent else [])]


def test_of_an_unknown_trigger_nothing_is_said() -> None:
    assert why_unalerted({}, "slack", {"refused": {"slack": {"count": 1}}}) == ""
