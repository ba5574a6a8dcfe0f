"""Differences of pods and labels: workloads and namespaces that change, appear or go, not only policies."""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..clusters import build, objects
from ..lint.test_lint import pod, policy

WEB_ONLY = policy(
    "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}"
)
OPS_ONLY = policy("{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: ops}}}]}]}")


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def labelled(name: str, app: str) -> dict[str, Any]:
    found = pod(name)
    found["metadata"]["labels"] = {"app": app}
    return found


def diff(before: list[dict[str, Any]], after: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    return answer(Request("diff", **{"outside": False, **options}), build(after), build(before))


def pairs(items: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(item["from"], item["to"]) for item in items]


def test_a_workload_whose_labels_change_loses_what_it_had_by_them() -> None:
    result = diff([pod("api"), labelled("web", "web"), WEB_ONLY], [pod("api"), labelled("web", "www"), WEB_ONLY])
    assert pairs(result["difference"]["lost"]) == [("prod/Pod/web", "prod/Pod/api")]
    assert result["relabelled"] == [
        {"kind": "workload", "name": "prod/Pod/web", "before": ["app=web"], "after": ["app=www"]}
    ]
    assert result["text"][0] == "relabelled: workload prod/Pod/web: app=web => app=www"
    assert result["summary"]["relabelled"] == 1


def test_a_namespace_whose_labels_change_gains_and_loses() -> None:
    pods = [pod("api"), pod("web", "dev"), OPS_ONLY]
    result = diff([*pods, namespace("dev")], [*pods, namespace("dev", team="ops")])
    assert pairs(result["difference"]["gained"]) == [("dev/Pod/web", "prod/Pod/api")]
    assert [item["name"] for item in result["relabelled"]] == ["dev"]


def test_a_namespace_that_goes_takes_its_labels_with_it() -> None:
    pods = [pod("api"), pod("web", "dev"), OPS_ONLY, namespace("prod")]
    result = diff([*pods, namespace("dev", team="ops")], pods)
    assert pairs(result["difference"]["lost"]) == [("dev/Pod/web", "prod/Pod/api")]


def test_a_workload_that_appears_or_goes_is_told_with_its_connections() -> None:
    result = diff([pod("api"), pod("old")], [pod("api"), pod("new")])
    assert pairs(result["difference"]["gained"]) == [("prod/Pod/api", "prod/Pod/new"), ("prod/Pod/new", "prod/Pod/api")]
    assert pairs(result["difference"]["lost"]) == [("prod/Pod/api", "prod/Pod/old"), ("prod/Pod/old", "prod/Pod/api")]
    assert result["text"][:2] == ["added: workload prod/Pod/new (app=new)", "removed: workload prod/Pod/old (app=old)"]


def test_a_side_of_policies_alone_is_about_the_other_sides_workloads_and_namespaces() -> None:
    result = diff([pod("api"), pod("web", "dev"), namespace("dev", team="ops")], [OPS_ONLY])
    assert result["difference"] == {"gained": [], "lost": [], "changed": []}
    assert result["relabelled"] == []


def test_a_side_with_pods_and_no_namespace_has_those_of_the_other() -> None:
    pods = [pod("api"), pod("web", "dev"), OPS_ONLY]
    assert not any(diff([*pods, namespace("dev", team="ops")], pods)["difference"].values())


def test_a_side_of_policies_and_a_namespace_keeps_the_others_of_the_other_side() -> None:
    before = [pod("api"), pod("web", "dev"), OPS_ONLY, namespace("dev", team="ops")]
    assert not any(diff(before, [OPS_ONLY, namespace("more")])["difference"].values())


def test_a_side_of_policies_alone_has_its_pods_where_the_other_sides_nodes_have_them() -> None:
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "spec": {"podCIDRs": ["10.0.0.0/24"]}}
    block = policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}")
    for before, after in (([pod("api"), pod("web"), node], [block]), ([block], [pod("api"), pod("web"), node])):
        result = diff(before, after)
        assert (result["notes"], any(result["difference"].values())) == ([], False)


def test_scaling_is_no_change() -> None:
    def deployment(replicas: int) -> dict[str, Any]:
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "prod"},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "main", "image": "web"}]},
                },
            },
        }

    result = diff([deployment(1)], [deployment(3)])
    assert result["difference"] == {"gained": [], "lost": [], "changed": []}


@st.composite
def clusters(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = draw(objects())
    for item in found:
        # What families pods without an address have is taken from the others, which differ by side.
        item.pop("status", None)
    return found


def listed(model: Model) -> dict[tuple[str, str], list[tuple[str, str]]]:
    lines: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for item in answer(Request("matrix", by="pod", outside=False), model)["connections"]:
        lines.setdefault((item["from"], item["to"]), []).append((item["protocol"], item["ports"]))
    return lines


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(clusters(), clusters())
def test_a_difference_is_that_of_two_matrices(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    result = diff(before, after, by="pod")["difference"]
    old, new = listed(build(before)), listed(build(after))
    assert sorted(pairs(result["gained"])) == sorted(pair for pair in new if pair not in old)
    assert sorted(pairs(result["lost"])) == sorted(pair for pair in old if pair not in new)
    assert sorted(pairs(result["changed"])) == sorted(p for p in old if p in new and _set(old[p]) != _set(new[p]))


def _set(texts: list[tuple[str, str]]) -> set[tuple[str, int]]:
    """Ports of a few lines: the same ports can be told in different words on the two sides."""
    found: set[tuple[str, int]] = set()
    for protocol, ports in texts:
        for name in ("TCP", "UDP", "SCTP") if protocol == "all" else (protocol,):
            for part in (ports if ports != "all" else "1-65535").split(","):
                first, _, last = part.partition("-")
                found.update((name, number) for number in range(int(first), int(last or first) + 1))
    return found


def test_a_workload_that_comes_with_a_label_that_a_policy_names_gains_what_it_opens() -> None:
    before = [pod("api"), WEB_ONLY]
    result = diff(before, [*before, labelled("web", "web")])
    assert ("prod/Pod/web", "prod/Pod/api") in pairs(result["difference"]["gained"])
    assert result["text"][0] == "added: workload prod/Pod/web (app=web)"
    back = diff([*before, labelled("web", "web")], before)
    assert ("prod/Pod/web", "prod/Pod/api") in pairs(back["difference"]["lost"])
    assert back["text"][0] == "removed: workload prod/Pod/web (app=web)"


def test_a_namespace_that_loses_a_label_loses_what_policies_opened_by_it() -> None:
    pods = [pod("api"), pod("web", "dev"), OPS_ONLY, namespace("prod")]
    result = diff([*pods, namespace("dev", team="ops", cost="1")], [*pods, namespace("dev", cost="1")])
    assert pairs(result["difference"]["lost"]) == [("dev/Pod/web", "prod/Pod/api")]
    assert [item["name"] for item in result["relabelled"]] == ["dev"]


def test_labels_that_no_policy_reads_change_no_connection_and_are_told() -> None:
    result = diff([pod("api"), labelled("web", "web"), OPS_ONLY], [pod("api"), labelled("web", "www"), OPS_ONLY])
    assert result["difference"] == {"gained": [], "lost": [], "changed": []}
    assert result["summary"]["relabelled"] == 1
