"""Suggested policies allow what was observed and nothing else, at each coarseness."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import FlowError, NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.flows.observed import read_records
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.suggest.suggest import COARSENESS, Suggestion, suggest
from hypothesis import given, settings
from hypothesis import strategies as st


def deployment(name: str, namespace: str = "prod", replicas: int = 2, **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "template": {"metadata": {"labels": labels or {"app": name}}, "spec": {"containers": []}},
        },
    }


WORKLOADS = [
    deployment("web"),
    deployment("api"),
    deployment("db", replicas=1),
    deployment("api-canary", app="api", track="canary"),
    deployment("api", "other"),
    deployment("coredns", "kube-system", 3, **{"k8s-app": "kube-dns"}),
]
#: It has the very labels of another.
TWIN = deployment("api-twin", app="api")
NAMES = [f"{o['metadata']['namespace']}/Deployment/{o['metadata']['name']}" for o in WORKLOADS]


def model(objects: list[dict[str, Any]] = WORKLOADS, pod_cidrs: tuple[str, ...] = ()) -> Model:
    return load([Input("test", objects=objects)], pod_cidrs=pod_cidrs)


def names_a_workload(record: dict[str, Any]) -> bool:
    return "/Deployment/" in record["from"] + record["to"]


ends = st.sampled_from([*NAMES[:3], NAMES[4], "0.0.0.0/0", "192.0.2.7", "198.51.100.0/24", "2001:db8::/32"])
records = st.lists(
    st.fixed_dictionaries(
        {
            "from": ends,
            "to": ends,
            "protocol": st.sampled_from(["TCP", "UDP"]),
            "ports": st.sampled_from([80, "443,8000-8100"]),
        }
    ).filter(names_a_workload),
    max_size=5,
)


@settings(max_examples=120, deadline=None)
@given(records, st.sampled_from(COARSENESS), st.booleans())
def test_what_was_observed_is_allowed_and_nothing_else(found: list[dict[str, Any]], coarseness: str, dns: bool) -> None:
    # Without the canary, every workload has labels of its own.
    apart = [o for o in WORKLOADS if o["metadata"]["name"] != "api-canary"]
    cluster = model(apart, ("10.244.0.0/16", "2001:db8:244::/64"))
    result = suggest(cluster, read_records(cluster, found), coarseness, dns=dns)
    assert (result.missing, result.excess) == ([], [])


def test_workloads_are_told_apart_by_the_fewest_labels_they_own() -> None:
    cluster = model()
    flow = {"from": NAMES[0], "to": "prod/Deployment/api-canary", "port": 8080}
    result = suggest(cluster, read_records(cluster, [flow]))
    subjects = {p["metadata"]["name"]: p["spec"]["podSelector"] for p in result.policies}
    assert subjects["web"] == {"matchLabels": {"app": "web"}}
    assert subjects["api-canary"] == {"matchLabels": {"track": "canary"}}


def test_workloads_that_no_label_tells_apart_are_not_called_proven() -> None:
    cluster = model([*WORKLOADS, TWIN])
    flow = {"from": NAMES[0], "to": "prod/Deployment/api", "port": 8080}
    result = suggest(cluster, read_records(cluster, [flow]))
    assert result.excess == ["prod/Deployment/web -> prod/Deployment/api-twin on TCP 8080"]
    assert not result.proven


def test_dns_is_included_unless_told_otherwise() -> None:
    cluster = model()
    flows = read_records(cluster, [{"from": NAMES[0], "to": NAMES[2], "port": 5432}])
    egress = suggest(cluster, flows).policies[-1]["spec"]["egress"]
    assert {"protocol": "UDP", "port": 53} in egress[-1]["ports"]
    assert egress[-1]["to"][0]["podSelector"] == {"matchLabels": {"k8s-app": "kube-dns"}}
    assert all(
        {"protocol": "UDP", "port": 53} not in rule.get("ports", [])
        for policy in suggest(cluster, flows, dns=False).policies
        for rule in policy["spec"].get("egress", [])
    )


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ({"from": "prod/Deployment/wep", "to": NAMES[0]}, "flows[0].from"),
        ({"from": "10.0.0.1", "to": "10.0.0.2"}, "flows[0]"),
        ({"from": NAMES[0], "to": NAMES[1], "ports": "http"}, "flows[0].ports"),
        ({"from": NAMES[0], "to": NAMES[1], "protocol": "ICMP"}, "flows[0].protocol"),
        ({"from": NAMES[0], "to": NAMES[1], "dport": 1}, "flows[0].dport"),
    ],
)
def test_a_bad_record_is_told_by_its_place(record: dict[str, Any], path: str) -> None:
    with pytest.raises(FlowError) as caught:
        read_records(model(), [record])
    assert caught.value.path == path


def test_an_unknown_namespace_is_told_with_the_nearest() -> None:
    with pytest.raises(NetpolError, match="did you mean 'prod'"):
        suggest(model(), [], namespaces=["prd"])


def suggested(*flows: dict[str, Any], pod_cidrs: tuple[str, ...] = ()) -> Suggestion:
    cluster = model([WORKLOADS[0], WORKLOADS[1], WORKLOADS[4]], pod_cidrs)
    return suggest(cluster, read_records(cluster, list(flows)), dns=False)


def test_everyone_observed_lets_in_pods_as_well_and_is_not_called_proven() -> None:
    found = suggested({"from": "0.0.0.0/0", "to": NAMES[0], "port": 8443})
    assert found.excess == ["other/Deployment/api -> prod/Deployment/web on TCP 8443"]


def test_pods_are_left_out_of_an_observed_block_where_their_range_is_known() -> None:
    found = suggested({"from": "0.0.0.0/0", "to": NAMES[0], "port": 8443}, pod_cidrs=("10.244.0.0/16",))
    assert found.policies[1]["spec"]["ingress"][0]["from"] == [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.244.0.0/16"]}}
    ]
    assert found.proven, (found.missing, found.excess)


def test_a_block_that_may_hold_pods_is_told_as_a_doubt() -> None:
    found = suggested({"from": NAMES[0], "to": "198.51.100.0/24", "port": 443})
    assert found.missing == []
    assert len(found.excess) == 1
    assert found.excess[0].startswith("prod/Deployment/web -> other/Deployment/api on TCP 443 (if an address")
    assert "pod_cidrs" in found.excess[0]
    one = suggested({"from": NAMES[0], "to": "198.51.100.7", "port": 443})
    assert one.proven, one.excess


@pytest.mark.parametrize("ends", [("192.0.2.2", "192.0.2.3"), ("192.0.2.0/25", "192.0.2.128/25")], ids=["one", "many"])
@pytest.mark.parametrize("ports", [("443", "443"), ("443", "80,443")], ids=["the-same", "more"])
@pytest.mark.parametrize("way", [("from", "to"), ("to", "from")], ids=["out", "in"])
def test_addresses_that_touch_are_one_block_and_were_all_observed(
    ends: tuple[str, str], ports: tuple[str, str], way: tuple[str, str]
) -> None:
    flows = [{way[0]: NAMES[0], way[1]: end, "ports": numbers} for end, numbers in zip(ends, ports)]
    found = suggested(*flows, pod_cidrs=("10.244.0.0/16",))
    assert found.proven, (found.missing, found.excess)


def service(name: str, address: str, selector: dict[str, str] | None, target: int = 8080) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "prod"},
        "spec": {"clusterIP": address, "selector": selector, "ports": [{"port": 80, "targetPort": target}]},
    }


def policy(text: str, namespace: str = "prod") -> dict[str, Any]:
    metadata = {"name": "there", "namespace": namespace}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": yaml.safe_load(text),
    }


def of(objects: list[dict[str, Any]], *flows: dict[str, Any], **options: Any) -> Suggestion:
    cluster = model(objects)
    return suggest(cluster, read_records(cluster, list(flows)), **{"dns": False, **options})


TO_API = {"from": NAMES[0], "to": NAMES[1], "port": 8080}


def test_a_flow_to_a_service_is_one_to_its_pods_and_their_port() -> None:
    objects = [*WORKLOADS[:2], service("api", "10.96.0.7", {"app": "api"})]
    found = of(objects, {"from": NAMES[0], "to": "10.96.0.7", "port": 80})
    assert found.proven, (found.missing, found.excess)
    (web,) = [p for p in found.policies if p["metadata"]["name"] == "web"]
    assert web["spec"]["egress"] == [
        {"to": [{"podSelector": {"matchLabels": {"app": "api"}}}], "ports": [{"protocol": "TCP", "port": 8080}]}
    ]


def test_a_service_without_pods_that_we_know_is_not_called_proven() -> None:
    objects = [*WORKLOADS[:2], service("outer", "10.96.0.7", None)]
    found = of(objects, {"from": NAMES[0], "to": "10.96.0.7", "port": 80})
    assert not found.proven
    assert found.missing == [
        "prod/Deployment/web -> 10.96.0.7 on TCP 80: 10.96.0.7 is the address of Service prod/outer, which has no"
        " selector: name what is behind it instead"
    ]
    with pytest.raises(FlowError, match="has none of these ports"):
        of(
            [*WORKLOADS[:2], service("api", "10.96.0.7", {"app": "api"})],
            {"from": NAMES[0], "to": "10.96.0.7", "port": 9},
        )


def test_policies_that_are_there_already_are_weighed() -> None:
    opens = policy("{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{namespaceSelector: {}}]}]}")
    found = of([*WORKLOADS[:2], WORKLOADS[4], opens], TO_API)
    assert found.excess == ["other/Deployment/api -> prod/Deployment/api on all (by a policy that is there already)"]
    closes = policy("{podSelector: {}}", "other")
    found = of([*WORKLOADS[:2], WORKLOADS[4], closes], {**TO_API, "to": NAMES[4]}, namespaces=["prod"])
    assert found.missing == [
        "prod/Deployment/web -> other/Deployment/api on TCP 8080: NetworkPolicy other/there isolates"
        " other/Deployment/api for ingress and no rule allows it"
    ]


def admin_denies(**rules: Any) -> dict[str, Any]:
    return {
        "apiVersion": "policy.networking.k8s.io/v1alpha1",
        "kind": "AdminNetworkPolicy",
        "metadata": {"name": "no"},
        "spec": {"priority": 1, "subject": {"namespaces": {}}, **rules},
    }


NO_INGRESS = admin_denies(ingress=[{"action": "Deny", "from": [{"namespaces": {}}]}])


def test_an_admin_policy_that_denies_the_flow_is_weighed() -> None:
    found = of([*WORKLOADS[:2], NO_INGRESS], TO_API)
    assert found.missing == [
        "prod/Deployment/web -> prod/Deployment/api on TCP 8080: denied by AdminNetworkPolicy no, ingress rule 0, in"
        " the admin tier"
    ]


def test_a_policy_of_the_same_name_is_replaced() -> None:
    there = policy("{podSelector: {matchLabels: {app: api}}, ingress: [{}]}")
    there["metadata"]["name"] = "api"
    found = of([*WORKLOADS[:2], there], TO_API)
    assert found.proven
    assert found.notes == ["NetworkPolicy prod/api takes the place of the one of its name"]


def test_that_dns_was_asked_does_not_isolate_the_servers() -> None:
    asked = {"from": NAMES[0], "to": NAMES[5], "protocol": "UDP", "port": 53}
    found = of(WORKLOADS[:3] + WORKLOADS[5:], asked, dns=True)
    assert {p["metadata"]["namespace"] for p in found.policies} == {"prod"}
    assert found.proven, (found.missing, found.excess)


def test_the_servers_own_lookups_are_not_cut_where_their_namespace_is_wanted() -> None:
    found = of(WORKLOADS[:3] + WORKLOADS[5:], TO_API, dns=True, namespaces=["prod", "kube-system"])
    (servers,) = [p["spec"] for p in found.policies if p["metadata"]["namespace"] == "kube-system"]
    assert servers["policyTypes"] == ["Ingress"]
    assert "egress" not in servers
    assert found.notes == ["egress of kube-system/coredns stays open: it serves DNS and asks others"]
    assert found.proven, (found.missing, found.excess)


def test_a_workload_is_told_apart_by_a_label_that_it_does_not_have() -> None:
    found = of(WORKLOADS[:4], TO_API)
    subjects = {p["metadata"]["name"]: p["spec"]["podSelector"] for p in found.policies}
    assert subjects["api"] == {
        "matchLabels": {"app": "api"},
        "matchExpressions": [{"key": "track", "operator": "DoesNotExist"}],
    }
    assert found.proven, (found.missing, found.excess)


def pod(name: str, address: str, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "prod", "labels": {"app": name}},
        "spec": {},
        "status": {"podIP": address},
    }
    for part, value in fields.items():
        found[part] = {**found[part], **value}
    return found


def test_a_pod_on_the_host_network_is_allowed_by_its_address() -> None:
    scraper = pod("scraper", "192.0.2.9", spec={"hostNetwork": True})
    found = of([pod("web", "10.0.0.1"), scraper], {"from": "prod/scraper", "to": "prod/web", "port": 9100})
    assert found.policies[0]["spec"]["ingress"][0]["from"] == [{"ipBlock": {"cidr": "192.0.2.9/32"}}]
    assert found.proven, (found.missing, found.excess)


def test_a_host_network_without_an_address_yet_is_that_of_every_node() -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
    node["status"] = {"addresses": [{"type": "InternalIP", "address": "192.0.2.9"}]}
    scraper = pod("scraper", "", spec={"hostNetwork": True})
    found = of([node, pod("web", "10.0.0.1"), scraper], {"from": "prod/scraper", "to": "prod/web", "port": 9100})
    assert found.policies[0]["spec"]["ingress"][0]["from"] == [{"ipBlock": {"cidr": "192.0.2.9/32"}}]
    assert found.proven, (found.missing, found.excess)
    unknown = of([pod("web", "10.0.0.1"), scraper], {"from": "prod/scraper", "to": "prod/web", "port": 9100})
    assert not unknown.proven


def test_what_has_run_to_its_end_needs_no_policy() -> None:
    owner = {"kind": "Job", "name": "import", "controller": True, "apiVersion": "batch/v1"}
    job = pod("import-x7", "10.0.0.7", status={"phase": "Succeeded"}, metadata={"ownerReferences": [owner]})
    flows = [{"from": "prod/Job/import", "to": NAMES[1], "port": 5432}, TO_API]
    found = of([*WORKLOADS[:2], job], *flows)
    assert found.notes == ["prod/Job/import has run to its end: it needs no policy any more"]
    assert found.proven, (found.missing, found.excess)


def test_nothing_is_proven_of_nothing() -> None:
    found = of(WORKLOADS)
    assert (found.policies, found.proven) == ([], False)
    assert found.notes == ["there is nothing to suggest: no workload that a policy selects"]


def test_an_unknown_coarseness_is_refused() -> None:
    with pytest.raises(NetpolError, match="unknown coarseness 'pods': one of port"):
        suggest(model(), [], "pods")


def test_workloads_that_share_their_labels_share_one_policy_and_that_is_told() -> None:
    same = deployment("web-2", app="web")
    found = of([WORKLOADS[0], same, WORKLOADS[1]], TO_API)
    assert [p["metadata"]["name"] for p in found.policies] == ["api", "web"]
    assert found.notes == [
        "prod/Deployment/web-2 has no label that tells it from prod/Deployment/web: they share a policy"
    ]


def test_workloads_of_one_name_get_policies_of_two() -> None:
    stateful = {**deployment("web", app="cache"), "kind": "StatefulSet"}
    found = of([WORKLOADS[0], stateful, WORKLOADS[1]], TO_API)
    names = {p["metadata"]["name"]: p["spec"]["podSelector"]["matchLabels"]["app"] for p in found.policies}
    assert names == {"api": "api", "web": "web", "web-2": "cache"}


@pytest.mark.parametrize(
    ("known", "peers"),
    [
        (WORKLOADS[5:], [("kube-system", {"k8s-app": "kube-dns"})]),
        ([], [("kube-system", {"k8s-app": "kube-dns"})]),
        (
            [deployment("dns", "system", 3, **{"app.kubernetes.io/name": "coredns"})],
            [("system", {"app.kubernetes.io/name": "coredns"})],
        ),
    ],
    ids=["servers", "none-known", "another-label"],
)
def test_dns_is_asked_of_the_servers_that_are_known_or_of_where_they_usually_are(
    known: list[dict[str, Any]], peers: list[tuple[str, dict[str, str]]]
) -> None:
    (web,) = [p for p in of([*WORKLOADS[:2], *known], TO_API, dns=True).policies if p["metadata"]["name"] == "web"]
    assert web["spec"]["egress"][-1]["to"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "podSelector": {"matchLabels": labels},
        }
        for namespace, labels in peers
    ]


def test_ports_that_touch_are_one_range_and_others_stay_apart() -> None:
    flows = [{**TO_API, "port": None, "ports": ports} for ports in ("80-90", "85-100", "101", "103")]
    found = of(WORKLOADS[:2], *({key: value for key, value in flow.items() if value} for flow in flows))
    (api,) = [p for p in found.policies if p["metadata"]["name"] == "api"]
    assert api["spec"]["ingress"][0]["ports"] == [
        {"protocol": "TCP", "port": 80, "endPort": 101},
        {"protocol": "TCP", "port": 103},
    ]


def test_an_address_that_a_policy_there_already_keeps_out_is_told_with_its_reason() -> None:
    admin = admin_denies(egress=[{"action": "Deny", "to": [{"networks": ["192.0.2.0/24"]}]}])
    out = {"from": NAMES[0], "to": "192.0.2.7", "port": 443}
    assert of(WORKLOADS[:2], out).proven
    assert of([*WORKLOADS[:2], admin], out).missing == [
        "prod/Deployment/web -> 192.0.2.7 on TCP 443: denied by AdminNetworkPolicy no, egress rule 0, in the admin tier"
    ]


def test_what_one_pod_sends_itself_needs_no_rule_and_two_need_one() -> None:
    own = {"from": NAMES[2], "to": NAMES[2], "port": 5432}
    assert of([WORKLOADS[2]], own).proven
    assert of([WORKLOADS[2], NO_INGRESS], own).missing == []
    assert of([deployment("db", replicas=2), NO_INGRESS], own).missing == [f"{NAMES[2]} -> {NAMES[2]} on TCP 5432"]


def test_a_namespace_is_allowed_as_a_whole_and_missing_is_said_of_what_was_observed_alone() -> None:
    found = of([*WORKLOADS[:3], NO_INGRESS], {"from": NAMES[0], "to": NAMES[1]}, coarseness="namespace")
    assert [line.split(" on ")[0] for line in found.missing] == [f"{NAMES[0]} -> {NAMES[1]}"]
