# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that may come: whether any pod can meet some peers and miss others, whatever its labels and its namespace's.

A label has one of the values that selectors mention, any other value, or is not there; a namespace is one that exists,
with the labels that it has, or a new one with any labels. So nothing is tried: a requirement is the set of a label's
states that meet it, and peers are met together where none of these sets is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..model.objects import NAMESPACE_NAME_LABEL, Model, PodsPeer
from ..model.selectors import DOES_NOT_EXIST, EVERYTHING, EXISTS, IN, NOT_IN, Requirement, Selector, make_selector

#: Every pod of every namespace.
ANYONE = PodsPeer(EVERYTHING, EVERYTHING)


class _States(NamedTuple):
    """States of a label: absent, and either just these values or all but these."""

    absent: bool
    values: frozenset[str]
    others: bool

    def meet(self, other: _States) -> _States:
        if self.others and other.others:
            values, others = self.values | other.values, True
        elif self.others:
            values, others = other.values - self.values, False
        elif other.others:
            values, others = self.values - other.values, False
        else:
            values, others = self.values & other.values, False
        return _States(self.absent and other.absent, values, others)

    def __bool__(self) -> bool:
        return self.absent or self.others or bool(self.values)


_NONE: frozenset[str] = frozenset()
#: The requirement that is met where another is not.
_OPPOSITE = {IN: NOT_IN, NOT_IN: IN, EXISTS: DOES_NOT_EXIST, DOES_NOT_EXIST: EXISTS}


def _states(operator: str, values: Iterable[str]) -> _States:
    if operator == IN:
        return _States(False, frozenset(values), False)
    if operator == NOT_IN:
        return _States(True, frozenset(values), True)
    return _States(False, _NONE, True) if operator == EXISTS else _States(True, _NONE, False)


#: Whether the label is the namespace's or the pod's, and its key.
_Label = tuple[bool, str]
_Literal = tuple[_Label, _States]


def namespaces_of(peer: PodsPeer) -> Selector:
    """The namespaces of a peer as a selector; its own namespace by name."""
    if peer.namespaces is not None:
        return peer.namespaces
    return Selector((Requirement(NAMESPACE_NAME_LABEL, IN, (peer.namespace,)),))


def both(first: PodsPeer, second: PodsPeer) -> PodsPeer:
    """The pods that two peers have in common."""
    return PodsPeer(
        make_selector(namespaces_of(first).requirements + namespaces_of(second).requirements),
        make_selector(first.pods.requirements + second.pods.requirements),
    )


class Regions:
    """Answers for one model; the same question is decided once."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._known: dict[tuple[PodsPeer, frozenset[PodsPeer]], bool] = {}

    def exists(self, inside: PodsPeer, outside: Iterable[PodsPeer] = ()) -> bool:
        """Whether there can be a pod that one peer holds and none of the others."""
        key = (inside, frozenset(outside))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._exists(*key)
        return found

    def _exists(self, inside: PodsPeer, outside: frozenset[PodsPeer]) -> bool:
        if ANYONE in outside:
            return False
        wanted: dict[_Label, _States] = {}
        for label, states in _literals(inside, False):
            wanted[label] = wanted[label].meet(states) if label in wanted else states
        if not all(wanted.values()):
            return False
        clauses = [_literals(peer, True) for peer in outside]
        return any(self._in_place(name, wanted, clauses) for name in self._places(wanted, clauses))

    def _places(self, wanted: Mapping[_Label, _States], clauses: Sequence[Sequence[_Literal]]) -> list[str]:
        """Names of namespaces that are told apart by name, and an empty one for a new namespace of another name."""
        pinned = wanted.get((True, NAMESPACE_NAME_LABEL))
        if pinned is not None and not pinned.others:
            return sorted(pinned.values)
        named = {
            v for clause in clauses for label, s in clause if label == (True, NAMESPACE_NAME_LABEL) for v in s.values
        }
        return ["", *sorted(named | (pinned.values if pinned is not None else _NONE))]

    def _in_place(self, name: str, wanted: Mapping[_Label, _States], clauses: Sequence[Sequence[_Literal]]) -> bool:
        labels = self._model.namespaces[name].labels if name in self._model.namespaces else None
        given: dict[_Label, _States] = {}
        for label, states in wanted.items():
            if label[0]:
                met = _met_in(name, labels, label[1], states)
                if met is False:
                    return False
                if met:
                    continue
            given[label] = states
        rest = []
        for clause in clauses:
            open_: list[_Literal] = []
            for label, states in clause:
                met = _met_in(name, labels, label[1], states) if label[0] else None
                if met:
                    break
                if met is None:
                    open_.append((label, states))
            else:
                rest.append(open_)
        return _choose(given, sorted(rest, key=len))


def _met_in(name: str, labels: Mapping[str, str] | None, key: str, states: _States) -> bool | None:
    """Whether a namespace's label is in one of some states; None where that is free."""
    if key == NAMESPACE_NAME_LABEL:
        # A new namespace has a name that nothing mentions.
        return states.others if not name else (name in states.values) != states.others
    if labels is None:
        return None
    return states.absent if key not in labels else (labels[key] in states.values) != states.others


def _literals(peer: PodsPeer, opposite: bool) -> list[_Literal]:
    """A peer's requirements, all of which must be met; or their opposites, one of which must be."""
    return [
        ((of_namespace, r.key), _states(_OPPOSITE[r.operator] if opposite else r.operator, r.values))
        for of_namespace, selector in ((True, namespaces_of(peer)), (False, peer.pods))
        for r in selector.requirements
    ]


def _choose(given: dict[_Label, _States], clauses: Sequence[Sequence[_Literal]]) -> bool:
    """Whether one literal of each clause can be met together with what is given."""
    stack = [(given, 0)]
    while stack:
        known, number = stack.pop()
        if number == len(clauses):
            return True
        choices = []
        for label, states in clauses[number]:
            before = known.get(label)
            narrowed = states if before is None else before.meet(states)
            if before is not None and narrowed == before:
                choices = [(known, number + 1)]
                break
            if narrowed:
                choices.append(({**known, label: narrowed}, number + 1))
        # That a label is not there meets most opposites, so it is tried first.
        stack.extend(sorted(choices, key=lambda choice: any(s.absent for s in choice[0].values())))
    return False
