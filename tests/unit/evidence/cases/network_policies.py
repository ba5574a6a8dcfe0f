"""Stage network_policies."""

from __future__ import annotations

from typing import Any

from tests.unit.evidence.cases import REMOVED, Case, changed


def row(
    flow: str | None, expected: str | None, status: str, conclusion: str = "allowed", **more: Any
) -> dict[str, Any]:
    ends = {"from": "prod/a", "to": "prod/b", "port": 80, "protocol": "TCP"}
    return {**ends, "flow": flow, "expected": expected, "status": status, "conclusion": conclusion, **more}


PASSES, DENIED = row("in", "allowed", "met"), row("out", "denied", "met", "denied")
AGREES = row(None, "allowed", "met")
PLAN: dict[str, Any] = {"objects": [{"namespace": "prod", "name": "a", "action": "none"}]}


def violation(flow: str, policy: str) -> dict[str, Any]:
    return {"flow": flow, "policy": policy, "message": "it opens it"}


GOOD: dict[str, Any] = {
    "check_mode": False,
    "set_name": "site",
    "plan": PLAN,
    "canary_wanted": True,
    "canary": {"enforced": True, "why": "it holds", "nodes": ["n1"], "cni": [{"name": "calico"}], "checks": []},
    "probe_wanted": True,
    "probe": {"results": [PASSES, DENIED, AGREES], "not_probed": [], "counts": {}, "seconds": 1.0},
    "flows": [{"name": "in"}, {"name": "out"}],
    "later": [],
    "unproven": "fail",
    "compare": True,
    "compared": ["prod"],
}
DECLARED, HOLDS, ENFORCED = ("declared", "passed"), ("policies", "passed"), ("enforced", "passed")
FLOWS = (("flow", "passed"), ("flow", "passed"))
AGREED = ("agreement", "passed")


def probed(*rows: dict[str, Any], missed: tuple[dict[str, Any], ...] = (), **changes: Any) -> dict[str, Any]:
    flows = [{"name": one["flow"]} for one in (*rows, *missed) if one["flow"]]
    return changed(GOOD, **{"probe": {"results": list(rows), "not_probed": list(missed)}, "flows": flows, **changes})


def after(*verdicts: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return (DECLARED, HOLDS, ENFORCED, *verdicts)


def unflowing(*verdicts: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """Where no flow is declared."""
    return (DECLARED, ENFORCED, *verdicts)


GAP = {"from": "prod/a", "to": "prod/b", "flow": "in", "expected": "allowed", "why": "no pod runs"}
CASES = [
    Case(
        "all is as wanted", GOOD, after(*FLOWS, AGREED), ("it holds. Network plugin seen: calico", "1 of 1 connections")
    ),
    Case(
        "policies of an API that is not analysed",
        changed(GOOD, plan={**PLAN, "notes": ["not analysed: 2 AuthorizationPolicy"]}),
        (DECLARED, ("left_out", "skipped"), HOLDS, ENFORCED, *FLOWS, AGREED),
        ("not analysed: 2 AuthorizationPolicy",),
    ),
    Case(
        "the plan failed",
        changed(GOOD, plan={"failed": True, "msg": "403"}),
        (("declared", "failed"), ENFORCED, *FLOWS, AGREED),
    ),
    Case(
        "an object differs",
        changed(GOOD, plan={"objects": [{"name": "x", "action": "change"}]}),
        (("declared", "failed"), HOLDS, ENFORCED, *FLOWS, AGREED),
        ("x would change",),
    ),
    Case(
        "objects differ, and where",
        changed(
            GOOD,
            plan={
                "objects": [
                    {"namespace": "prod", "name": "a", "action": "change", "differs": ["p is x, declared is y"]},
                    {"namespace": "prod", "name": "b", "action": "change", "differs": ["1", "2", "3", "4", "5"]},
                    {"namespace": "prod", "name": "c", "action": "change", "differs": ["1", "2", "3"]},
                    {"namespace": None, "name": "d", "action": "create"},
                    {"namespace": "prod", "name": "e", "action": "delete"},
                    {"namespace": "prod", "name": "f", "action": "none"},
                ]
            },
        ),
        (("declared", "failed"), HOLDS, ENFORCED, *FLOWS, AGREED),
        (
            "prod/a would change: p is x, declared is y; prod/b would change: 1; 2; 3 and 2 more; "
            "prod/c would change: 1; 2; 3; d is missing; prod/e is there and is not declared\n",
        ),
    ),
    Case(
        "somebody else's policy opens a flow",
        changed(GOOD, plan={**PLAN, "violations": [violation("out", "NetworkPolicy prod/open")]}),
        (DECLARED, ("policies", "failed"), ENFORCED, *FLOWS, AGREED),
        ("it opens it NetworkPolicy prod/open is not of set site: somebody else made it.",),
    ),
    Case(
        "a policy of ours opens a flow, one of a cluster another one, and none cuts a third",
        changed(
            GOOD,
            plan={
                "objects": [*PLAN["objects"], {"namespace": None, "name": "ours", "action": "none"}],
                "violations": [
                    violation("out", "NetworkPolicy prod/a"),
                    violation("in", "AdminNetworkPolicy top"),
                    {**violation("x", ""), "message": "nobody cuts it"},
                    {**violation("y", "AdminNetworkPolicy ours"), "message": "we open it"},
                ],
            },
        ),
        (DECLARED, *[("policies", "failed")] * 4, ENFORCED, *FLOWS, AGREED),
        ("flow says: it opens it\n", "AdminNetworkPolicy top is not of", "nobody cuts it\n", "we open it\n"),
    ),
    Case(
        "there are no flows",
        changed(GOOD, flows=[], probe_wanted=False),
        (DECLARED, ENFORCED),
    ),
    Case(
        "check mode",
        changed(GOOD, check_mode=True, canary={}),
        (DECLARED, HOLDS, ("enforced", "skipped")),
        ("check mode",),
    ),
    Case(
        "no canary",
        changed(GOOD, canary_wanted="no", canary={}),
        (DECLARED, HOLDS, ("enforced", "skipped"), *FLOWS, AGREED),
        ("nothing is claimed",),
    ),
    *(
        Case(name, changed(GOOD, canary=canary), (DECLARED, HOLDS, ("enforced", "failed"), *FLOWS, AGREED), (words,))
        for name, canary, words in (
            ("not enforced", {"enforced": False, "why": "it does not hold"}, "it does not hold"),
            ("enforcement unknown", {"enforced": None, "why": "no answer"}, "no answer"),
            ("the canary failed", {"failed": True, "msg": "no image"}, "no image"),
            ("the canary failed, and claims", {"failed": True, "enforced": True}, "cannot be asked"),
            ("the canary was not asked", {}, "was not asked"),
            ("the canary said nothing", {"nodes": ["n1"]}, "gave no answer"),
        )
    ),
    Case("no probe", changed(GOOD, probe_wanted=False), (DECLARED, HOLDS, ENFORCED)),
    Case("the probe failed", changed(GOOD, probe={"failed": True, "msg": "x"}), after(("flow", "failed")), ("x",)),
    Case(
        "the probe failed, and claims",
        changed(GOOD, probe={**GOOD["probe"], "failed": True}),
        after(("flow", "failed")),
        ("Connections are as declared: cannot be asked",),
    ),
    Case("the probe was not asked", changed(GOOD, probe={}), after(("flow", "failed")), ("was not asked",)),
    Case("the probe has no results", changed(GOOD, probe={"msg": "ok"}), after(("flow", "failed"))),
    Case(
        "a required flow is cut",
        probed(PASSES, row("in", "allowed", "violated", "denied")),
        after(("flow", "failed")),
        ("Flow passes: prod/a -> prod/b on 80/TCP is denied",),
    ),
    Case(
        "a forbidden flow passes",
        probed(row("out", "denied", "violated")),
        after(("flow", "failed")),
        ("Flow does not pass: prod/a -> prod/b on 80/TCP is allowed",),
    ),
    Case(
        "violated and unproven, where that only warns",
        probed(
            row("in", "allowed", "unproven", "unknown"), row("in", "allowed", "violated", "denied"), unproven="warn"
        ),
        after(("flow", "failed")),
    ),
    Case(
        "unproven",
        probed(PASSES, row("in", "allowed", "unproven", "unknown", detail="nobody listens")),
        after(("flow", "failed")),
        ("nobody listens",),
    ),
    Case(
        "unproven, which only warns",
        probed(row("in", "allowed", "unproven", "unknown"), unproven="warn"),
        after(("flow", "skipped")),
        ("prod/a -> prod/b: unproven",),
    ),
    Case("could not be tried", probed(missed=(GAP,)), after(("flow", "failed")), ("no pod runs",)),
    Case("could not be tried, which only warns", probed(missed=(GAP,), unproven="warn"), after(("flow", "skipped"))),
    Case("without expectation", probed(missed=({**GAP, "expected": None, "flow": None},)), unflowing()),
    Case(
        "a declared flow that nobody tried",
        changed(GOOD, flows=[{"name": "in"}, {"name": "out"}, {"name": "gone"}, {}]),
        after(*FLOWS, ("flow", "failed"), AGREED),
        ("said nothing",),
    ),
    Case(
        "a flow of nothing",
        changed(
            GOOD,
            plan={
                **GOOD["plan"],
                "idle_flows": [
                    {"flow": "in", "kind": "forbidden", "why": "there is no namespace 'defualt'", "empty": False},
                    {"flow": "out", "kind": "forbidden", "why": "no pod runs there", "empty": True},
                ],
            },
        ),
        (("declared", "passed"), ("flow", "failed"), *after(*FLOWS, AGREED)[1:]),
        ("What the flow names exists: forbidden flow: there is no namespace 'defualt'",),
    ),
    Case(
        "a flow of later",
        changed(GOOD, later=["audit"]),
        after(*FLOWS, ("flow", "skipped"), AGREED),
        ("Flow is tried: its pods come later",),
    ),
    Case(
        "the network does otherwise",
        probed(AGREES, row(None, "denied", "violated", because="policy x")),
        unflowing(("agreement", "failed")),
        ("but policy x",),
    ),
    Case(
        "some prove nothing",
        probed(AGREES, row(None, "denied", "unproven")),
        unflowing(("agreement", "passed")),
        ("1 of 2 connections agree with the analysis, the others prove nothing",),
    ),
    Case("none proves anything", probed(row(None, "denied", "unproven")), unflowing(("agreement", "skipped"))),
    Case("nothing to compare", probed(row(None, None, "observed"), PASSES), after(("flow", "passed"))),
    Case("not to be compared", changed(GOOD, compare=False), after(*FLOWS)),
]
MISSING = changed(GOOD, unproven=REMOVED)
