"""Flows that must or must not be: what a violation says, what would mend it, and which flows are refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import FlowError, NetpolError, NoPodError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Options

from ..clusters import build
from ..lint.test_lint import admin, pod, policy

WEB = pod("web", ports=[{"name": "http", "containerPort": 8080}])
DENY = policy("{podSelector: {}, policyTypes: [Ingress]}", "deny")
TO_WEB = {"from": {"workload": "api"}, "to": {"workload": "web"}, "ports": [8080]}


def violations(
    *manifests: dict[str, Any], required: Any = None, forbidden: Any = None, **options: Any
) -> list[dict[str, Any]]:
    request = Request("assert", required_flows=required, forbidden_flows=forbidden, **options)
    result = answer(request, build(list(manifests)))
    found: list[dict[str, Any]] = result["violations"]
    assert result["holds"] is not bool(found)
    return found


def change(*manifests: dict[str, Any], **flows: Any) -> dict[str, Any]:
    """The one change that would mend the one violation."""
    (violation,) = violations(*manifests, **flows)
    (found,) = violation["fix"]["changes"]
    return dict(found)


@pytest.mark.parametrize(
    ("flow", "kind", "message"),
    [
        pytest.param(
            {"from": {"cidr": "192.0.2.0/24"}, "to": {"ip": "198.51.100.1"}},
            FlowError,
            "required_flows[0]: both ends are outside (policies are about pods)",
            id="both-ends-outside",
        ),
        pytest.param(
            {"from": {}, "to": {"ip": "198.51.100.1"}, "ports": ["http"]},
            FlowError,
            "required_flows[0].ports: an address outside has no port called 'http' (give its number)",
            id="a-name-of-a-port-outside",
        ),
        pytest.param(
            {"from": {}, "to": {"workload": "web"}, "ports": ["htpt"]},
            NoPodError,
            "required_flows[0].ports: workload web has no port called 'htpt' (did you mean 'http'?)",
            id="a-slip-in-a-name",
        ),
        pytest.param(
            {"from": {}, "to": {"workload": "web"}, "ports": ["metrics-server"]},
            NoPodError,
            "required_flows[0].ports: workload web has no port called 'metrics-server' (it has http)",
            id="another-name",
        ),
        pytest.param(
            {"from": {}, "to": {"workload": "api"}, "ports": ["http"]},
            NoPodError,
            "required_flows[0].ports: workload api has no port called 'http' (it has none with a name)",
            id="no-port-has-a-name",
        ),
        pytest.param(
            {"from": {}, "to": {"namespace": "prod"}, "ports": ["http"]},
            FlowError,
            "required_flows[0].ports: prod/api has no such named port (give the number, or declare it)",
            id="one-of-the-pods-does-not-have-it",
        ),
    ],
)
def test_a_flow_of_which_nothing_can_be_said_is_refused(flow: Any, kind: type[NetpolError], message: str) -> None:
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        violations(WEB, pod("api"), required=[flow])


def named(name: str, number: int) -> dict[str, Any]:
    return pod(name, ports=[{"name": "http", "containerPort": number}])


def test_a_name_of_a_port_is_a_number_of_its_own_at_each_pod() -> None:
    """Pods that no policy tells apart were all asked about the first one's number."""
    opens = policy("{podSelector: {}, ingress: [{ports: [{port: 8080}]}]}")
    flow = {"from": {"namespace": "dev"}, "to": {"namespace": "prod"}, "ports": ["http"]}
    pods = [named("a", 8080), named("b", 9090), pod("client", "dev")]
    (violation,) = violations(*pods, opens, required=[flow])
    assert (violation["to"], violation["ports"], violation["pairs"]) == ("prod/b", "TCP 9090", 1)
    (violation,) = violations(*pods, opens, forbidden=[flow])
    assert (violation["to"], violation["ports"], violation["pairs"]) == ("prod/a", "TCP 8080", 1)


def test_a_port_that_one_of_the_pods_does_not_have_is_not_open_there() -> None:
    flow = {"from": {"workload": "other"}, "to": {"namespace": "prod"}, "ports": ["http"]}
    (violation,) = violations(WEB, pod("api"), pod("other", "dev"), forbidden=[flow])
    assert (violation["to"], violation["pairs"]) == ("prod/web", 1)


def test_an_assertion_without_flows_is_no_assertion() -> None:
    with pytest.raises(NetpolError, match="assert needs required_flows or forbidden_flows"):
        violations(WEB, required=[])


def test_a_required_flow_that_is_denied_tells_both_changes() -> None:
    outgoing = policy("{podSelector: {matchLabels: {app: api}}, policyTypes: [Egress]}", "out")
    (violation,) = violations(WEB, pod("api"), DENY, outgoing, required=[TO_WEB])
    egress, ingress = violation["fix"]["changes"]
    assert egress["text"] == "add to NetworkPolicy prod/out an egress rule to prod/web on TCP 8080"
    assert egress["rule"] == {
        "to": [{"podSelector": {"matchLabels": {"app": "web"}}}],
        "ports": [{"protocol": "TCP", "port": 8080}],
    }
    # The policy that isolates selects every pod: a rule in it would open all of them.
    assert ingress["policy"] == ""
    assert ingress["manifest"]["metadata"] == {"name": "allow-web-ingress", "namespace": "prod"}
    assert ingress["manifest"]["spec"] == {
        "podSelector": {"matchLabels": {"app": "web"}},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"from": [{"podSelector": {"matchLabels": {"app": "api"}}}], "ports": egress["rule"]["ports"]},
        ],
    }
    assert violation["message"].endswith(f"Smallest change: {egress['text']} and {ingress['text']}.")
    applied = [ingress["manifest"], policy("{podSelector: {matchLabels: {app: api}}, egress: [{}]}", "out")]
    assert violations(WEB, pod("api"), DENY, *applied, required=[TO_WEB]) == []


@pytest.mark.parametrize(
    "other",
    [
        policy("{podSelector: {matchLabels: {app: api, tier: x}}, policyTypes: [Ingress]}", "of-others"),
        policy("{podSelector: {matchLabels: {app: web, tier: x}}, policyTypes: [Egress]}", "the-other-way"),
        admin(
            "subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web, tier: x}}}}\n"
            "ingress: [{action: Pass, from: [{namespaces: {}}]}]",
            "admin",
        ),
    ],
    ids=["of-others", "the-other-way", "one-that-isolates-nobody"],
)
def test_the_policy_to_be_changed_is_one_that_denies(other: dict[str, Any]) -> None:
    """Not one that says more of its pods, where these are others or it is about the other direction."""
    web = pod("web", labels={"app": "web", "tier": "x"})
    own = policy("{podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}", "own")
    assert change(web, pod("api"), own, other, required=[TO_WEB])["policy"] == "NetworkPolicy prod/own"


def test_a_policy_to_be_written_has_the_name_of_the_workload() -> None:
    web = pod("web-7d4b-x2x", labels={"app": "web"}, owner="shop")
    found = change(web, pod("api"), DENY, required=[{**TO_WEB, "to": {"workload": "shop"}}])
    assert found["manifest"]["metadata"]["name"] == "allow-shop-ingress"


IGNORED = policy("{podSelector: {}, policyTypes: [Egress], ingress: [{}], egress: [{}]}", "ignored")


def test_a_required_flow_that_is_denied_says_why_one_may_have_thought_otherwise() -> None:
    (violation,) = violations(WEB, pod("api"), DENY, IGNORED, required=[TO_WEB])
    assert [hint["code"] for hint in violation["hints"]] == ["ignored-rules"]
    assert violation["hints"][0]["message"] in violation["message"]
    assert "pairs in all" not in violation["message"]


def test_a_forbidden_flow_that_may_be_allowed_has_no_such_hints() -> None:
    maybe = policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}", "maybe")
    (violation,) = violations(WEB, pod("api"), maybe, IGNORED, forbidden=[TO_WEB])
    assert violation["verdict"]["undetermined"] is True
    assert violation["hints"] == []


def test_a_forbidden_flow_that_may_be_allowed_is_cut_where_that_is_not_certain() -> None:
    maybe = policy("{podSelector: {matchLabels: {app: api}}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}", "maybe")
    opens = policy("{podSelector: {matchLabels: {app: web}}, ingress: [{}]}", "opens")
    found = change(WEB, pod("api"), maybe, opens, forbidden=[TO_WEB])
    assert found["text"] == "narrow or remove egress rule 0 of NetworkPolicy prod/maybe"


@pytest.mark.parametrize(
    ("ports", "written"),
    [
        (["8000-8100/UDP"], [{"protocol": "UDP", "port": 8000, "endPort": 8100}]),
        ([{"protocol": "TCP"}], [{"protocol": "TCP"}]),
        (["53/UDP", 53], [{"protocol": "TCP", "port": 53}, {"protocol": "UDP", "port": 53}]),
    ],
    ids=["a-range", "a-protocol", "two-protocols"],
)
def test_the_ports_of_a_change_are_written_as_a_policy_has_them(ports: Any, written: list[dict[str, Any]]) -> None:
    found = change(WEB, pod("api"), DENY, required=[{**TO_WEB, "ports": ports}])
    assert found["rule"]["ports"] == written


def test_a_source_in_another_namespace_is_named_with_its_namespace() -> None:
    found = change(WEB, pod("api", "dev"), DENY, required=[TO_WEB])
    assert found["rule"]["from"] == [
        {
            "podSelector": {"matchLabels": {"app": "api"}},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "dev"}},
        }
    ]


@pytest.mark.parametrize(
    ("cidr", "blocks"),
    [
        ("192.0.2.7/32", ["192.0.2.7/32"]),
        ("192.0.2.0/24", ["192.0.2.0/24"]),
        ("0.0.0.0/0", ["0.0.0.0/0"]),
    ],
    ids=["an-address", "a-block", "all"],
)
def test_addresses_outside_are_opened_as_blocks(cidr: str, blocks: list[str]) -> None:
    found = change(WEB, DENY, required=[{"from": {"cidr": cidr}, "to": {"workload": "web"}}])
    assert [peer["ipBlock"]["cidr"] for peer in found["rule"]["from"]] == blocks


def test_a_change_opens_no_address_that_the_flow_does_not_need() -> None:
    """A range that is no block was opened as all addresses of its family."""
    some = policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/30, except: [192.0.2.3/32]}}]}]}")
    flow = {"from": {"cidr": "192.0.2.0/29"}, "to": {"workload": "web"}}
    (violation,) = violations(WEB, some, required=[flow])
    (found,) = violation["fix"]["changes"]
    opened = [peer["ipBlock"]["cidr"] for peer in found["rule"]["from"]]
    assert violation["from"] == "192.0.2.3-192.0.2.7"
    assert opened == ["192.0.2.3/32", "192.0.2.4/30"]
    assert violations(WEB, some, found["manifest"], required=[flow]) == []


def test_where_an_admin_policy_denies_a_rule_before_its_own_would_mend_it() -> None:
    first = admin("ingress: [{action: Deny, from: [{namespaces: {}}]}]", "first")
    found = change(WEB, pod("api"), first, required=[TO_WEB])
    assert found["text"] == "put an Allow rule for it before rule 0 of AdminNetworkPolicy first"
    assert (found["policy"], found["rule"]) == ("AdminNetworkPolicy first", 0)


def test_a_forbidden_flow_that_a_rule_allows_names_the_rule() -> None:
    opens = policy("{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 8080}]}]}", "opens")
    found = change(WEB, pod("api"), opens, forbidden=[TO_WEB])
    assert found["text"] == "narrow or remove ingress rule 0 of NetworkPolicy prod/opens"


@pytest.mark.parametrize(
    ("flow", "direction", "selected"),
    [
        (TO_WEB, "ingress", "web"),
        ({"from": {"workload": "web"}, "to": {"ip": "192.0.2.1"}}, "egress", "web"),
        ({"from": {"ip": "192.0.2.1"}, "to": {"workload": "web"}}, "ingress", "web"),
    ],
    ids=["between-pods", "to-outside", "from-outside"],
)
def test_a_forbidden_flow_that_nobody_decides_is_cut_at_a_pod(flow: Any, direction: str, selected: str) -> None:
    found = change(WEB, pod("api"), forbidden=[flow])
    assert found["text"] == f"isolate prod/{selected} for {direction} with a NetworkPolicy that selects it"
    assert found["manifest"]["spec"] == {
        "podSelector": {"matchLabels": {"app": selected}},
        "policyTypes": [direction.capitalize()],
    }
    assert violations(WEB, pod("api"), found["manifest"], forbidden=[flow]) == []


def on_host(name: str, node: str) -> dict[str, Any]:
    found = pod(name)
    found["spec"].update(hostNetwork=True, nodeName=node)
    return found


FROM_ONE = {"from": {"workload": "one"}, "to": {"workload": "two"}, "ports": [22]}


def test_what_policies_do_not_hold_for_is_cut_by_no_policy() -> None:
    """Between pods on the networks of two nodes."""
    found = change(on_host("one", "a"), on_host("two", "b"), forbidden=[FROM_ONE])
    assert "manifest" not in found
    assert found["text"] == "guard the nodes by their firewall, since policies do not hold for pods on the host network"


def test_where_policies_hold_for_the_host_network_what_they_cut_is_said_so() -> None:
    options = Options(policies_select_host_network=True)
    pods = (on_host("one", "a"), on_host("two", "b"))
    found = change(*pods, forbidden=[FROM_ONE], options=options)
    assert found["text"] == "isolate prod/two for ingress with a NetworkPolicy that selects it"
    assert violations(*pods, found["manifest"], forbidden=[FROM_ONE], options=options) == []
    assert len(violations(*pods, found["manifest"], forbidden=[FROM_ONE])) == 1


def test_what_goes_to_a_node_is_cut_where_it_comes_from() -> None:
    one, two = pod("one"), on_host("two", "b")
    found = change(one, two, forbidden=[FROM_ONE])
    assert found["text"] == "isolate prod/one for egress with a NetworkPolicy that selects it"
    assert violations(one, two, found["manifest"], forbidden=[FROM_ONE]) == []


def test_what_no_policy_can_cut_has_no_change() -> None:
    web = pod("web")
    web["status"] = {"hostIP": "192.0.2.9"}
    (violation,) = violations(web, forbidden=[{"from": {"ip": "192.0.2.9"}, "to": {"workload": "web"}}])
    assert violation["fix"] == {"changes": [], "text": ""}
    assert violation["message"].endswith("192.0.2.9 is the pod's own node, which policies cannot cut off.")


def test_a_pod_and_its_own_node_are_no_pair() -> None:
    """The kubelet reaches the pods of its node whatever policies say."""
    web = pod("web")
    web["spec"]["nodeName"] = "a"
    flow = {"from": {"workload": "agent"}, "to": {"workload": "web"}}
    assert violations(on_host("agent", "a"), web, DENY, required=[flow]) == []
    back = {"from": flow["to"], "to": flow["from"]}
    closed = policy("{podSelector: {}, policyTypes: [Egress]}")
    assert violations(on_host("agent", "a"), web, closed, required=[back]) == []
    for pods in ([on_host("agent", "b"), web], [on_host("agent", ""), pod("web")]):
        assert len(violations(*pods, DENY, required=[flow])) == 1
        assert len(violations(*pods, closed, required=[back])) == 1


def test_two_pods_of_one_node_are_a_pair() -> None:
    pods = [WEB, pod("api")]
    pods = [{**one, "spec": {**one["spec"], "nodeName": "a"}} for one in pods]
    assert len(violations(*pods, DENY, required=[TO_WEB])) == 1


def test_a_pod_and_itself_are_no_pair_and_the_pods_of_a_workload_are() -> None:
    flow = {"from": {"workload": "web"}, "to": {"workload": "web"}}
    assert violations(pod("web"), DENY, required=[flow]) == []
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}
    workload = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "prod"},
        "spec": {"replicas": 2, "template": template},
    }
    assert len(violations(workload, DENY, required=[flow])) == 1


def test_pairs_that_fail_alike_are_counted_and_the_first_is_told() -> None:
    flow = {"from": {"namespace": "dev"}, "to": {"workload": "web"}, "ports": [8080]}
    (violation,) = violations(WEB, pod("a", "dev"), pod("b", "dev"), DENY, required=[flow])
    assert (violation["from"], violation["pairs"]) == ("dev/a", 2)
    assert "dev/a -> prod/web on TCP 8080 is required but denied (2 pairs in all): " in violation["message"]
