# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about two sets of policies over the same pods: does one permit, forbid, contain, equal or loosen the other.

They are asked as np-guard's network-config-analyzer asks them
(https://github.com/np-guard/network-config-analyzer/blob/master/docs/SchemeFileFormat.md). What a set *specifies* is
what its rules allow: connections for which a rule decides at one end at least, not those that no policy is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..decide.engine import Engine
from ..decide.universe import Universe
from ..errors import NetpolError
from ..model.objects import BASELINE, DENY, PASS, Model, Options, PodsPeer, Policy, Rule
from ..model.selectors import EVERYTHING
from .connections import Classes, Part, Rows, rows, union
from .unplaced import placed

_EVERY_POD = PodsPeer(EVERYTHING, EVERYTHING)
#: After every policy of the API: what would be left to the default is denied.
_LAST = 1 << 30
_NO_INGRESS = Policy("", "", "nothing else", BASELINE, _EVERY_POD, _LAST, ingress=(Rule(0, DENY),))
_NO_EGRESS = Policy("", "", "nothing else", BASELINE, _EVERY_POD, _LAST, egress=(Rule(0, DENY),))


class Answer(NamedTuple):
    """What a question comes to.

    Attributes:
        holds: whether the answer is yes.
        evidence: connections that it rests on: those that speak against it, for interference those that speak for it.
        truncated: whether there are more.
        determined: whether it holds wherever the addresses lie that pods do not have yet; else they count as denied.
        sentence: the answer in words.
    """

    holds: bool
    evidence: Sequence[dict[str, Any]]
    truncated: bool
    determined: bool
    sentence: str


def relate(
    question: str, model: Model, policies: Sequence[Policy], others: Sequence[Policy], options: Options, limit: int
) -> Answer:
    """Answers a question about two sets of policies.

    Args:
        question: one of C(request.RELATIONS).
        model: the pods and namespaces that both are about.
        policies: the set that is asked about.
        others: the set that it is compared with.
        options: answers to what is left to implementations.
        limit: pairs of evidence that are told.

    Raises:
        NetpolError: a set of no policies is taken for what is to be permitted or forbidden.
    """
    if question in ("permits", "forbids") and not others:
        raise NetpolError(f"{question} needs policies that specify something: there is none among the others")
    everywhere, determined = placed(model, [*policies, *others], options)
    evidence, truncated = _evidence(question, everywhere, policies, others, options, limit, False)
    if everywhere is not model or not determined:
        # What holds for some of the addresses that pods may get is told apart from what holds for all.
        sure, _more = _evidence(question, model, policies, others, options, limit, True)
        pairs = {(item["from"], item["to"]) for item in sure}
        evidence = [
            item if (item["from"], item["to"]) in pairs else {**item, "undetermined": True} for item in evidence
        ]
        determined = not any("undetermined" in item for item in evidence)
    holds = bool(evidence) == (question == "interference")
    return Answer(holds, evidence, truncated, determined, _SENTENCES[question][holds])


def _evidence(
    question: str,
    model: Model,
    policies: Sequence[Policy],
    others: Sequence[Policy],
    options: Options,
    limit: int,
    sure: bool,
) -> tuple[list[dict[str, Any]], bool]:
    """The connections that an answer rests on, or those that it surely rests on, and whether there are more."""
    universe = Universe(model, [[*policies, *others]], options)
    classes = Classes(universe)
    names = {policy.full_name for policy in others}
    together = [policy for policy in policies if policy.full_name not in names] + list(others)

    def allowed(some: Sequence[Policy], possible: bool) -> Rows:
        return rows(Engine(universe, some, possible))

    # What may be is no yes: the left side is taken as wide as it may be and the right one as narrow, or the other way.
    wide = not sure

    def told(parts: Iterable[Part], only_in: str = "") -> tuple[list[dict[str, Any]], bool]:
        found, more = classes.told(parts, limit)
        return [{**item, "only_in": only_in} if only_in else dict(item) for item in found], more

    if question == "equivalence":
        evidence, truncated = told(classes.minus(allowed(policies, wide), allowed(others, sure)), "policies")
        more, longer = told(classes.minus(allowed(others, wide), allowed(policies, sure)), "others")
        return evidence + more, truncated or longer
    if question == "containment":
        return told(classes.minus(allowed(others, wide), allowed(policies, sure)))
    if question == "interference":
        return told(classes.minus(allowed(together, wide), allowed(policies, sure)))
    specified = specifies(universe, others, wide)
    if question == "permits":
        return told(classes.minus(specified, allowed(policies, sure)))
    return told(classes.common(specified, allowed(policies, wide)))


def is_vacuous(model: Model, policies: Sequence[Policy], options: Options, limit: int) -> Answer:
    """Whether policies allow everything, as if there were none."""
    model, determined = placed(model, policies, options)
    universe = Universe(model, [policies], options)
    classes = Classes(universe)
    parts = classes.minus(rows(Engine(universe, ())), rows(Engine(universe, policies)))
    evidence, truncated = classes.told(parts, limit)
    return Answer(not evidence, evidence, truncated, determined, _SENTENCES["vacuity"][not evidence])


def specifies(universe: Universe, policies: Sequence[Policy], possible: bool) -> Rows:
    """Connections that are allowed, by a rule at one end at least."""
    ruled = universe.every_pod & ~universe.host
    some = [_without_pass(policy) for policy in policies]
    into = rows(Engine(universe, [*some, _NO_INGRESS], possible))
    out = rows(Engine(universe, [*some, _NO_EGRESS], possible))
    return union(
        [row if ruled >> number & 1 else {} for number, row in enumerate(into)],
        [dict(_of_sources(row.items(), ruled)) for row in out],
    )


def _without_pass(policy: Policy) -> Policy:
    """Behind the last tier is nobody who decides: what leaves it is not decided."""
    if policy.tier != BASELINE:
        return policy

    def denied(rules: Sequence[Rule]) -> tuple[Rule, ...]:
        return tuple(replace(rule, action=DENY) if rule.action == PASS else rule for rule in rules)

    return replace(policy, ingress=denied(policy.ingress), egress=denied(policy.egress))


def _of_sources(row: Iterable[tuple[int, int]], sources: int) -> Iterator[tuple[int, int]]:
    for mask, members in row:
        if members & sources:
            yield mask, members & sources


_SENTENCES = {
    "permits": (
        "the policies do not permit all that the others' rules allow",
        "the policies permit all that the others' rules allow",
    ),
    "forbids": (
        "the policies do not forbid all that the others' rules allow",
        "the policies forbid all that the others' rules allow",
    ),
    "containment": (
        "the others allow more than the policies do",
        "the others allow nothing that the policies do not allow",
    ),
    "equivalence": (
        "the policies and the others do not allow the same connections",
        "the policies and the others allow the same connections",
    ),
    "interference": (
        "the others open nothing that the policies deny",
        "the others, applied beside the policies, open what the policies deny",
    ),
    "vacuity": ("the policies deny something", "the policies deny nothing: all is as if there were none"),
}
