"""Suggested policies allow what was observed and nothing else, at each coarseness."""

from __future__ import annotations

from typing import Any

import pytest
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
    cluster = model()
    flow = {"from": NAMES[0], "to": "prod/Deployment/api", "port": 8080}
    result = suggest(cluster, read_records(cluster, [flow]))
    assert result.excess == ["prod/Deployment/web -> prod/Deployment/api-canary on TCP 8080"]
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
