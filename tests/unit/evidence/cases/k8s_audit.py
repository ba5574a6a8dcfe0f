"""Stage k8s_audit."""

from __future__ import annotations

from typing import Any

from tests.unit.evidence.cases import Case, changed

LOG, SESSION, POD = "Falco's log", "Attach/Exec Pod", "Create Privileged Pod"
WORKLOAD: dict[str, Any] = {
    "kind": "Deployment",
    "name": "falco-k8s-audit",
    "wanted": 1,
    "ready": 1,
    "missing": [],
    "reasons": [],
}
PODS: list[dict[str, Any]] = [{"name": "falco-a", "node": "cp1", "digests": {"site.yaml": "1" * 64}, "differs": []}]
SPEC: dict[str, Any] = {
    "podSelector": {},
    "policyTypes": ["Ingress"],
    "ingress": [{"from": [{"ipBlock": {"cidr": "192.0.2.11/32"}}], "ports": []}, {"ports": [{"port": 8765}]}],
}
POLICY: dict[str, Any] = {"metadata": {"name": "falco-k8s-audit-webhook"}, "spec": SPEC}
CERTIFICATE: dict[str, Any] = {
    "problem": "",
    "until": "2027-12-01T00:00:00Z",
    "days_left": 300.04,
    "days": 397.0,
    "trust": "PEM",
}


def sent(*rules: str) -> dict[str, Any]:
    return {"sent": [{"rule": rule} for rule in rules], "expected": [], "left": []}


def matched(rule: str, latency_ms: float | None = 100.0, arrived: bool = True) -> dict[str, Any]:
    return {"rule": rule, "arrived": arrived, "latency_ms": latency_ms if arrived else None, "text": "it was so"}


def counted(events: int, errors: dict[str, int] | None = None, rejected: int = 0, started: str = "1") -> dict[str, Any]:
    return {"events": events, "errors": errors or {}, "rejected": rejected, "started": started}


def place(*matches: dict[str, Any], name: str = LOG, **result: Any) -> dict[str, Any]:
    return {"name": name, "result": {"matches": list(matches), **result}}


GOOD: dict[str, Any] = {
    "namespace": "falco",
    "release": "falco-k8s-audit",
    "webhook": True,
    "releases": {"releases": [{"name": "falco-k8s-audit", "release": {"chart": "falco-9.1.0", "revision": 2}}]},
    "rollout": {"workloads": [WORKLOAD], "pods": PODS, "missing": []},
    "certificate": CERTIFICATE,
    "policy_wanted": POLICY,
    "policy": {"resources": [{"metadata": {"name": "other"}, "spec": {}}, POLICY]},
    "machines": ["cp01"],
    "servers": [{"item": "cp01", "files": [], "cluster_configuration": "unchanged"}],
    "refused": "",
    "digests": {"site.yaml": "1" * 64},
    "config_maps": ["falco-k8s-audit-rules-1"],
    "mounted": {"diff": {}},
    "before": counted(100, {"webhook": 3}),
    "after": counted(140, {"webhook": 3}),
    "tried": sent(POD, SESSION, SESSION, SESSION),
    "places": [
        place(matched(POD), *(matched(SESSION, latency) for latency in (40.0, 90.5, 60.0))),
        place(matched(POD), *(matched(SESSION, latency) for latency in (400.0, 2000.0, 600.0)), name="slack"),
    ],
    "timeout_seconds": "30",
    "session_namespace": "prod",
    "session_seconds": "2.0",
    "about": {POD: {"enabled": True, "priority": "Warning"}, SESSION: {"enabled": True, "priority": "Notice"}},
    "outputs": {"slack": {"minimumpriority": ""}},
}
CODES = (
    "release",
    "workloads",
    "certificate",
    "policy",
    "api_server",
    "loaded",
    "mounted",
    "triggers",
    "handover",
    "alert",
    "alert",
    "session",
    "alert",
    "alert",
    "session",
)


def but(*others: tuple[int, str], codes: tuple[str, ...] = CODES) -> tuple[tuple[str, str], ...]:
    """All passed but those at these places."""
    wrong = dict(others)
    return tuple((code, wrong.get(number, "passed")) for number, code in enumerate(codes))


HEAD, MANAGED = CODES[:9], ("release", "workloads", "loaded", "mounted", "triggers", "alert")
ONE: dict[str, Any] = {"tried": sent(POD)}
UP_TO = (*HEAD, "alert")
CASES = [
    Case(
        "as wanted",
        GOOD,
        but(),
        (
            "falco-9.1.0, revision 2",
            "1 of 1 pods are ready",
            "until 2027-12-01T00:00:00Z, 300.0 days\n",
            "1 address may: 192.0.2.11/32\n",
            "as asked for",
            "4 requests, nothing of them is left",
            "40 events, none of them lost",
            "Alert arrives at Falco's log: arrived after 100.0 ms\n",
            "arrived 3 times, the last after 90.5 ms\n",
            "within 2 seconds: 3 sessions: median 60 ms, worst 90.5 ms\n",
            "median 600 ms, worst 2000 ms\n",
        ),
    ),
    Case("no records", changed(GOOD, releases={"failed": True, "msg": "403"}), but((0, "skipped")), ("403",)),
    Case(
        "no release",
        changed(GOOD, releases={"releases": [{"name": "falco", "release": {"chart": "falco-9"}}]}),
        but((0, "failed")),
        ("Helm has no deployed release",),
    ),
    Case(
        "a release that failed",
        changed(GOOD, releases={"releases": [{"name": "falco-k8s-audit", "release": None}]}),
        but((0, "failed")),
    ),
    Case(
        "a pod that is not ready",
        changed(
            GOOD,
            rollout={
                "workloads": [{**WORKLOAD, "ready": 0, "missing": ["0 of 1 ready"], "reasons": ["no image"]}],
                "pods": PODS,
                "missing": [],
            },
        ),
        but((1, "failed")),
        ("0 of 1 ready; no image\n",),
    ),
    Case(
        "no pod wanted",
        changed(
            GOOD,
            rollout={"workloads": [{**WORKLOAD, "wanted": 0, "ready": 0}], "pods": PODS, "missing": []},
        ),
        but((1, "failed")),
        ("wants no pod",),
    ),
    Case(
        "the cluster does not answer",
        changed(GOOD, rollout={"failed": True, "msg": "connection refused"}),
        but((1, "failed"), (5, "failed")),
        ("Workload is ready: connection refused",),
    ),
    Case(
        "a wrong certificate",
        changed(GOOD, certificate={"problem": "it holds to yesterday", "days_left": -1.0, "days": 90.0, "until": "x"}),
        but((2, "failed")),
        ("it holds to yesterday",),
    ),
    Case(
        "a certificate that ends soon",
        changed(GOOD, certificate={**CERTIFICATE, "days_left": 13.9}),
        but((2, "failed")),
        ("13.9 days: run playbooks/k8s_audit.yml",),
    ),
    Case("a certificate with two weeks", changed(GOOD, certificate={**CERTIFICATE, "days_left": 14.0}), but()),
    Case("a short certificate", changed(GOOD, certificate={**CERTIFICATE, "days": 9.0, "days_left": 3.5}), but()),
    Case(
        "a short certificate that ends soon",
        changed(GOOD, certificate={**CERTIFICATE, "days": 12.0, "days_left": 3.9}),
        but((2, "failed")),
    ),
    Case("no policy wanted", changed(GOOD, policy_wanted={}), but((3, "skipped")), ("k8s_audit_network_policy",)),
    Case("policies cannot be read", changed(GOOD, policy={"failed": True, "msg": "403"}), but((3, "failed"))),
    Case("no policy", changed(GOOD, policy={"resources": []}), but((3, "failed")), ("no such NetworkPolicy",)),
    Case(
        "a policy that lets everybody in",
        changed(GOOD, policy={"resources": [{**POLICY, "spec": {**SPEC, "ingress": [{}]}}]}),
        but((3, "failed")),
        ("other than declared in ingress\n",),
    ),
    Case(
        "no machine of the control plane",
        changed(GOOD, machines=[], servers=[]),
        but((4, "skipped")),
        ("has no machine of this cluster",),
    ),
    Case("a machine that was not asked", changed(GOOD, servers=[]), but((4, "failed")), ("was not asked",)),
    Case(
        "rules that are refused",
        changed(GOOD, servers=[], refused="no such list"),
        but((4, "failed"), (5, "failed")),
        ("send its events: no such list",),
    ),
    Case(
        "a machine that does not answer",
        changed(GOOD, servers=[{"item": "cp01", "unreachable": True, "msg": "no route"}]),
        but((4, "failed")),
        ("the machine does not answer: no route",),
    ),
    Case(
        "a module that fails",
        changed(GOOD, servers=[{"item": "cp01", "failed": True, "msg": "somebody else's webhook"}]),
        but((4, "failed")),
        ("send its events: somebody else's webhook",),
    ),
    Case(
        "another manifest",
        changed(GOOD, servers=[{"item": "cp01", "files": ["/a", "/b"], "cluster_configuration": "changed"}]),
        but((4, "failed")),
        ("/a, /b not as asked for; kubeadm's ClusterConfiguration",),
    ),
    Case(
        "ClusterConfiguration alone",
        changed(GOOD, servers=[{"item": "cp01", "files": [], "cluster_configuration": "changed"}]),
        but((4, "failed")),
        ("events: kubeadm's ClusterConfiguration lacks it",),
    ),
    Case(
        "other rules in the ConfigMaps",
        changed(GOOD, mounted={"diff": {"before": "--- a.yaml\nx\n", "after": ""}}),
        but((6, "failed")),
        ("a.yaml is not ours",),
    ),
    Case(
        "a provider keeps the events",
        changed(GOOD, webhook="false", **ONE, places=[place(matched(POD))]),
        but(codes=MANAGED),
    ),
    Case(
        "nothing could be sent",
        changed(GOOD, tried={"failed": True, "msg": "403"}),
        but((7, "failed"), codes=HEAD[:8]),
        ("can be sent: 403",),
    ),
    Case(
        "something is left",
        changed(GOOD, tried={**GOOD["tried"], "left": ["/x: 403"]}),
        but((7, "failed")),
        ("can be sent: /x: 403\n",),
    ),
    Case("no metrics before", changed(GOOD, before={"failed": True, "msg": "a"}), but((8, "skipped")), ("over: a\n",)),
    Case("no metrics after", changed(GOOD, after={"failed": True, "msg": "b"}), but((8, "skipped")), ("over: b\n",)),
    Case(
        "another API server answered",
        changed(GOOD, after=counted(140, started="2")),
        but((8, "skipped")),
        ("another API server answered",),
    ),
    Case(
        "events got lost",
        changed(GOOD, after=counted(140, {"webhook": 4, "buffered": 2, "log": 1, "own": 1})),
        but((8, "failed")),
        (
            "over: 2 events of its plugin buffered were dropped, since more waited than the buffer holds; 1 event of "
            "its plugin log could not be written to the log; is its disk full?; 1 event of its plugin own failed; 1 "
            "event of its plugin webhook could not be sent to Falco\n",
        ),
    ),
    Case(
        "requests were rejected",
        changed(GOOD, before=counted(1, rejected=2), after=counted(2, rejected=3)),
        but((8, "failed")),
        ("over: 1 request rejected",),
    ),
    Case("nothing is audited", changed(GOOD, after=counted(100)), but((8, "failed")), ("over: it audits nothing",)),
    Case(
        "a place that cannot be read",
        changed(GOOD, **ONE, places=[place(failed=True, msg="404")]),
        but((9, "failed"), codes=UP_TO),
        ("log: Falco's log cannot be read: 404\n",),
    ),
    Case(
        "an alert without a time",
        changed(GOOD, **ONE, places=[place(matched(POD, None))]),
        but(codes=UP_TO),
        ("log: arrived\n",),
    ),
    Case(
        "an alert that was not looked for",
        changed(GOOD, **ONE, places=[place()]),
        but((9, "failed"), codes=UP_TO),
        ("0 of 0 did not arrive",),
    ),
    Case(
        "an alert that is missing",
        changed(GOOD, **ONE, places=[place(matched(POD, arrived=False))]),
        but((9, "failed"), codes=UP_TO),
        ("log: 1 of 1 did not arrive within 30 seconds\n",),
    ),
    Case(
        "a rule that is switched off",
        changed(
            GOOD,
            **ONE,
            about={POD: {"enabled": False}},
            places=[place(matched(POD, arrived=False)), place(matched(POD, arrived=False), name="slack")],
        ),
        but((9, "failed"), (10, "failed"), codes=(*UP_TO, "alert")),
        (
            "log: 1 of 1 did not arrive within 30 seconds; the rule is switched off\n",
            "slack: 1 of 1 did not arrive within 30 seconds\n",
        ),
    ),
    Case(
        "a place that wants more urgent alerts",
        changed(
            GOOD,
            **ONE,
            outputs={"slack": {"minimumpriority": "critical"}},
            places=[place(matched(POD, arrived=False), name="slack")],
        ),
        but((9, "skipped"), codes=UP_TO),
        ("the rule's priority Warning is below that of slack, critical",),
    ),
    Case(
        "sessions that are told late",
        changed(GOOD, tried=sent(SESSION), places=[place(matched(SESSION, 1.0), matched(SESSION, 2000.5))]),
        but((10, "failed"), codes=(*UP_TO, "session")),
        ("2 sessions: median 1000.75 ms, worst 2000.5 ms",),
    ),
    Case(
        "sessions that are not told",
        changed(GOOD, tried=sent(SESSION), places=[place(matched(SESSION, arrived=False))]),
        but((9, "failed"), (10, "failed"), codes=(*UP_TO, "session")),
        ("no alert of it arrived",),
    ),
    Case(
        "sessions at a place that wants more urgent alerts",
        changed(
            GOOD,
            tried=sent(SESSION),
            outputs={"slack": {"minimumpriority": "warning"}},
            places=[place(matched(SESSION, arrived=False), name="slack")],
        ),
        but((9, "skipped"), (10, "skipped"), codes=(*UP_TO, "session")),
        ("2 seconds: not awaited here: the rule's priority Notice is below that of slack, warning\n",),
    ),
    Case(
        "sessions without a time",
        changed(GOOD, tried=sent(SESSION), places=[place(matched(SESSION, None))]),
        but((10, "skipped"), codes=(*UP_TO, "session")),
        ("does not say when",),
    ),
    Case(
        "a session in a pod that does not exist",
        changed(GOOD, tried=sent(SESSION), session_namespace="", places=[place(matched(SESSION))]),
        but(codes=UP_TO),
    ),
]
