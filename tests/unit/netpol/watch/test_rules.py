"""Rules made from policies alert on what the policies deny, and on nothing that they allow."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import Engine
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import Event, parse_event
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.reference import decide
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import (
    format_address,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Options, Pod
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.watch.rules import falco_rules
from hypothesis import HealthCheck, given, settings

from ..clusters import NUMBERS, build, objects
from ..lint.test_lint import pod, policy

NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "n"},
    "spec": {"podCIDRs": ["10.244.0.0/24"]},
    "status": {"addresses": [{"type": "InternalIP", "address": "192.168.0.1"}]},
}
PODS = [
    pod("web", ip="10.244.0.2"),
    pod("db", ip="10.244.0.3"),
    pod("cron", ip="10.244.0.4"),
    {"kind": "Service", "metadata": {"name": "db", "namespace": "prod"}, "spec": {"clusterIP": "10.96.0.7"}},
    NODE,
]
TO_DB = policy(
    "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}],"
    " ports: [{port: 5432}]}]}",
    "to-db",
)
NO_EGRESS = policy(
    "{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]},"
    " {to: [{ipBlock: {cidr: 198.51.100.0/24}}]}]}",
    "web-egress",
)


def engine(content: str) -> Engine:
    loaded = load([RulesFile("policies.yaml", content)])
    assert loaded.successful, loaded.results
    return Engine(loaded, "all")


def event(call: str, pod_name: str, client: str, server: str, port: int, **more: Any) -> dict[str, Any]:
    fields = {
        "evt.type": call,
        "evt.res": "SUCCESS",
        "evt.rawres": 5,
        "fd.l4proto": "tcp",
        "fd.cip": client,
        "fd.sip": server,
        "fd.sport": port,
        "fd.name": f"{client}:40000->{server}:{port}",
        "k8s.ns.name": "prod",
        "k8s.pod.name": pod_name,
    }
    return {"fields": {**fields, **more}, "source": "syscall"}


def alerted(judge: Engine, *args: Any, **more: Any) -> list[str]:
    return [alert.rule for alert in judge.alerts(_parsed(event(*args, **more)))]


def _parsed(written: dict[str, Any]) -> Event:
    (found,) = parse_event(json.dumps(written))
    return found


INTO_DB = "Connection that policies deny into prod/Pod/db"
OUT_OF_WEB = "Connection that policies deny out of prod/Pod/web"


def test_a_connection_is_alerted_on_where_a_policy_should_have_stopped_it() -> None:
    result = falco_rules(build([*PODS, TO_DB]))
    assert [item["rule"] for item in result["rules"]] == [INTO_DB]
    assert "NetworkPolicy prod/to-db isolates" in result["rules"][0]["reason"]
    judge = engine(result["content"])
    assert alerted(judge, "accept4", "db", "10.244.0.2", "10.244.0.3", 5432) == []
    assert alerted(judge, "accept4", "db", "10.244.0.2", "10.244.0.3", 22) == [INTO_DB]
    assert alerted(judge, "accept", "db", "10.244.0.4", "10.244.0.3", 5432) == [INTO_DB]
    assert alerted(judge, "accept4", "db", "203.0.113.9", "10.244.0.3", 5432) == [INTO_DB]


@pytest.mark.parametrize(("port", "found"), [(1, True), (5431, True), (5432, False), (5433, True), (65535, True)])
def test_ports_beside_the_one_that_is_allowed_are_alerted_on(port: int, found: bool) -> None:
    judge = engine(falco_rules(build([*PODS, TO_DB]))["content"])
    assert alerted(judge, "accept4", "db", "10.244.0.2", "10.244.0.3", port) == [INTO_DB] * found


def test_the_rules_are_the_same_as_data_for_the_role() -> None:
    content = falco_rules(build([*PODS, TO_DB, NO_EGRESS]))["content"]
    judge = engine(yaml.safe_dump(yaml.safe_load(content)))
    assert alerted(judge, "accept", "db", "10.244.0.4", "10.244.0.3", 5432) == [INTO_DB]
    assert alerted(judge, "connect", "web", "10.244.0.2", "203.0.113.9", 443) == [OUT_OF_WEB]


@pytest.mark.parametrize(
    ("args", "more"),
    [
        (("accept4", "db", "10.244.0.4", "10.244.0.3", 5432), {"evt.rawres": -11}),
        (("accept4", "db", "10.244.0.4", "10.244.0.3", 5432), {"fd.l4proto": "udp"}),
        (("accept4", "db", "10.244.0.4", "10.244.0.3", 5432), {"k8s.ns.name": "dev"}),
        (("accept4", "web", "10.244.0.4", "10.244.0.2", 5432), {}),
        # Its node, itself, and an address that a new pod may have.
        (("accept4", "db", "192.168.0.1", "10.244.0.3", 5432), {}),
        (("accept4", "db", "10.244.0.3", "10.244.0.3", 22), {}),
        (("accept4", "db", "127.0.0.1", "127.0.0.1", 22), {}),
        (("accept4", "db", "10.244.0.99", "10.244.0.3", 5432), {}),
        # The attempt, which a policy stops.
        (("connect", "cron", "10.244.0.4", "10.244.0.3", 5432), {}),
    ],
)
def test_what_no_policy_should_have_stopped_is_not(args: tuple[Any, ...], more: dict[str, Any]) -> None:
    assert alerted(engine(falco_rules(build([*PODS, TO_DB]))["content"]), *args, **more) == []


def test_a_connection_out_of_the_cluster_is_alerted_on_if_it_succeeds() -> None:
    judge = engine(falco_rules(build([*PODS, NO_EGRESS]))["content"])
    assert alerted(judge, "connect", "web", "10.244.0.2", "203.0.113.9", 443) == [OUT_OF_WEB]
    assert alerted(judge, "connect", "web", "10.244.0.2", "203.0.113.9", 443, **{"evt.res": "ETIMEDOUT"}) == []
    assert alerted(judge, "connect", "web", "10.244.0.2", "198.51.100.9", 443) == []
    # A Service's address says nothing: the pod behind it is judged where it accepts.
    assert alerted(judge, "connect", "web", "10.244.0.2", "10.96.0.7", 5432) == []


@pytest.mark.parametrize(
    ("own", "address", "found"),
    [
        ("10.244.0.2", "126.255.255.255", True),
        ("10.244.0.2", "127.0.0.0", False),
        ("10.244.0.2", "127.255.255.255", False),
        ("10.244.0.2", "128.0.0.0", True),
        ("10.244.0.2", "128.0.0.1", True),
        ("fd00::2", "::1", False),
        ("fd00::2", "::2", True),
        ("fd00::2", "::", True),
    ],
)
def test_a_process_of_the_same_machine_is_not_outside(own: str, address: str, found: bool) -> None:
    judge = engine(falco_rules(build([pod("web", ip=own), NO_EGRESS]))["content"])
    assert alerted(judge, "connect", "web", own, address, 443) == [OUT_OF_WEB] * found


def test_rules_say_which_way_the_connection_goes() -> None:
    rules = yaml.safe_load(falco_rules(build([*PODS, TO_DB, NO_EGRESS]))["content"])
    told = {entry["rule"]: entry["desc"] for entry in rules if "rule" in entry}
    assert told[INTO_DB].startswith("prod/Pod/db has a connection from a client that policies deny. ")
    assert told[OUT_OF_WEB].startswith("prod/Pod/web has a connection to an address that policies deny. ")


def test_pods_of_a_workload_are_known_by_either_kind_of_name() -> None:
    made = pod("web-7d9fbc5b8d-x2x4z", labels={"app": "web"}, ip="10.244.0.9", owner="web")
    blue = pod("web-blue", labels={"app": "web"}, ip="10.244.0.10", owner="web")
    judge = engine(falco_rules(build([*PODS, made, blue, NO_EGRESS]))["content"])
    for name in ("web-7d9fbc5b8d-zzzzz", "web-blue"):
        rule = ["Connection that policies deny out of prod/Deployment/web"]
        assert alerted(judge, "connect", name, "10.244.0.77", "203.0.113.9", 443) == rule
    assert alerted(judge, "connect", "web-green", "10.244.0.77", "203.0.113.9", 443) == []


def test_pods_of_a_deployment_are_known_by_how_their_names_begin() -> None:
    owned = pod("web-7d9fbc5b8d-x2x4z", labels={"app": "web"}, ip="10.244.0.9", owner="web")
    content = falco_rules(build([*PODS, owned, NO_EGRESS]))["content"]
    assert 'k8s.pod.name startswith "web-7d9fbc5b8d-"' in content
    rule = "Connection that policies deny out of prod/Deployment/web"
    assert alerted(engine(content), "connect", "web-7d9fbc5b8d-zzzzz", "10.244.0.77", "203.0.113.9", 443) == [rule]


def test_pods_that_are_not_made_anew_under_another_name_are_known_by_their_own() -> None:
    bare = pod("web-x2x4z", labels={"app": "web"}, ip="10.244.0.9")
    owned = pod("web-blue", labels={"app": "web"}, ip="10.244.0.10", owner="web")
    content = falco_rules(build([*PODS, bare, owned, NO_EGRESS]))["content"]
    assert "startswith" not in content
    assert 'k8s.pod.name in ("web-x2x4z")' in content
    assert 'k8s.pod.name in ("web-blue")' in content


def test_workloads_with_several_denials_have_rules_of_different_names() -> None:
    """Pods of one workload that a policy tells apart by a label."""
    one = pod("web-aaaaa-11111", labels={"app": "web"}, ip="10.244.0.9", owner="web")
    other = pod("web-bbbbb-22222", labels={"app": "db"}, ip="10.244.0.10", owner="web")
    closed = policy("{podSelector: {matchLabels: {app: web}}}", "closed")
    result = falco_rules(build([*PODS, one, other, closed, TO_DB]))
    rules = yaml.safe_load(result["content"])
    name = "Connection that policies deny into prod/Deployment/web"
    assert [entry["rule"] for entry in rules if "rule" in entry and entry["rule"].startswith(name)] == [
        name,
        f"{name} (2)",
    ]
    assert [item["rule"] for item in result["rules"]] == [entry["rule"] for entry in rules if "rule" in entry]
    lists = [entry["list"] for entry in rules if "list" in entry]
    assert len(lists) == len(set(lists))


def test_workloads_whose_names_are_nearly_the_same_have_lists_of_their_own() -> None:
    """A second list of a name would replace the first, and with it what the first rule is about."""
    dotted, hyphened = pod("web.v1", ip="10.244.0.9"), pod("web-v1", ip="10.244.0.10")
    lets_in = policy(
        "{podSelector: {matchLabels: {app: web.v1}}, ingress: [{from: [{podSelector: {matchLabels: {app: cron}}}]}]}"
    )
    closed = policy("{podSelector: {matchLabels: {app: web-v1}}}", "closed")
    judge = engine(falco_rules(build([*PODS, dotted, hyphened, lets_in, closed]))["content"])
    for name, address, found in (("web.v1", "10.244.0.9", False), ("web-v1", "10.244.0.10", True)):
        assert bool(alerted(judge, "accept4", name, "10.244.0.4", address, 80)) is found
        assert bool(alerted(judge, "accept4", name, "10.244.0.3", address, 80)) is True


def test_pods_on_the_host_network_cannot_be_watched() -> None:
    db = pod("db", ip="192.168.0.1")
    db["spec"]["hostNetwork"] = True
    result = falco_rules(build([db, *PODS[:1], TO_DB]), options=Options(policies_select_host_network=True))
    assert result["left_out"] == [{"workload": "prod/Pod/db", "reason": "it is on the host network"}]


def test_namespaces_narrow_what_is_watched() -> None:
    other = policy("{podSelector: {}}", "closed", "dev")
    pods = [*PODS, pod("web", "dev", ip="10.244.0.8"), other, TO_DB]
    named = {item["workload"] for item in falco_rules(build(pods), ["dev"])["rules"]}
    assert named == {"dev/Pod/web"}
    with pytest.raises(NetpolError, match="there is no pod in 'stage'"):
        falco_rules(build(pods), ["stage"])


def test_what_cannot_be_watched_is_told() -> None:
    result = falco_rules(build([pod("db"), pod("web", ip="10.244.0.2"), TO_DB]))
    assert result["left_out"] == [{"workload": "prod/Pod/db", "reason": "its pods have no address yet"}]
    assert result["content"] == ""


def test_without_policies_there_is_nothing_to_alert_on() -> None:
    assert falco_rules(build(PODS)) == {"content": "", "rules": [], "left_out": []}


def test_a_priority_that_falco_does_not_have_is_refused() -> None:
    with pytest.raises(NetpolError, match="'LOUD' is none of"):
        falco_rules(build(PODS), priority="LOUD")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(objects())
def test_between_pods_exactly_what_is_denied_is_alerted_on(manifests: list[dict[str, Any]]) -> None:
    for number, item in enumerate(m for m in manifests if m["kind"] == "Pod"):
        item["spec"]["hostNetwork"] = False
        item["status"] = {"podIPs": [{"ip": f"10.0.0.{number + 1}"}]}
    model = build(manifests)
    content = falco_rules(model)["content"]
    judge = engine(content) if content else None
    for source in model.running:
        for destination in model.running:
            if source is destination:
                continue
            for port in NUMBERS:
                verdict = decide(model, model.policies, source, destination, "TCP", port)
                said = event("accept4", destination.name, _ip(source), _ip(destination), port)
                said["fields"]["k8s.ns.name"] = destination.namespace
                fired = [] if judge is None else judge.alerts(_parsed(said))
                assert bool(fired) == (not verdict.allowed and not verdict.undetermined), (source, destination, port)


def _ip(one: Pod) -> str:
    return format_address(*one.addresses[0])
