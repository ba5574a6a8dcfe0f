# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about whole sets of policies as part of the gate: what must be permitted, what forbidden, what is idle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..common.finding import Finding
from ..common.junit import Case
from ..live_netpol.inputs import read_paths
from ..netpol.ask.policy_sets import policy_sets
from ..netpol.ask.request import RELATIONS, Request
from ..netpol.errors import NetpolError
from ..netpol.model.objects import Model
from ..netpol.read.manifests import load
from .tree import Tree

#: Questions to which yes is what one wants; to the others it is no.
_WANTED = ("permits", "forbids", "containment", "equivalence")
LIMIT = 100
"""Connections that an answer tells one by one."""


@dataclass(frozen=True)
class Question:
    """One entry of the option C(policies[].questions).

    Attributes:
        question: one of C(netpol.ask.request.RELATIONS) and C(netpol.ask.request.WHOLE).
        other_paths: manifests of the other set, where the question is about two.
        expect: the answer that is wanted; None takes the usual one.
    """

    question: str
    other_paths: Sequence[str] = ()
    expect: bool | None = None

    @property
    def expected(self) -> bool:
        return self.question in _WANTED if self.expect is None else self.expect

    def __str__(self) -> str:
        of = f" {', '.join(self.other_paths)}" if self.other_paths else ""
        return f"{self.question}{of}"


class Answered(NamedTuple):
    """What a question comes to: a case, what was found, why it fails (empty if not), and what it leaves out."""

    case: Case
    findings: list[Finding]
    reason: str
    notes: list[str]


def ask(question: Question, of: str, model: Model, tree: Tree) -> Answered:
    """Answers one question.

    Args:
        question: what is asked.
        of: name of the entry that it belongs to.
        model: the pods and policies of that entry.
        tree: the revision that the other set is read from.
    """
    name = f"gate.policies.{of}.questions"
    try:
        found = policy_sets(Request(question.question, limit=LIMIT), model, _others(question, tree))
    except NetpolError as error:
        said = f"{question}: {tree.told(str(error))}"
        return Answered(Case(str(question), name, failure=said.split("\n", maxsplit=1)[0], text=said), [], said, [])
    notes = [f"{question}: {note}" for note in found["notes"]]
    if found["holds"] == question.expected:
        return Answered(Case(str(question), name), [], "", notes)
    findings = [_finding(one) for one in found.get("findings", ())]
    if not findings:
        place = question.other_paths[0] if question.other_paths else ""
        findings = [Finding(question.question, "error", place, None, None, f"policies {of}", "; ".join(found["text"]))]
    first, *more = found["text"]
    said = f"{question}: {first}" + (f" ({more[0]}{f' and {len(more) - 1} more' if more[1:] else ''})" if more else "")
    return Answered(Case(str(question), name, failure=said, text="\n".join(found["text"])), findings, said, notes)


def _others(question: Question, tree: Tree) -> Model | None:
    if question.question not in RELATIONS:
        return None
    if not question.other_paths:
        raise NetpolError("other_paths names no file: there is no other set of policies")
    return load([one._replace(name=tree.told(one.name)) for one in read_paths(tree.paths(question.other_paths))])


def _finding(row: dict[str, Any]) -> Finding:
    return Finding(
        row["code"], row["severity"], row["source"], row["line"], None, row["object"], row["message"], row["hint"]
    )
