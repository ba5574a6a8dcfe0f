"""Rules that were made before stay as they are while they are on the same connections."""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.netpol.watch.kept import kept
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.watch.rules import TAG

LIST = {"list": "connection_that_policies_deny_web", "items": ["192.0.2.1"]}
RULE = {"rule": "Connection that policies deny: web", "tags": ["network", TAG]}
OTHERS: list[Any] = [{"rule": "Shell", "tags": ["T1059"]}, {"list": "shells"}, {"macro": "m"}, {"rule": "bare"}, 5]


def test_ours_are_found_among_others_in_their_order_with_the_addresses_of_then() -> None:
    now = [{**LIST, "items": ["192.0.2.9"]}, RULE]
    assert kept([OTHERS[0], LIST, *OTHERS[1:], RULE], now) == [LIST, RULE]


def test_rules_on_other_connections_are_made_anew() -> None:
    further = {**RULE, "rule": "Connection that policies deny: db"}
    assert kept([LIST, RULE], [LIST, RULE, further]) is None
    assert kept([LIST, RULE, further], [LIST, RULE]) is None
    assert kept([LIST, RULE], [further]) is None
    assert kept([LIST, RULE, further], [further, RULE]) == [LIST, RULE, further]


def test_where_none_were_made_there_is_nothing_to_keep() -> None:
    assert kept(OTHERS, []) is None
    assert kept([], [RULE]) is None
