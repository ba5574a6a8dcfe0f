"""Which labels a pod gives up: the smallest set, against every combination; selectors that ask for none."""

from __future__ import annotations

from itertools import combinations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.labels import caught, escape
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.selectors import (
    DOES_NOT_EXIST,
    EXISTS,
    IN,
    NOT_IN,
    Requirement,
    Selector,
)
from hypothesis import given
from hypothesis import strategies as st

KEYS = ("app", "tier", "env", "team")
ADDED = {"held": "x"}
labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from("ab"))
requirements = st.one_of(
    st.builds(Requirement, st.sampled_from(KEYS), st.sampled_from((IN, NOT_IN)), st.sampled_from((("a",), ("a", "b")))),
    st.builds(Requirement, st.sampled_from((*KEYS, "held")), st.sampled_from((EXISTS, DOES_NOT_EXIST))),
)
selectors = st.lists(st.builds(Selector, st.lists(requirements, max_size=3).map(tuple)), max_size=4)


@given(labels, selectors)
def test_no_other_set_of_labels_leaves_more_selectors_or_is_smaller(
    pod: dict[str, str], given_selectors: list[Selector]
) -> None:
    found = escape(pod, given_selectors, ADDED)
    assert found.caught == caught(pod, given_selectors, ADDED, found.keys)
    every = [chosen for size in range(len(pod) + 1) for chosen in combinations(sorted(pod), size)]
    best = min((len(caught(pod, given_selectors, ADDED, chosen)), len(chosen)) for chosen in every)
    assert (len(found.caught), len(found.keys)) == best


def test_one_label_that_all_ask_for_goes_alone() -> None:
    one = Selector((Requirement("app", IN, ("web",)), Requirement("hash", IN, ("1",))))
    other = Selector((Requirement("app", EXISTS),))
    assert escape({"app": "web", "hash": "1", "team": "x"}, [one, other], ADDED) == (("app",), ())


def test_a_selector_that_asks_for_no_label_keeps_the_pod_unless_it_refuses_the_new_one() -> None:
    refuses = Selector((Requirement("held", DOES_NOT_EXIST),))
    assert escape({"app": "web"}, [Selector(), refuses], ADDED) == ((), (0,))


def test_a_label_that_keeps_a_selector_off_stays() -> None:
    off = Selector((Requirement("tier", NOT_IN, ("db",)),))
    on = Selector((Requirement("app", IN, ("web",)), Requirement("tier", IN, ("db",))))
    assert escape({"app": "web", "tier": "db"}, [off, on], ADDED) == (("app",), ())


def test_of_very_many_labels_all_that_are_asked_for_go() -> None:
    many = {f"key{number:02}": "a" for number in range(20)}
    asking = [Selector((Requirement(key, EXISTS),)) for key in list(many)[:15]]
    assert escape(many, asking, ADDED) == (tuple(sorted(many)[:15]), ())


@pytest.mark.parametrize(("asked", "gone"), [(12, 1), (13, 13)])
def test_up_to_twelve_labels_are_tried_in_every_combination(asked: int, gone: int) -> None:
    many = {f"key{number:02}": "a" for number in range(asked)}
    all_of_them = Selector(tuple(Requirement(key, EXISTS) for key in many))
    assert escape(many, [all_of_them], ADDED) == (tuple(sorted(many)[:gone]), ())
