"""The world of one family opened where pods have addresses of both."""

from __future__ import annotations

import pytest

from .test_hints import both
from .test_lint import findings, pod, policy
from .test_traffic import told

API = both("api", "10.0.0.2", "fd00::2")


def world(blocks: str, direction: str = "egress", more: str = "") -> str:
    side = "to" if direction == "egress" else "from"
    peers = ", ".join(f'{{ipBlock: {{cidr: "{block}"}}}}' for block in blocks.split(" "))
    return f"{{podSelector: {{}}, policyTypes: [{direction.capitalize()}], {direction}: [{{{side}: [{peers}]}}{more}]}}"


@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.parametrize(
    ("block", "opened", "other", "missing"), [("0.0.0.0/0", 4, 6, "::/0"), ("::/0", 6, 4, "0.0.0.0/0")]
)
def test_which_family_is_missing_is_told(direction: str, block: str, opened: int, other: int, missing: str) -> None:
    (found,) = [one for one in findings(API, policy(world(block, direction))) if one.code == "one-family"]
    said = f"{direction} opens the addresses of IPv{opened} and none of IPv{other}, and pods have both"
    assert (found.message, found.severity) == (said, "warning")
    assert found.hint == f"add a block of IPv{other} ({missing}) if both are meant"


@pytest.mark.parametrize(
    "rules",
    [world("0.0.0.0/0 ::/0"), world("0.0.0.0/0 2001:db8::/32"), world("10.0.0.0/8"), world("0.0.0.0/0", more=", {}")],
    ids=["both", "some-of-the-other", "not-the-world", "a-rule-for-everyone-beside-it"],
)
def test_nothing_is_missing(rules: str) -> None:
    assert told("one-family", API, policy(rules)) == []


def test_pods_of_one_family_need_no_other() -> None:
    assert told("one-family", pod("api", ip="10.0.0.2"), policy(world("0.0.0.0/0"))) == []


def test_nothing_at_all_has_no_finding() -> None:
    assert findings() == []
