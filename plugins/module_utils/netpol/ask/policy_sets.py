# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about whole sets of policies, as plain data and sentences: two sets compared, one set that does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ...common.finding import Finding
from ..errors import NetpolError
from ..lint.finding import about, row, told
from ..model.objects import Model
from .notes import address_note
from .redundancy import Idle, empty, redundant
from .relations import Answer, is_vacuous, relate
from .request import RELATIONS, Request
from .sides import own_namespaces

#: Codes of what does nothing: of a policy, of a rule.
CODES = {"emptiness": ("empty-policy", "empty-rule"), "redundancy": ("redundant-policy", "redundant-rule")}


def policy_sets(request: Request, model: Model, others: Model | None) -> dict[str, Any]:
    """Answers one question about whole sets of policies.

    Args:
        request: with a question of C(request.RELATIONS) or C(request.WHOLE).
        model: the cluster with the policies.
        others: the other set of policies. Its pods and namespaces count only where the cluster has no pods.

    Returns:
        C(holds) (whether the answer is yes), C(text), C(summary); C(evidence) and C(truncated), or C(idle) and
        C(findings).

    Raises:
        NetpolError: the question needs a second set of policies, or one that has some.
    """
    if request.question in RELATIONS:
        if others is None:
            raise NetpolError(f"{request.question} needs the other set of policies")
        cluster, notes = _cluster(model, others)
        answer = relate(request.question, cluster, model.policies, others.policies, request.options, request.limit)
        return _answered(answer, notes)
    if request.question == "vacuity":
        return _answered(is_vacuous(model, model.policies, request.options, request.limit), [])
    determined = True
    if request.question == "emptiness":
        found = empty(model, model.policies, request.options)
    else:
        found, determined = redundant(model, model.policies, request.options)
    findings = findings_of(request.question, found)
    return {
        "holds": bool(found),
        "idle": [item.as_dict() for item in found],
        "findings": [row(finding) for finding in findings],
        "text": [told(finding) for finding in findings] or [f"no policy and no rule is {_WORDS[request.question]}"],
        "notes": [] if determined else [address_note("answers may depend")],
        "summary": {
            "idle_policies": sum(item.rule is None for item in found),
            "idle_rules": sum(item.rule is not None for item in found),
        },
    }


_WORDS = {"emptiness": "empty", "redundancy": "redundant"}


def findings_of(question: str, found: Sequence[Idle]) -> list[Finding]:
    """What does nothing, as findings at the policies' places."""
    findings = []
    for item in found:
        code = CODES[question][item.rule is not None]
        which = "" if item.rule is None else f"{item.direction} rule {item.rule.index}: "
        if question == "emptiness":
            message = f"{which}{'its peers are nobody' if item.rule is not None else 'selects no pod'}"
            hint = "check the labels, or delete it"
        else:
            message = f"{which}without it no connection changes"
            hint = "delete it" if item.together else "one of two that say the same: delete either, not both"
            if item.rule is not None:
                hint = hint.replace("delete it", "take it out, and write policyTypes so that they stay as they are")
        findings.append(about(item.policy, code, "warning", message, hint))
    return findings


def _cluster(model: Model, others: Model) -> tuple[Model, list[str]]:
    """The pods that both sets are about, and what of the others is not looked at."""
    if not model.pods:
        return replace(others, namespaces=own_namespaces(others, model)), []
    known = {pod.workload_name for pod in model.pods}
    strange = sorted({pod.workload_name for pod in others.pods} - known)
    notes = [f"not looked at: {len(strange)} workloads that only the other set's input has"] if strange else []
    return replace(model, namespaces=own_namespaces(model, others)), notes


def _answered(answer: Answer, notes: list[str]) -> dict[str, Any]:
    lines = [answer.sentence]
    for item in answer.evidence:
        ports = item["protocol"] if item["ports"] == "all" else f"{item['protocol']} {item['ports']}"
        only = f" (only by the {item['only_in']})" if "only_in" in item else ""
        maybe = " (for some of the addresses that pods may get)" if "undetermined" in item else ""
        lines.append(f"{item['from']} -> {item['to']}: {ports}{only}{maybe}")
    if answer.truncated:
        lines.append(f"and more than these {len(answer.evidence)}")
    if not answer.determined:
        notes = [*notes, address_note("the answer may depend")]
    return {
        "holds": answer.holds,
        "evidence": list(answer.evidence),
        "truncated": answer.truncated,
        "text": lines,
        "notes": notes,
        "summary": {"evidence": len(answer.evidence)},
    }
