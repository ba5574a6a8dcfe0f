"""The catalogue of policies: what each entry becomes, that it does what it says, and how mistakes are told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.filter.network_policies import FilterModule
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load
from ansible_collections.falconet.k8s.plugins.module_utils.netpol_catalogue.catalogue import (
    KINDS,
    needs_api_server,
    render,
)
from ansible_collections.falconet.k8s.plugins.module_utils.netpol_catalogue.options import CatalogueError

# The least that each type needs.
SAMPLES: dict[str, dict[str, Any]] = {
    "from_namespaces": {"namespaces": ["b"]},
    "to_namespaces": {"namespace_labels": {"team": "x"}},
    "from_pods": {"labels": {"app": "x"}},
    "to_pods": {"labels": {"app": "x"}},
    "from_cidr": {"cidr": "192.0.2.0/24"},
    "to_cidr": {"cidr": ["192.0.2.0/24", "2001:db8::/32"]},
    "to_api_server": {"addresses": ["192.0.2.1"]},
}


def one(namespace: str = "a", **entry: Any) -> dict[str, Any]:
    found = render([{"name": namespace, "create": False, "policies": [entry]}])
    assert len(found) == 1
    spec: dict[str, Any] = found[0]["spec"]
    return spec


def pod(namespace: str, name: str, **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels or {"app": name}},
        "spec": {"containers": [{"name": "c"}]},
    }


def allowed(policies: list[dict[str, Any]], pods: list[dict[str, Any]], **query: Any) -> bool:
    names = {p["metadata"]["namespace"] for p in pods}
    namespaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in sorted(names)]
    model = load([Input("test", objects=[*namespaces, *pods, *policies])])
    request = Request("query", source=query["source"], destination=query["target"], ports=query["ports"])
    return bool(answer(request, model)["allowed"])


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_type_is_a_valid_policy_that_the_analysis_reads(kind: str) -> None:
    found = render([{"name": "a", "policies": [{"type": kind, **SAMPLES.get(kind, {})}]}])
    model = load([Input("test", objects=found)])
    assert not model.problems
    assert len(model.policies) == len(found) - 1 >= 1


def test_namespaces_are_labelled_and_only_those_that_are_ours() -> None:
    found = render(
        [
            {"name": "prod", "labels": {"environment": "production"}, "policies": ["deny_all"]},
            {"name": "kube-system", "create": False, "policies": []},
        ]
    )
    assert [(o["kind"], o["metadata"]["name"]) for o in found] == [
        ("Namespace", "prod"),
        ("NetworkPolicy", "default-deny"),
    ]
    assert found[0]["metadata"]["labels"] == {"environment": "production"}
    assert found[1]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_dns_is_for_the_clusters_dns_alone() -> None:
    spec = one(type="dns", addresses=["169.254.20.10/32"])
    (rule,) = spec["egress"]
    assert rule["to"][0] == {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    assert rule["to"][1] == {"ipBlock": {"cidr": "169.254.20.10/32"}}
    assert {(p["protocol"], p["port"]) for p in rule["ports"]} == {("UDP", 53), ("TCP", 53)}
    (rule,) = one(type="dns", labels={"app": "coredns"})["egress"]
    assert [peer["podSelector"] for peer in rule["to"]] == [{"matchLabels": {"app": "coredns"}}]


@pytest.mark.parametrize(
    ("direction", "types", "rules"),
    [
        ("ingress", ["Ingress"], {"ingress": [{"from": [{"podSelector": {}}]}]}),
        ("egress", ["Egress"], {"egress": [{"to": [{"podSelector": {}}]}]}),
        (
            "both",
            ["Ingress", "Egress"],
            {"ingress": [{"from": [{"podSelector": {}}]}], "egress": [{"to": [{"podSelector": {}}]}]},
        ),
    ],
)
def test_a_namespace_is_opened_to_itself_in_the_directions_that_are_asked_for(
    direction: str, types: list[str], rules: dict[str, Any]
) -> None:
    spec = one(type="same_namespace", direction=direction)
    assert spec == {"podSelector": {}, "policyTypes": types, **rules}


@pytest.mark.parametrize(
    ("address", "public"),
    [("10.1.2.3", False), ("172.31.0.1", False), ("169.254.169.254", False), ("8.8.8.8", True), ("fd00::1", False)],
)
def test_public_means_no_private_address(address: str, public: bool) -> None:
    policies = render([{"name": "a", "create": False, "policies": ["deny_egress", "to_public"]}])
    query = {"source": {"namespace": "a"}, "target": {"ip": address}, "ports": [443]}
    assert allowed(policies, [pod("a", "p")], **query) is public


def test_named_and_ranged_ports() -> None:
    spec = one(type="from_pods", labels={"app": "x"}, ports=[80, "53/udp", "http/TCP", "8000-8100", "web-80", "80-web"])
    assert spec["ingress"][0]["ports"] == [
        {"protocol": "TCP", "port": 80},
        {"protocol": "UDP", "port": 53},
        {"protocol": "TCP", "port": "http"},
        {"protocol": "TCP", "port": 8000, "endPort": 8100},
        {"protocol": "TCP", "port": "web-80"},
        {"protocol": "TCP", "port": "80-web"},
    ]


def test_well_known_components_may_live_elsewhere() -> None:
    assert one(type="from_prometheus", ports=[8765])["ingress"][0]["from"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}},
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
        }
    ]
    elsewhere = one(type="from_prometheus", namespaces=["o11y"], labels={"app": "prom"})["ingress"][0]["from"]
    assert elsewhere[0]["podSelector"] == {"matchLabels": {"app": "prom"}}


def test_the_set_for_falco_lets_alerts_through_and_nothing_else() -> None:
    instance = {"app.kubernetes.io/instance": "falco"}
    sidekick = {"app.kubernetes.io/name": "falcosidekick", **instance}
    pods = [
        pod("falco", "falco", **{"app.kubernetes.io/name": "falco", **instance}),
        pod("falco", "sidekick", **sidekick, **{"app.kubernetes.io/component": "core"}),
        pod("falco", "ui", **sidekick, **{"app.kubernetes.io/component": "ui"}),
        pod("falco", "redis", **sidekick, **{"app.kubernetes.io/component": "ui-redis"}),
        pod("other", "x"),
    ]
    policies = render([{"name": "falco", "create": False, "policies": [{"type": "falco", "ui_from": "192.0.2.0/24"}]}])

    def passes(source: str, target: str, port: int) -> bool:
        ends = {"source": {"pod": source}, "target": {"pod": target}, "ports": [port]}
        return allowed(policies, pods, **ends)

    assert passes("falco", "sidekick", 2801)
    assert passes("sidekick", "ui", 2802)
    assert passes("ui", "redis", 6379)
    assert not passes("falco", "redis", 6379)
    assert not passes("sidekick", "redis", 6379)
    assert not passes("x", "sidekick", 2801)
    assert not passes("falco", "x", 80)
    outside = {"source": {"pod": "sidekick"}, "target": {"ip": "203.0.113.5"}}
    assert allowed(policies, pods, **outside, ports=[443])
    assert not allowed(policies, pods, **outside, ports=[80])
    assert allowed(policies, pods, source={"ip": "192.0.2.7"}, target={"pod": "ui"}, ports=[2802])
    assert not allowed(policies, pods, source={"ip": "203.0.113.7"}, target={"pod": "ui"}, ports=[2802])


def test_the_set_for_falco_asks_the_clusters_dns_and_has_no_more_than_was_chosen() -> None:
    found = {one["metadata"]["name"]: one["spec"] for one in render([{"name": "falco", "policies": ["falco"]}])[1:]}
    assert list(found) == ["default-deny", "allow-dns", "falco", "falco-rules-canary", "falcosidekick",
                           "falcosidekick-ui", "falcosidekick-ui-redis"]  # fmt: skip
    (dns,) = found["allow-dns"]["egress"]
    assert dns["ports"] == [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
    assert [[port["port"] for port in one["ports"]] for one in found["falco"]["ingress"]] == [[8765]]
    assert [[port["port"] for port in one["ports"]] for one in found["falco"]["egress"]] == [[2801]]


def test_the_set_for_falco_takes_addresses_of_both_families_and_both_ports_of_the_api_server() -> None:
    entry = {"type": "falco", "metacollector": True, "addresses": ["192.0.2.1", "2001:db8::1"]}
    found = {one["metadata"]["name"]: one["spec"] for one in render([{"name": "falco", "policies": [entry]}])[1:]}
    (asks,) = found["k8s-metacollector"]["egress"]
    assert [peer["ipBlock"]["cidr"] for peer in asks["to"]] == ["192.0.2.1/32", "2001:db8::1/128"]
    assert asks["ports"] == [{"protocol": "TCP", "port": 443}, {"protocol": "TCP", "port": 6443}]


def test_the_set_for_falco_lets_the_api_server_ask_which_rules_run() -> None:
    pods = [
        pod("falco", "falco", **{"app.kubernetes.io/name": "falco", "app.kubernetes.io/instance": "falco"}),
        pod("falco", "canary", **{"app.kubernetes.io/component": "falco-rules-canary"}),
        pod("other", "x"),
    ]
    entry = {"type": "falco", "addresses": ["192.0.2.11"]}
    policies = render([{"name": "falco", "create": False, "policies": [entry]}])
    for target in ("falco", "canary"):
        assert allowed(policies, pods, source={"ip": "192.0.2.11"}, target={"pod": target}, ports=[8765])
        assert not allowed(policies, pods, source={"ip": "192.0.2.12"}, target={"pod": target}, ports=[8765])
        assert not allowed(policies, pods, source={"pod": "x"}, target={"pod": target}, ports=[8765])


@pytest.mark.parametrize("own", [True, False])
def test_further_releases_reach_what_they_feed_and_are_fed_by(own: bool) -> None:
    def sidekick(instance: str, component: str) -> dict[str, str]:
        names = {"app.kubernetes.io/name": "falcosidekick", "app.kubernetes.io/component": component}
        return {**names, "app.kubernetes.io/instance": instance}

    first = "falco-falcosidekick" if own else "falco"
    pods = [
        pod("falco", "falco", **{"app.kubernetes.io/name": "falco", "app.kubernetes.io/instance": "falco"}),
        pod("falco", "sidekick", **sidekick(first, "core")),
        pod("falco", "ui", **sidekick(first, "ui")),
        pod("falco", "oncall", **sidekick("falco-falcosidekick-oncall", "core")),
    ]
    old = {"app.kubernetes.io/name": "falco", "app.kubernetes.io/instance": "falco-old"}
    pods.append(pod("falco", "falco-old", **old))
    entry = {"type": "falco", "sidekick_own": own, "sidekicks": ["oncall"], "driver_groups": ["old"]}
    policies = render([{"name": "falco", "create": False, "policies": [entry]}])

    def passes(source: str, target: dict[str, str], port: int) -> bool:
        return allowed(policies, pods, source={"pod": source}, target=target, ports=[port])

    assert passes("falco", {"pod": "sidekick"}, 2801)
    assert passes("falco-old", {"pod": "sidekick"}, 2801)
    assert passes("sidekick", {"pod": "oncall"}, 2801)
    assert not passes("falco-old", {"pod": "oncall"}, 2801)
    assert passes("sidekick", {"pod": "ui"}, 2802)
    assert passes("oncall", {"ip": "203.0.113.5"}, 443)
    assert not passes("falco", {"pod": "oncall"}, 2801)
    assert not passes("oncall", {"pod": "sidekick"}, 2801)
    assert not passes("oncall", {"pod": "ui"}, 2802)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("deny_al", "did you mean deny_all?"),
        ({"type": "dns", "port": 53}, "there is no option port; did you mean ports?"),
        ({"type": "from_namespaces"}, "namespaces or namespace_labels is missing"),
        ({"type": "to_cidr"}, "cidr is missing"),
        ({"type": "to_cidr", "cidr": "10.0.0.1/8"}, "has host bits set"),
        ({"type": "same_namespace", "ports": [70000]}, "ports go from 1 to 65535"),
        ({"type": "same_namespace", "ports": ["80/ICMP"]}, "is no port"),
        ({"type": "same_namespace", "direction": "in"}, "both, ingress or egress"),
        ({"type": "to_api_server"}, "addresses of the API server are missing"),
        ({"type": "falco", "metacollector": True}, "the metacollector needs addresses"),
        ({"type": "dns", "name": "Not A Name"}, "is no name of a Kubernetes object"),
        ({"name": "x"}, "type is missing"),
        (5, "must be a name of the catalogue"),
    ],
)
def test_mistakes_name_their_place(entry: Any, message: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        render([{"name": "a", "policies": ["deny_ingress", entry]}])
    assert "namespaces[0].policies[1]" in str(caught.value)
    assert message in str(caught.value)


def test_two_policies_of_one_name_are_refused() -> None:
    with pytest.raises(CatalogueError, match=r"policies\[0\] has a policy allow-from-pods already; give name"):
        render([{"name": "a", "policies": [{"type": "from_pods", "labels": {"a": "b"}}] * 2}])


def test_the_api_servers_addresses_are_filled_in_where_they_are_needed() -> None:
    entries = [{"name": "a", "policies": ["to_api_server"]}]
    assert needs_api_server(entries)
    assert not needs_api_server([{"name": "a", "policies": ["dns", {"type": "to_api_server", "addresses": ["::1"]}]}])
    found = FilterModule().filters()["network_policies"](entries, ["192.0.2.9", "2001:db8::1"])
    blocks = [peer["ipBlock"]["cidr"] for peer in found[1]["spec"]["egress"][0]["to"]]
    assert blocks == ["192.0.2.9/32", "2001:db8::1/128"]
    own = {"type": "to_api_server", "addresses": ["192.0.2.7"]}
    found = render([{"name": "a", "create": False, "policies": [own, "dns"]}], ["192.0.2.9"])
    peers = [found[0]["spec"]["egress"][0]["to"], found[1]["spec"]["egress"][0]["to"]]
    assert [peer["ipBlock"]["cidr"] for some in peers for peer in some if "ipBlock" in peer] == ["192.0.2.7/32"]


@pytest.mark.parametrize(
    ("namespaces", "message"),
    [
        (["a"], "namespaces[0]: must be a mapping with name and policies, not 'a'"),
        ([{"policies": []}], "namespaces[0]: name is missing"),
        ([{"name": "a", "policies": "dns"}], "namespaces[0].policies: must be a list, not 'dns'"),
        ([{"name": "a", "labels": "x"}], "namespaces[0]: labels must be a mapping of labels, not 'x'"),
        ([{"name": "a", "label": {}}], "namespaces[0]: there is no option label; did you mean labels?"),
        ([{"name": "a", "create": False, "labels": {"b": "c"}}], "labels and annotations need create: true"),
        ([{"name": "a", "create": False, "annotations": {"b": "c"}}], "labels and annotations need create: true"),
        ([{"name": "a", "policies": [{"type": "from_pods"}]}], "policies[0] (from_pods): labels is missing"),
        (
            [{"name": "a", "policies": [{"type": "to_namespaces", "namespaces": [5]}]}],
            "namespaces must be a name or a list of names, not [5]",
        ),
        (
            [{"name": "a", "policies": [{"type": "to_namespaces", "namespaces": {"b": "c"}}]}],
            "namespaces must be a name or a list of names, not {'b': 'c'}",
        ),
        ([{"name": "a", "policies": [{"type": "same_namespace", "ports": 65536}]}], "ports go from 1 to 65535"),
        ([{"name": "a", "policies": [{"type": "same_namespace", "ports": "90-80"}]}], "'90-80' is no range of ports"),
        ([{"name": "a", "policies": [{"type": "same_namespace", "ports": "0-80"}]}], "'0-80' is no range of ports"),
        ([{"name": "a", "policies": [{"type": "same_namespace", "ports": "1-65536"}]}], "is no range of ports"),
        ([{"name": "a", "policies": [{"type": "same_namespace", "ports": 0}]}], "ports go from 1 to 65535"),
        ([{"name": "a", "policies": [{"type": "same_namespace", "ports": True}]}], "True is no port"),
    ],
)
def test_mistakes_of_a_namespace_name_its_place(namespaces: list[Any], message: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        render(namespaces)
    assert message in str(caught.value)


def test_ports_go_up_to_their_bounds() -> None:
    rule = one(type="from_pods", labels={"app": "x"}, ports=[1, 65535, "1-65535", "80-80"])["ingress"][0]
    assert [(port["port"], port.get("endPort")) for port in rule["ports"]] == [
        (1, None),
        (65535, None),
        (1, 65535),
        (80, 80),
    ]


def test_annotations_are_set_and_the_entries_of_two_namespaces_have_names_of_their_own() -> None:
    found = render([{"name": "a", "annotations": {"b": "c"}, "policies": ["dns"]}, {"name": "d", "policies": ["dns"]}])
    assert [(one["kind"], one["metadata"].get("namespace")) for one in found] == [
        ("Namespace", None),
        ("NetworkPolicy", "a"),
        ("Namespace", None),
        ("NetworkPolicy", "d"),
    ]
    assert found[0]["metadata"] == {"name": "a", "annotations": {"b": "c"}}


def test_pods_of_several_namespaces_by_name_and_label() -> None:
    spec = one(type="to_namespaces", namespaces=["c", "b"], namespace_labels={"team": "x"}, labels={"app": "db"})
    assert spec["egress"][0]["to"] == [
        {
            "namespaceSelector": {
                "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["b", "c"]}],
                "matchLabels": {"team": "x"},
            },
            "podSelector": {"matchLabels": {"app": "db"}},
        }
    ]


def test_blocks_have_exceptions_and_public_ones_too() -> None:
    excepted: dict[str, Any] = {"except": "10.1.0.0/16"}
    spec = one(type="from_cidr", cidr=["10.0.0.0/8", "10.0.0.0/9"], **excepted)
    assert [peer["ipBlock"]["except"] for peer in spec["ingress"][0]["from"]] == [["10.1.0.0/16"]] * 2
    excepted = {"except": ["203.0.113.0/24", "2001:db8::/32"]}
    spec = one(type="to_public", **excepted)
    four, six = (peer["ipBlock"]["except"] for peer in spec["egress"][0]["to"])
    assert ("203.0.113.0/24" in four, "2001:db8::/32" in four) == (True, False)
    assert ("203.0.113.0/24" in six, "2001:db8::/32" in six) == (False, True)


def test_the_set_for_falco_opens_what_runs_beside_it_and_no_more() -> None:
    falco = {"app.kubernetes.io/name": "falco", "app.kubernetes.io/instance": "falco"}
    collector = {"app.kubernetes.io/name": "k8s-metacollector", "app.kubernetes.io/instance": "falco"}
    sidekick = {"app.kubernetes.io/name": "falcosidekick", "app.kubernetes.io/instance": "falco"}
    pods = [
        pod("falco", "falco", **falco),
        pod("falco", "collector", **collector),
        pod("falco", "sidekick", **sidekick),
        pod("monitoring", "prometheus"),
    ]
    entry = {
        "type": "falco",
        "metacollector": True,
        "audit": True,
        "audit_from": "192.0.2.0/24",
        "artifacts_to": "198.51.100.0/24",
        "prometheus": "monitoring",
        "addresses": ["203.0.113.9"],
    }
    policies = render([{"name": "falco", "create": False, "policies": [entry]}])

    def passes(source: dict[str, str], target: dict[str, str], port: int) -> bool:
        return allowed(policies, pods, source=source, target=target, ports=[port])

    one_of = {name: {"pod": name} for name in ("falco", "collector", "sidekick", "prometheus")}
    control_plane, elsewhere = {"ip": "192.0.2.7"}, {"ip": "203.0.113.7"}
    assert passes(control_plane, one_of["falco"], 9765)
    assert passes(control_plane, one_of["falco"], 8765)
    assert not passes(elsewhere, one_of["falco"], 9765)
    assert passes(one_of["falco"], {"ip": "198.51.100.1"}, 443)
    assert not passes(one_of["falco"], elsewhere, 443)
    assert passes(one_of["prometheus"], one_of["falco"], 8765)
    assert passes(one_of["prometheus"], one_of["sidekick"], 2801)
    assert not passes(one_of["prometheus"], one_of["falco"], 9765)
    assert passes(one_of["falco"], one_of["collector"], 45000)
    assert not passes(one_of["sidekick"], one_of["collector"], 45000)
    assert passes(one_of["collector"], {"ip": "203.0.113.9"}, 6443)
    assert not passes(one_of["collector"], elsewhere, 6443)


@pytest.mark.parametrize("odd", ["a", 5, None, {"policies": None}, {"policies": [5]}, {"policies": ["dns"]}])
def test_what_is_no_entry_needs_no_api_server(odd: Any) -> None:
    assert needs_api_server([odd]) is False
