"""What falco_delivery_info tells, and the checks that stage verify makes of it."""

from __future__ import annotations

from typing import Any

Delivery = tuple[str, dict[str, Any], tuple[tuple[str, str], ...], tuple[str, ...]]
NONE = {"sent": 0, "failed": 0, "failure": None}
SILENT = {"kind": "silent", "status": None, "host": "side", "words": "side does not answer"}
FORBIDDEN = {"kind": "status", "status": 403, "host": "", "words": "it was answered 403 (Forbidden)"}


def falco(node: str, failed: int = 0, unread: str = "") -> dict[str, Any]:
    lost = {"sent": 0, "failed": failed, "failure": SILENT if failed else None}
    return {"pod": f"falco-{node}", "node": node, "lost": lost, "drops": 0, "refused": False, "unread": unread}


def delivered(*pods: dict[str, Any], **outputs: dict[str, Any]) -> dict[str, Any]:
    return {"falco": list(pods), "sidekick": [], "outputs": outputs}


HANDED, LOST = ("handover", "passed"), ("handover", "failed")
DELIVERIES: list[Delivery] = [
    ("nobody asked what got lost", {}, (), ()),
    ("it is not known what got lost", {"failed": True, "msg": "403"}, (("handover", "skipped"),), ("over: 403",)),
    (
        "all was passed on",
        delivered(falco("n1"), falco("n2"), slack={**NONE, "sent": 2}),
        (HANDED, ("output", "passed")),
        ("2 Falcos lost none since the triggers", "Output takes alerts: 2 alerts were taken"),
    ),
    ("no Falco runs", delivered(), (("handover", "skipped"),), ("no pod of Falco runs",)),
    (
        "a log that cannot be read",
        delivered(falco("n1"), falco("n2", unread="HTTP 500")),
        (("handover", "skipped"),),
        ("n2: its log could not be read (HTTP 500)",),
    ),
    (
        "one Falco lost alerts",
        delivered(falco("n1"), falco("n2", 3), falco("n3", unread="x")),
        (LOST,),
        ("n2: 3 alerts lost, side does not answer",),
    ),
    (
        "an output refuses, another takes",
        delivered(falco("n1"), slack={"sent": 1, "failed": 2, "failure": FORBIDDEN}, webhook={**NONE, "sent": 1}),
        (HANDED, ("output", "failed"), ("output", "passed")),
        ("it was answered 403 (Forbidden); 1 alert was taken",),
    ),
    (
        "an output fails without a reason",
        delivered(falco("n1"), slack={**NONE, "failed": 1}),
        (HANDED, ("output", "failed")),
        ("it is not told why; 0 alerts were taken",),
    ),
    ("an output took none", delivered(falco("n1"), slack=NONE), (HANDED, ("output", "failed")), ("0 alerts",)),
]
