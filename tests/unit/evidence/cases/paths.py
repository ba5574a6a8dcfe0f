"""What netpol_probe tells of the connections that alerts need, and the checks that stage falco makes of it."""

from __future__ import annotations

from typing import Any

BY = " by its Service's address"
HOP, DNS = "Falco to Falcosidekick", "Falco to cluster DNS"
FLOWS = [{"name": name} for name in (HOP, HOP + BY, DNS, DNS + BY)]
Row = dict[str, Any]


def row(flow: str, node: str = "n1", status: str = "met", **more: Any) -> Row:
    ends = {"from": f"falco/falco-{node}", "from_node": node, "to": "falco/side", "address": "192.0.2.9"}
    return {**ends, "flow": flow, "status": status, "verdict": "dropped", "by_policies": "allowed", **more}


def both(flow: str, *nodes: str) -> list[Row]:
    return [row(name, node) for name in (flow, flow + BY) for node in nodes]


def probed(*rows: Row, missed: tuple[Row, ...] = ()) -> dict[str, Any]:
    return {"paths": FLOWS, "probe": {"results": list(rows), "not_probed": list(missed)}}


def bad(flow: str, node: str, **more: Any) -> Row:
    return row(flow, node, "violated", **more)


DENIED = {"by_policies": "denied", "because": "NetworkPolicy falco/shut isolates it"}
PASS, FAIL, SKIP = ("path", "passed"), ("path", "failed"), ("path", "skipped")
GOOD_DNS = both(DNS, "n1", "n2")
#: Name, what is asked, verdicts of the paths, words.
PATHS: list[tuple[str, dict[str, Any], tuple[tuple[str, str], ...], tuple[str, ...]]] = [
    (
        "every connection passes",
        probed(*both(HOP, "n1", "n2"), *GOOD_DNS),
        (PASS, PASS),
        ("4 connections tried, from n1, n2",),
    ),
    ("the probe was not made", {"paths": FLOWS, "probe": {}}, (SKIP,), ("could not be tried: was not asked",)),
    ("the probe failed", {"paths": FLOWS, "probe": {"failed": True, "msg": "no image"}}, (SKIP,), ("no image",)),
    ("the probe told nothing", {"paths": FLOWS, "probe": {"msg": "ok"}}, (SKIP,), ("the network was not asked",)),
    (
        "a policy between them",
        probed(bad(HOP, "n1", **DENIED), row(HOP, "n2"), bad(HOP + BY, "n1", **DENIED), *GOOD_DNS),
        (FAIL, PASS),
        ("a policy is between them: NetworkPolicy falco/shut isolates it (from n1)",),
    ),
    (
        "a policy between them, seen by the Service's address alone",
        probed(*both(HOP, "n2"), bad(HOP + BY, "n1", **DENIED), *GOOD_DNS),
        (FAIL, PASS),
        ("a policy is between them",),
    ),
    (
        "a network that does not carry it",
        probed(bad(HOP, "n1"), bad(HOP + BY, "n1"), *both(HOP, "n2"), *GOOD_DNS),
        (FAIL, PASS),
        ("from n1: falco/side does not answer, although the policies let it pass (dropped)",),
    ),
    (
        "a node that does not serve the address",
        probed(row(HOP, "n1"), row(HOP, "n2"), bad(HOP + BY, "n2"), row(HOP + BY, "n1"), *GOOD_DNS),
        (FAIL, PASS),
        ("n2 does not serve the address 192.0.2.9 of falco/side; its pods answer there: see kube-proxy",),
    ),
    (
        "nodes that do not serve the address",
        probed(row(HOP, "n1"), row(HOP, "n2"), bad(HOP + BY, "n2"), bad(HOP + BY, "n1"), *GOOD_DNS),
        (FAIL, PASS),
        ("n1, n2 do not serve the address",),
    ),
    (
        "cluster DNS has no pod",
        probed(*both(HOP, "n1"), row(DNS + BY, "n1", "unproven"), missed=({"flow": DNS, "why": "no pod of it runs"},)),
        (PASS, FAIL),
        ("cluster DNS has no pod that runs: no pod of it runs",),
    ),
    (
        "there is no such DNS here",
        probed(*both(HOP, "n1"), missed=({"flow": DNS, "why": "no namespace"}, {"flow": DNS + BY, "why": "none"})),
        (PASS, SKIP),
        ("nothing can be concluded: no namespace",),
    ),
    (
        "another part has no pod",
        probed(row(HOP + BY, "n1", "unproven", detail="silent"), *GOOD_DNS, missed=({"flow": HOP, "why": "no pod"},)),
        (SKIP, PASS),
        ("nothing can be concluded: silent",),
    ),
    (
        "a part of it is unproven",
        probed(*both(HOP, "n1"), row(HOP, "n2", "unproven"), *GOOD_DNS),
        (SKIP, PASS),
        ("nothing can be concluded: dropped",),
    ),
    (
        "a part of it could not be tried",
        probed(*both(HOP, "n1"), *GOOD_DNS, missed=({"flow": HOP, "why": "it does not run"}, {"flow": "x"})),
        (SKIP, PASS),
        ("nothing can be concluded: it does not run",),
    ),
    (
        "the probe failed, and claims",
        {"paths": FLOWS, "probe": {"failed": True, "results": both(HOP, "n1")}},
        (SKIP,),
        ("could not be tried: cannot be asked",),
    ),
    (
        "DNS answers, and its Service's address is not proven",
        probed(
            *both(HOP, "n1"), row(DNS, "n1"), row(DNS + BY, "n1", "unproven"), missed=({"flow": DNS, "why": "a pod"},)
        ),
        (PASS, SKIP),
        (),
    ),
    ("DNS is not proven", probed(*both(HOP, "n1"), row(DNS + BY, "n1", "unproven")), (PASS, SKIP), ()),
    (
        "pods alone, and a Service alone",
        probed(row(HOP), row(DNS + BY)),
        (PASS, PASS),
        ("1 connection tried, from n1",),
    ),
    ("nothing was tried", probed(*GOOD_DNS, row("x")), (SKIP, PASS), ("nothing was tried",)),
]
