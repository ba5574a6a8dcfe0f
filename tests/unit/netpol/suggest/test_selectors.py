"""Which labels tell workloads apart, who serves DNS, and what the proof says of other workloads than those observed."""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Options

from ..lint.test_lint import pod as owned
from .test_suggest import NAMES, TO_API, WORKLOADS, admin_denies, deployment, of, pod


def subjects(*objects: dict[str, Any]) -> dict[str, Any]:
    """The selector of each policy that is suggested for a namespace."""
    found = of([*objects], TO_API, namespaces=["prod"])
    assert found.proven, (found.missing, found.excess)
    return {p["metadata"]["name"]: p["spec"]["podSelector"] for p in found.policies}


def test_two_labels_are_preferred_to_one_and_the_lack_of_another() -> None:
    others = [
        deployment("a", team="x", tier="1"),
        deployment("b", team="x", tier="2", extra="e"),
        deployment("c", team="y", tier="1"),
    ]
    assert subjects(*WORKLOADS[:2], *others)["a"] == {"matchLabels": {"team": "x", "tier": "1"}}


def test_a_label_with_the_lack_of_another_tells_apart_where_that_is_all_there_is() -> None:
    others = [
        deployment("a", app="x", tier="1"),
        deployment("b", app="x", tier="1", extra="e"),
        deployment("c", app="x", tier="2"),
    ]
    assert subjects(*WORKLOADS[:2], *others)["a"] == {
        "matchLabels": {"tier": "1"},
        "matchExpressions": [{"key": "extra", "operator": "DoesNotExist"}],
    }


def test_a_workload_is_selected_by_labels_that_all_of_its_pods_have() -> None:
    pods = [owned(f"shop-{number}", labels={"team": "t", "v": number}, owner="shop") for number in ("1", "2")]
    found = subjects(*WORKLOADS[:2], *pods, deployment("other", team="t", x="y"))
    assert found["shop"] == {
        "matchLabels": {"team": "t"},
        "matchExpressions": [{"key": "x", "operator": "DoesNotExist"}],
    }


def test_dns_on_the_host_network_has_no_labels_that_policies_see() -> None:
    server = deployment("dns", "system", 3, **{"app.kubernetes.io/name": "coredns"})
    server["spec"]["template"]["spec"]["hostNetwork"] = True
    (web,) = [p for p in of([*WORKLOADS[:2], server], TO_API, dns=True).policies if p["metadata"]["name"] == "web"]
    assert [peer["podSelector"]["matchLabels"] for peer in web["spec"]["egress"][-1]["to"]] == [{"k8s-app": "kube-dns"}]


def test_that_no_peer_can_name_a_pod_on_the_host_network_is_said_where_no_address_is_known() -> None:
    flow = {"from": "prod/scraper", "to": "prod/web", "port": 9100}
    for address, noted in (("192.0.2.9", 0), ("", 1)):
        scraper = pod("scraper", address, spec={"hostNetwork": True})
        notes = of([pod("web", "10.0.0.1"), scraper], flow).notes
        assert sum("its address is unknown: no peer can name it" in note for note in notes) == noted


def there(spec: dict[str, Any], namespace: str = "prod") -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "there", "namespace": namespace},
        "spec": spec,
    }


OUT = {"from": NAMES[0], "to": "192.0.2.7", "port": 443}


def test_an_address_that_one_workload_was_observed_with_is_more_for_another() -> None:
    block = {"to": [{"ipBlock": {"cidr": "192.0.2.7/32"}}], "ports": [{"port": 443}]}
    opens = there({"podSelector": {"matchLabels": {"app": "api"}}, "policyTypes": ["Egress"], "egress": [block]})
    assert of([*WORKLOADS[:2], opens], OUT, TO_API).excess == [
        f"{NAMES[1]} -> 192.0.2.7 on TCP 443 (by a policy that is there already)"
    ]


def test_an_address_that_another_workload_reaches_is_missing_for_one_that_does_not() -> None:
    web = {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}}
    denies = admin_denies(egress=[{"action": "Deny", "to": [{"networks": ["192.0.2.0/24"]}]}])
    denies["spec"]["subject"] = web
    found = of([*WORKLOADS[:2], denies], OUT, {**OUT, "from": NAMES[1]})
    assert [line.split(" on ")[0] for line in found.missing] == [f"{NAMES[0]} -> 192.0.2.7"]


def test_what_is_missing_on_all_ports_is_told_of_all() -> None:
    no_ingress = admin_denies(ingress=[{"action": "Deny", "from": [{"namespaces": {}}]}])
    no_egress = admin_denies(egress=[{"action": "Deny", "to": [{"networks": ["192.0.2.0/24"]}]}])
    for flow, denies in (({"from": NAMES[0], "to": NAMES[1]}, no_ingress), ({**OUT, "port": "all"}, no_egress)):
        (line,) = of([*WORKLOADS[:2], denies], {"protocol": "all", **flow}).missing
        assert line.startswith(f"{NAMES[0]} -> {flow['to']} on all: denied by AdminNetworkPolicy no")


def test_all_ports_of_an_address_but_the_observed_one_are_more() -> None:
    block = {"to": [{"ipBlock": {"cidr": "192.0.2.7/32"}}]}
    opens = there({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"], "egress": [block]})
    assert of([*WORKLOADS[:2], opens], OUT).excess == [
        f"{NAMES[0]} -> 192.0.2.7 on TCP 1-442,444-65535; UDP; SCTP (by a policy that is there already)"
    ]


def test_a_doubt_on_all_ports_is_told_in_one_line() -> None:
    flow = {"from": NAMES[0], "to": "198.51.100.0/24", "protocol": "all"}
    (line,) = of([WORKLOADS[0], WORKLOADS[4]], flow).excess
    assert line.startswith(f"{NAMES[0]} -> {NAMES[4]} on all (if an address that is not known yet")


def test_what_is_open_to_servers_of_dns_beyond_it_is_told() -> None:
    opens = there({"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {}}]}]}, "kube-system")
    found = of([*WORKLOADS[:2], *WORKLOADS[4:], opens], TO_API, dns=True, namespaces=["prod", "kube-system"])
    assert found.excess == [
        f"{NAMES[4]} -> {NAMES[5]} on TCP 1-52,54-65535; UDP 1-52,54-65535; SCTP (by a policy that is there already)"
    ]


def test_blocks_are_weighed_as_the_implementation_reads_them() -> None:
    everyone = {"from": "0.0.0.0/0", "to": NAMES[0], "port": 8443}
    objects = [WORKLOADS[0], WORKLOADS[4]]
    assert not of(objects, everyone).proven
    assert of(objects, everyone, options=Options(block_matches_pods=False)).proven
