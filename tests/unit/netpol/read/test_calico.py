"""Calico's policies as the model's: who may connect, and what is not known."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.calico_selector import (
    SelectorError,
    UnknownSelectorError,
    alternatives,
    opposite,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

from ..lint.test_lint import admin, pod, policy
from .test_cilium import PODS, verdict


def calico(spec: str, namespace: str = "prod", name: str = "c") -> dict[str, Any]:
    kind = "NetworkPolicy" if namespace else "GlobalNetworkPolicy"
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": "projectcalico.org/v3", "kind": kind, "metadata": metadata, "spec": yaml.safe_load(spec)}


STATES = (None, "a", "b", "c")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("all()", lambda x, y: True),
        ("global()", lambda x, y: False),
        ("has(x)", lambda x, y: x is not None),
        ("!has(x)", lambda x, y: x is None),
        ("x == 'a'", lambda x, y: x == "a"),
        ('x != "a"', lambda x, y: x != "a"),
        ("x in {'a', 'b'}", lambda x, y: x in ("a", "b")),
        ("x not in {'a','b'}", lambda x, y: x not in ("a", "b")),
        ("x == 'a' && y == 'b' || has(y)", lambda x, y: (x == "a" and y == "b") or y is not None),
        ("x == 'a' && (y == 'b' || !has(y))", lambda x, y: x == "a" and (y == "b" or y is None)),
        ("!(x == 'a' && y == 'b')", lambda x, y: not (x == "a" and y == "b")),
        ("!(x == 'a' || has(y)) ", lambda x, y: not (x == "a" or y is not None)),
    ],
)
def test_an_expression_selects_what_it_says(text: str, meant: Any) -> None:
    for x, y in product(STATES, STATES):
        labels = {key: value for key, value in (("x", x), ("y", y)) if value is not None}
        for found, expected in ((alternatives(text), meant(x, y)), (opposite(text), not meant(x, y))):
            assert any(all(one.matches(labels) for one in each) for each in found) == expected, (labels, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x == a", "expected a text in quotes before 'a'"),
        ("x == 'a' &&", "expected a label or all"),
        ("(x == 'a'", "expected '\\)' at the end"),
        ("x == 'a' y", "unexpected 'y'"),
        ("some()", "unknown function some"),
        ("x ~ 'a'", "unexpected '~'"),
        ("x not 'a'", "expected in before 'a'"),
        ("x is {'a'}", "unexpected 'is'"),
    ],
)
def test_what_is_no_expression_is_refused(text: str, message: str) -> None:
    for read in (alternatives, opposite):
        with pytest.raises(SelectorError, match=message):
            read(text)


def test_what_label_selectors_cannot_say_is_refused_by_name() -> None:
    with pytest.raises(UnknownSelectorError, match="x starts"):
        alternatives("x starts with 'a'")
    with pytest.raises(UnknownSelectorError, match="more than 64"):
        alternatives(" && ".join(f"(a{n} == 'x' || b{n} == 'x')" for n in range(8)))
    assert len(alternatives(" || ".join(f"a{n} == 'x'" for n in range(64)))) == 64
    with pytest.raises(UnknownSelectorError, match="more than 64"):
        alternatives(" || ".join(f"a{n} == 'x'" for n in range(65)))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        # What selects a pod denies what no rule matches.
        ("{selector: all()}", {("web", "db"): "denied"}),
        ("{selector: app == 'web'}", {("web", "db"): "allowed", ("db", "web"): "denied"}),
        ("{selector: all(), types: [Egress]}", {("web", "192.0.2.1"): "denied", ("192.0.2.1", "db"): "allowed"}),
        # Peers of the own namespace, or of those that are selected.
        (
            "{ingress: [{action: Allow, source: {selector: app == 'web'}}]}",
            {("web", "db"): "allowed", ("dev", "db"): "denied", ("db", "web"): "denied"},
        ),
        (
            "{ingress: [{action: Allow, source: {namespaceSelector: projectcalico.org/name == 'dev'}}]}",
            {("web", "db"): "denied", ("dev", "db"): "allowed"},
        ),
        (
            "{ingress: [{action: Allow, source: {notSelector: app == 'web'}}]}",
            {("web", "db"): "denied", ("db", "web"): "allowed"},
        ),
        # The first rule that matches decides.
        (
            "{ingress: [{action: Deny, source: {selector: app == 'web'}}, {action: Allow}]}",
            {("web", "db"): "denied", ("dev", "db"): "allowed", ("192.0.2.1", "db"): "allowed"},
        ),
        ("{ingress: [{action: Log}, {action: Allow}, {action: Deny}]}", {("web", "db"): "allowed"}),
        ("{ingress: [{action: Pass, source: {selector: app == 'web'}}]}", {("web", "db"): "allowed"}),
        # Protocols and ports.
        (
            "{ingress: [{action: Allow, protocol: TCP, destination: {ports: ['79:81']}}]}",
            {("web", "db"): "allowed"},
        ),
        ("{ingress: [{action: Allow, protocol: TCP, destination: {notPorts: [80]}}]}", {("web", "db"): "denied"}),
        ("{ingress: [{action: Allow, protocol: UDP}]}", {("web", "db"): "denied"}),
        ("{ingress: [{action: Allow, protocol: 6}]}", {("web", "db"): "allowed"}),
        ("{ingress: [{action: Allow, notProtocol: TCP}]}", {("web", "db"): "denied"}),
        ("{ingress: [{action: Allow, protocol: ICMP}]}", {("web", "db"): "denied"}),
        (
            "{ingress: [{action: Allow, protocol: TCP, destination: {notPorts: ['1:79', 81]}}]}",
            {("web", "db"): "allowed"},
        ),
        (
            "{ingress: [{action: Allow, protocol: TCP, destination: {notPorts: ['1:65535']}}]}",
            {("web", "db"): "denied"},
        ),
        (
            "{ingress: [{action: Allow, protocol: TCP, destination: {notPorts: ['70:90', 75, 81]}}]}",
            {("web", "db"): "denied"},
        ),
        # By the labels that Calico gives to pods.
        ("{selector: projectcalico.org/orchestrator == 'k8s'}", {("web", "db"): "denied"}),
        ("{selector: has(projectcalico.org/orchestrator)}", {("web", "db"): "denied"}),
        ("{selector: projectcalico.org/orchestrator == 'openstack'}", {("web", "db"): "allowed"}),
        (
            "{ingress: [{action: Allow, source: {selector: projectcalico.org/namespace == 'dev'}}]}",
            {("web", "db"): "denied", ("dev", "db"): "denied"},
        ),
        (
            "{ingress: [{action: Allow, source: {selector: projectcalico.org/namespace == 'prod'}}]}",
            {("web", "db"): "allowed", ("dev", "db"): "denied"},
        ),
        # Blocks.
        (
            "{ingress: [{action: Allow, source: {notNets: [192.0.2.0/25]}}]}",
            {("192.0.2.1", "db"): "denied", ("192.0.2.200", "db"): "allowed"},
        ),
        (
            "{ingress: [{action: Allow, source: {nets: [192.0.2.1]}}]}",
            {("192.0.2.1", "db"): "allowed", ("192.0.2.2", "db"): "denied"},
        ),
        (
            "{ingress: [{action: Allow, source: {nets: [192.0.2.0/24], notNets: [192.0.2.0/25]}}]}",
            {("192.0.2.1", "db"): "denied", ("192.0.2.200", "db"): "allowed"},
        ),
        # What is not known.
        ("{ingress: [{action: Allow, source: {serviceAccounts: {names: [web]}}}]}", {("web", "db"): "undetermined"}),
        ("{ingress: [{action: Allow, http: {methods: [GET]}}]}", {("web", "db"): "undetermined"}),
        ("{ingress: [{action: Allow, source: {selector: app contains 'we'}}]}", {("web", "db"): "undetermined"}),
        (
            "{ingress: [{action: Allow, protocol: TCP, destination: {notPorts: [http]}}]}",
            {("web", "db"): "undetermined"},
        ),
        (
            "{ingress: [{action: Allow, source: {selector: app == 'web', nets: [10.0.0.0/8]}}]}",
            {("web", "db"): "undetermined", ("db", "web"): "denied"},
        ),
        (
            "{ingress: [{action: Allow, source: {selector: projectcalico.org/serviceaccount == 'web'}}]}",
            {("web", "db"): "undetermined"},
        ),
        ("{ingress: [{action: Deny, source: {ports: [80]}}, {action: Allow}]}", {("web", "db"): "undetermined"}),
    ],
)
def test_who_may_connect_under_a_policy_of_calico(spec: str, expected: dict[tuple[str, str], str]) -> None:
    found = {(start, end): verdict(calico(spec), start=start, end=end) for start, end in expected}
    assert found == expected


def test_policies_are_read_in_their_order() -> None:
    denies = calico("{order: 20, ingress: [{action: Deny}]}", name="a")
    allows = calico("{order: 10, ingress: [{action: Allow}]}", name="b")
    assert verdict(denies, allows) == "allowed"
    denies["spec"]["order"] = 1
    assert verdict(denies, allows) == "denied"
    # Without an order it is the last.
    del denies["spec"]["order"]
    assert verdict(denies, allows) == "allowed"


def test_network_policies_stand_at_order_1000() -> None:
    opens = policy("{podSelector: {}, ingress: [{}]}")
    before = calico("{order: 999, ingress: [{action: Deny, source: {selector: app == 'web'}}]}")
    behind = calico("{order: 1001, ingress: [{action: Deny, source: {selector: app == 'web'}}]}")
    assert (verdict(opens, before), verdict(opens, behind)) == ("denied", "undetermined")
    assert verdict(behind) == "denied"


def test_a_global_policy_is_about_every_namespace_that_it_selects() -> None:
    spec = "{selector: all(), namespaceSelector: 'projectcalico.org/name in {\"prod\"}'}"
    assert verdict(calico(spec, namespace="")) == "denied"
    assert verdict(calico(spec, namespace=""), start="db", end="dev") == "allowed"
    assert verdict(calico("{selector: pcns.kubernetes.io/metadata.name == 'dev'}", ""), end="dev") == "denied"


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("{tier: security}", "tier security"),
        ("{serviceAccountSelector: all()}", "serviceAccountSelector"),
        ("{selector: app starts with 'w'}", "app starts"),
    ],
)
def test_what_is_left_out_as_a_whole_is_told_by_name(spec: str, told: str) -> None:
    model = load([Input("t", objects=[*PODS, calico(spec)])])
    assert [item.kind for item in model.not_analysed] == [
        f"NetworkPolicy.projectcalico.org prod/c (about pods by {told})"
    ]
    assert model.policies == []


def test_host_endpoints_are_no_pods() -> None:
    assert verdict(calico("{selector: all(), preDNAT: true, applyOnForward: true}", "")) == "allowed"


def test_network_sets_are_told_as_left_out() -> None:
    sets = {"apiVersion": "projectcalico.org/v3", "kind": "GlobalNetworkSet", "metadata": {"name": "s"}, "spec": {}}
    assert load([Input("t", objects=[pod("web"), sets])]).notes == ["not analysed: 1 GlobalNetworkSet"]


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        ("{selector: app = 'web'}", "spec.selector", "invalid selector"),
        ("{ingress: [{action: Reject}]}", "spec.ingress[0].action", "unsupported value 'Reject'"),
        ("{ingress: [{action: Allow, source: {nets: [10.0.0.0/33]}}]}", "spec.ingress[0].source.nets[0]", "not a CIDR"),
        ("{order: first}", "spec.order", "invalid value 'first': must be a number"),
        ("{order: [1]}", "spec.order", "invalid value [1]: must be a number"),
        ("{order: .inf}", "spec.order", "invalid value inf: must be a number"),
        (
            "{ingress: [{action: Allow, protocol: TCP, destination: {ports: ['80:x']}}]}",
            "spec.ingress[0].destination.ports[0]",
            "invalid value '80:x': a range is written as 8000:8100",
        ),
        (
            "{ingress: [{action: Allow, protocol: TCP, destination: {ports: ['81:80']}}]}",
            "spec.ingress[0].destination.ports[0]",
            "invalid value 80: must be between 81 and 65535",
        ),
        (
            "{ingress: [{action: Allow, protocol: TCP, destination: {ports: [null]}}]}",
            "spec.ingress[0].destination.ports[0]",
            "must be a string, not a null",
        ),
    ],
    ids=range(9),
)
def test_what_calico_refuses_is_an_error_at_its_path(spec: str, path: str, message: str) -> None:
    found = load([Input("t", objects=[calico(spec)])], "skip").errors[0]
    assert found.path == path
    assert message in found.message


def test_an_order_may_be_a_fraction() -> None:
    denies = calico("{order: 10.5, ingress: [{action: Deny}]}", name="a")
    allows = calico("{order: 10.25, ingress: [{action: Allow}]}", name="b")
    assert verdict(denies, allows) == "allowed"


def test_behind_admin_policies_that_pass_nothing_is_certain() -> None:
    """Calico's own tiers pass to the next tier; where these policies stand behind them is not known."""
    passes = admin("ingress: [{action: Pass, from: [{namespaces: {}}]}]", "passes")
    allows = calico("{ingress: [{action: Allow, source: {selector: app == 'web'}}]}")
    assert (verdict(allows), verdict(allows, passes)) == ("allowed", "undetermined")
    assert verdict(allows, passes, start="dev") == "denied"


def test_pass_ends_in_a_baseline_tier_where_there_is_one() -> None:
    baseline = admin("ingress: [{action: Deny, from: [{namespaces: {}}]}]", "default")
    baseline["kind"] = "BaselineAdminNetworkPolicy"
    del baseline["spec"]["priority"]
    passes = calico("{ingress: [{action: Pass, source: {selector: app == 'web'}}]}")
    assert (verdict(passes), verdict(passes, baseline)) == ("allowed", "undetermined")
