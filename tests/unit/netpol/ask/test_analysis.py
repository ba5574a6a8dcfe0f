"""What every answer has, how much of it is listed, and questions that cannot be asked."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask import analysis, unplaced
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

from ..clusters import build
from ..lint.test_lint import pod, policy
from ..lint.test_routes import NGINX, ROUTES, SERVICE, WEB

PODS = [pod("web"), pod("db"), pod("web", "dev"), pod("db", "ops")]
#: Whom it lets in depends on the addresses that pods get.
HOLE = policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]}")


def ask(question: str, *manifests: dict[str, Any], **options: Any) -> dict[str, Any]:
    return answer(Request(question, outside=False, **options), build(list(manifests)))


def pairs(items: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(item["from"], item["to"]) for item in items}


def test_a_question_that_there_is_not_is_told_with_those_that_there_are() -> None:
    with pytest.raises(NetpolError, match=r"^unknown question 'who': one of matrix, query, diff, .*, redundancy$"):
        ask("who", *PODS)


def test_a_difference_needs_both_sides() -> None:
    with pytest.raises(NetpolError, match=r"^a difference needs the cluster before the change$"):
        ask("diff", *PODS)


def test_a_matrix_beyond_the_limit_is_told_as_products() -> None:
    listed, compact = ask("matrix", *PODS), ask("matrix", *PODS, limit=11)
    assert (listed["truncated"], "blocks" in listed) == (False, False)
    assert (compact["truncated"], compact["connections"], compact["summary"]["connections"]) == (True, [], 12)
    expanded = {
        (source, destination)
        for block in compact["blocks"]
        for source in block["from"]
        for destination in block["to"]
        if source != destination
    }
    assert expanded == pairs(listed["connections"])
    assert ask("matrix", *PODS, limit=12)["truncated"] is False


@pytest.mark.parametrize("focus", [(), ("web",)], ids=["all", "a-focus"])
def test_a_list_is_narrowed_to_namespaces(focus: tuple[str, ...]) -> None:
    every = pairs(ask("matrix", *PODS, focus=focus)["connections"])
    some = pairs(ask("matrix", *PODS, focus=focus, namespaces=("dev",))["connections"])
    assert some == {pair for pair in every if any(end.startswith("dev/") for end in pair)} != every


def test_what_is_undetermined_is_narrowed_to_namespaces_and_counted_in_whole() -> None:
    every, some = ask("matrix", *PODS, HOLE), ask("matrix", *PODS, HOLE, namespaces=("dev",))
    assert len(every["undetermined"]) == every["summary"]["undetermined"] == some["summary"]["undetermined"] == 6
    assert pairs(some["undetermined"]) == {p for p in pairs(every["undetermined"]) if p[0].startswith("dev/")}
    assert ask("matrix", *PODS, HOLE, namespaces=("prod",))["undetermined"] == every["undetermined"]


def test_more_that_is_undetermined_than_the_limit_is_counted_alone() -> None:
    result = ask("matrix", *PODS, HOLE, limit=5)
    assert (result["undetermined"], result["summary"]["undetermined"]) == ([], 6)
    assert result["notes"][0].startswith("undetermined: 6 pairs depend on addresses")


def test_what_is_undetermined_is_listed_up_to_the_limit() -> None:
    result = ask("matrix", *PODS, HOLE, limit=6)
    assert len(result["undetermined"]) == 6
    assert {(item["protocol"], item["ports"]) for item in result["undetermined"]} == {("all", "all")}


def test_a_pair_of_which_some_ports_are_undetermined_is_listed_with_these_alone() -> None:
    """And counted among those that depend on addresses."""
    http = policy("{podSelector: {}, ingress: [{ports: [{port: 80}]}]}", "http")
    result = ask("matrix", *PODS, HOLE, http)
    assert result["summary"]["undetermined"] == len(pairs(result["undetermined"])) == 6
    assert ("TCP", "1-79,81-65535") in {(item["protocol"], item["ports"]) for item in result["undetermined"]}
    assert "all" not in {item["protocol"] for item in result["undetermined"]}


CLOSED = policy("{podSelector: {}}", "closed")


def compare(before: list[dict[str, Any]], after: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    return answer(Request("diff", outside=False, **options), build(after), build(before))


def test_a_difference_is_listed_up_to_the_limit_and_counted_beyond() -> None:
    listed = compare(PODS, [*PODS, CLOSED], limit=6)
    assert (listed["truncated"], listed["summary"]["lost"], len(listed["difference"]["lost"])) == (False, 6, 6)
    beyond = compare(PODS, [*PODS, CLOSED], limit=5)
    assert (beyond["truncated"], beyond["summary"]["lost"], beyond["difference"]["lost"]) == (True, 6, [])
    assert "lost: 6 pairs" in beyond["text"]


def test_what_was_gained_is_in_the_connections() -> None:
    assert pairs(compare([*PODS, CLOSED], PODS)["connections"]) == pairs(
        compare(PODS, [*PODS, CLOSED])["difference"]["lost"]
    )


@pytest.mark.parametrize(
    ("before", "after", "noted"),
    [([], [], False), ([HOLE], [], True), ([], [HOLE], True), ([HOLE], [HOLE], True)],
    ids=["neither", "before", "after", "both"],
)
def test_a_difference_says_where_either_side_depends_on_addresses_that_are_not_known(
    before: list[dict[str, Any]], after: list[dict[str, Any]], noted: bool
) -> None:
    notes = compare([*PODS, *before], [*PODS, *after])["notes"]
    assert [note.startswith("undetermined: connections may depend") for note in notes] == [True] * noted


def test_a_difference_is_narrowed_to_namespaces() -> None:
    changed = [pod("web", labels={"app": "web", "new": "label"}), *PODS[1:]]
    every, some = compare(PODS, [*changed, CLOSED]), compare(PODS, [*changed, CLOSED], namespaces=("dev",))
    assert (len(every["relabelled"]), len(some["relabelled"])) == (1, 0)
    assert pairs(some["difference"]["lost"]) == {
        pair for pair in pairs(every["difference"]["lost"]) if any(end.startswith("dev/") for end in pair)
    }
    assert (
        compare(PODS, [*PODS, CLOSED], namespaces=("prod",))["difference"]
        == compare(PODS, [*PODS, CLOSED])["difference"]
    )


def test_problems_of_either_side_are_told_once() -> None:
    def told(*names: str) -> list[dict[str, Any]]:
        return [*PODS, *(policy("{podSelector: {}, ingress: 1}", name) for name in names)]

    request = Request("diff", outside=False)
    before, after = (load([Input(".", objects=told(*names))], "skip") for names in (("b", "a"), ("b", "c")))
    problems = answer(request, after, before)["problems"]
    assert [item["object"] for item in problems] == [f"NetworkPolicy prod/{name}" for name in ("b", "c", "a")]


def test_pods_are_counted_apart_from_those_that_have_finished_and_from_templates() -> None:
    done = {**pod("done"), "status": {"phase": "Succeeded"}}
    job = {"kind": "Job", "apiVersion": "batch/v1", "metadata": {"name": "job", "namespace": "prod"}}
    job["spec"] = {"template": {"spec": {"containers": []}}}
    summary = ask("lint", pod("a"), pod("b"), pod("c"), done, {**done, "metadata": {"name": "d"}}, job)["summary"]
    assert {key: summary[key] for key in ("pods", "templates", "finished_pods")} == {
        "pods": 3,
        "templates": 1,
        "finished_pods": 2,
    }


def test_findings_of_lint_are_counted_by_severity() -> None:
    result = ask("lint", *PODS, policy("{podSelector: {matchLabels: {app: gone}}, ingress: [{}]}"))
    severities = [item["severity"] for item in result["findings"]]
    counts = {f"{one}s": severities.count(one) for one in ("error", "warning", "info")}
    assert {key: result["summary"][key] for key in counts} == counts
    assert len(set(counts.values())) > 1


@pytest.mark.parametrize(("namespace", "told"), [("edge", 1), ("prod", 1), ("dev", 0)], ids=["route", "pod", "neither"])
def test_routes_are_narrowed_to_those_with_an_end_in_the_namespaces(namespace: str, told: int) -> None:
    manifests = [WEB, SERVICE, NGINX, ROUTES["HTTPRoute of another namespace"]]
    assert len(ask("routes", *manifests, namespaces=(namespace,))["routes"]) == told
    assert ask("routes", *manifests)["summary"]["cut"] == 0
    assert ask("routes", *manifests, CLOSED)["summary"]["cut"] == 1


def test_reasons_have_a_limit_of_their_own_unless_a_question_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "MAX_EXPLANATIONS", 2)
    assert len(ask("explain", *PODS)["explanations"]) == 2
    assert len(ask("explain", *PODS, limit=3)["explanations"]) == 3
    assert len(ask("explain", *PODS, limit=1)["explanations"]) == 1


def test_a_service_is_no_source_of_reasons() -> None:
    with pytest.raises(NetpolError, match="a Service opens no connections"):
        ask("explain", *PODS, source={"service": "web"})


def test_flows_of_both_kinds_are_counted() -> None:
    flow = {"from": {"namespace": "prod", "pod": "web"}, "to": {"namespace": "prod", "pod": "db"}, "ports": [80]}
    result = ask("assert", *PODS, required_flows=(flow, flow), forbidden_flows=(flow,))
    assert result["summary"]["flows"] == 3
    assert result["holds"] is False


def test_exposure_says_where_it_depends_on_addresses_that_are_not_known() -> None:
    assert ask("exposure", *PODS)["notes"] == []
    assert ask("exposure", *PODS, HOLE)["notes"][0].startswith("undetermined: connections may depend")


def test_exposure_is_narrowed_to_namespaces_and_told_once_for_pods_that_are_alike() -> None:
    pods = [
        *PODS,
        pod("web-1", owner="shop", labels={"app": "shop"}),
        pod("web-2", owner="shop", labels={"app": "shop"}),
    ]
    told = [(item["workload"], item["direction"]) for item in ask("exposure", *pods)["exposure"]]
    assert told.count(("prod/Deployment/shop", "ingress")) == 1
    narrowed = ask("exposure", *pods, namespaces=("dev",))
    assert {item["workload"] for item in narrowed["exposure"]} == {"dev/Pod/web"}
    assert not any("prod/" in line for line in narrowed["text"])


def test_reasons_are_told_once_for_pods_that_are_alike() -> None:
    pods = [pod("web-1", owner="shop", labels={}), pod("web-2", owner="shop", labels={}), pod("client", "dev")]
    told = [(item["from"], item["to"]) for item in ask("explain", *pods)["explanations"]]
    assert told == [("dev/client", "prod/web-1"), ("prod/web-1", "dev/client")]


def test_policies_alone_are_judged_over_the_pods_of_the_other_set() -> None:
    deny = policy("{podSelector: {}, policyTypes: [Ingress]}")
    others = build([pod("web"), pod("db"), policy("{podSelector: {}, ingress: [{ports: [{port: 80}]}]}", "open")])
    result = answer(Request("permits"), build([deny]), others)
    assert result["holds"] is False
    assert ("prod/Pod/web", "prod/Pod/db") in pairs(result["evidence"])
    assert result["notes"] == []


def test_where_too_many_stand_ins_would_be_made_what_is_not_certain_counts_as_denied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ask("vacuity", *PODS, HOLE)["notes"] == []
    monkeypatch.setattr(unplaced, "MAX_PLACED", 1)
    result = ask("vacuity", *PODS, HOLE)
    assert result["holds"] is False
    assert result["notes"] == [
        "undetermined: the answer may depend on addresses that pods do not have yet; they count as denied,"
        " and pod_cidrs says where they will lie"
    ]
