"""A verdict tells the decision that matters most, and whether it depends on what is not known."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.verdict import Decision, Verdict

ALLOWS = Decision("egress", True, "namespaced", "NetworkPolicy prod/out", 1, "named", "Allow", "it allows", ("a", "b"))
LETS = Decision("ingress", True, "default", "", None, "", "", "nothing decides")
DENIES = Decision("ingress", False, "namespaced", "NetworkPolicy prod/in", None, "", "", "it isolates")
MAY = Decision("ingress", False, "namespaced", "NetworkPolicy prod/may", 0, "", "", "it may", undetermined=True)
MAY_OUT = Decision("egress", False, "namespaced", "NetworkPolicy prod/may-out", 0, "", "", "may", undetermined=True)
NOT_OUT = Decision("egress", False, "default", "", None, "", "", "it is closed")


@pytest.mark.parametrize(
    ("egress", "ingress", "told"),
    [
        (ALLOWS, DENIES, DENIES),
        (MAY_OUT, DENIES, DENIES),
        (NOT_OUT, MAY, NOT_OUT),
        (ALLOWS, MAY, MAY),
        (MAY_OUT, MAY, MAY_OUT),
        (ALLOWS, LETS, ALLOWS),
        (LETS, ALLOWS, ALLOWS),
        (LETS, None, LETS),
        (None, ALLOWS, ALLOWS),
        (None, None, None),
    ],
    ids=["denied-in", "denied-before-may", "closed-before-may", "may", "both-may", "by-a-rule", "by-a-rule-in",
         "by-none", "one-side", "neither"],
)  # fmt: skip
def test_what_denies_is_told_before_what_may_and_what_may_before_what_allows(
    egress: Decision | None, ingress: Decision | None, told: Decision | None
) -> None:
    allowed = all(one is None or one.allowed for one in (egress, ingress))
    assert Verdict(allowed, egress, ingress).decisive == told


@pytest.mark.parametrize(
    ("egress", "ingress", "open_"),
    [
        (ALLOWS, MAY, True),
        (MAY_OUT, MAY, True),
        (None, MAY, True),
        (MAY_OUT, DENIES, False),
        (NOT_OUT, MAY, False),
        (ALLOWS, DENIES, False),
        (ALLOWS, LETS, False),
    ],
    ids=["one-may", "both-may", "the-only-side", "denied-in", "denied-out", "denied", "allowed"],
)
def test_a_verdict_is_open_where_nothing_denies_and_something_may(
    egress: Decision | None, ingress: Decision, open_: bool
) -> None:
    allowed = all(one is None or one.allowed for one in (egress, ingress))
    assert Verdict(allowed, egress, ingress).undetermined is open_


def test_a_verdict_is_data() -> None:
    assert Verdict(False, None, DENIES, "a note").as_dict() == {
        "allowed": False,
        "egress": None,
        "ingress": DENIES.as_dict(),
        "note": "a note",
        "undetermined": False,
    }
    assert Verdict(True, ALLOWS, None).as_dict() == {
        "allowed": True,
        "egress": {
            "direction": "egress",
            "allowed": True,
            "tier": "namespaced",
            "policy": "NetworkPolicy prod/out",
            "rule": 1,
            "rule_name": "named",
            "action": "Allow",
            "reason": "it allows",
            "considered": ["a", "b"],
            "undetermined": False,
        },
        "ingress": None,
        "note": "",
        "undetermined": False,
    }
