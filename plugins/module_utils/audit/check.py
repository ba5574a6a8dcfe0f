# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a policy records what a ruleset needs: for each rule what it gets, and findings for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from ..common.finding import Finding
from ..falco.load.compiler import Compiled
from ..falco.load.ruleset import Loaded
from .bodies import bodies
from .codes import BLIND, CODES, IMPOSSIBLE, NEVER, PARTLY, UNJUDGED
from .decide import Piece, Recorder
from .document import read
from .errors import AuditError, TooLargeError
from .kubernetes import LASTING_SUBRESOURCES
from .lint import lint
from .literals import BODIES, Need
from .model import STAGES, Level, Policy
from .needs import needs_of
from .region import Region
from .sets import ALL, only
from .words import requests

SOURCE = "k8s_audit"
"""The event source of rules for audit events, whichever plugin brings it."""

RECORDED, NOT_ALL, SILENT, UNKNOWN = "recorded", "partly", "never", "unknown"
VERDICTS = (RECORDED, NOT_ALL, SILENT, UNKNOWN)
"""What can be said of a rule."""

NAMED = 3
"""Requests that a rule does not see are named up to this number."""


class Lost(NamedTuple):
    """Requests of which a rule does not get what it needs.

    Attributes:
        region: the requests.
        rule: 0-based number of the policy's rule that decides; None where none matches.
        level: at which level they are recorded.
        needed: at which they are needed.
        stages: stages that are needed and left out; empty where the level is what is wrong.
        blind: the Falco rule fires all the same, without seeing what it excludes.
    """

    region: Region
    rule: int | None
    level: Level
    needed: Level
    stages: tuple[str, ...] = ()
    blind: bool = False

    def why(self, policy: Policy) -> str:
        """What the policy does with these requests, and where."""
        what, where = requests(self.region), policy.at(self.rule)
        if self.rule is None:
            return f"no rule of the policy matches {what} ({where})"
        if self.stages:
            return f"the policy leaves out the stage {' and '.join(self.stages)} of {what} ({where})"
        told = f"the policy records {what} at {self.level.text} ({where})"
        return told if self.needed <= Level.METADATA else f"{told}, and {self.needed.text} is needed"


class Judged(NamedTuple):
    """What a policy means for one Falco rule.

    Attributes:
        name: the rule's.
        verdict: recorded, partly, never or unknown.
        level: the level that its condition needs of some request.
        lost: requests of which it does not get what it needs.
        file, line: where the rule stands; the line counts from 1.
        reasons: what of it is not recorded, by which rule of the policy.
    """

    name: str
    verdict: str
    level: Level
    lost: tuple[Lost, ...]
    file: str
    line: int
    reasons: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "rule": self.name,
            "verdict": self.verdict,
            "level": self.level.text,
            "reasons": list(self.reasons),
        }


class Checked(NamedTuple):
    """What came out.

    Attributes:
        policy: None where the API server would refuse it.
        findings: what is wrong, errors first.
        rules: each enabled rule for audit events.
    """

    policy: Policy | None
    findings: list[Finding]
    rules: list[Judged]


def check(text: str, loaded: Loaded | None = None, name: str = "policy", secret_bodies: bool = False) -> Checked:
    """Check an audit policy, and whether it records what a ruleset needs.

    Args:
        text: the policy, YAML or JSON.
        loaded: the ruleset; None to look at the policy alone.
        name: what findings call the policy, such as its path.
        secret_bodies: whether it may record the bodies of secrets and tokens.

    Raises:
        AuditError: the ruleset has no enabled rule for audit events.
    """
    result = read(text, name)
    findings = list(result.findings)
    rules: list[Judged] = []
    if result.policy is not None:
        recorder = Recorder(result.policy)
        if not secret_bodies:
            findings += bodies(recorder, result.source)
        findings += lint(recorder, result.source)
        if loaded is not None:
            rules = judged(recorder, loaded)
            findings += [found for one in rules for found in findings_of(one, result.policy)]
    order = ("error", "warning", "info")
    return Checked(result.policy, sorted(findings, key=lambda one: order.index(one.severity)), rules)


def judged(recorder: Recorder, loaded: Loaded) -> list[Judged]:
    """What a policy means for each enabled rule of a ruleset that is for audit events.

    Raises:
        AuditError: there is none.
    """
    audit = [one for one in loaded.compiler.rules.values() if one.rule.source == SOURCE and one.rule.enabled]
    if not audit:
        raise AuditError(f"none of the rules has the source {SOURCE}, so there is nothing to ask the policy for")
    return [_judge(one, recorder, loaded) for one in audit]


def _judge(compiled: Compiled, recorder: Recorder, loaded: Loaded) -> Judged:
    rule = compiled.rule
    place = (rule.context.file, rule.context.locations[1].mark.line + 1)
    try:
        needs = needs_of(compiled, loaded.compiler)
    except TooLargeError:
        return Judged(rule.name, UNKNOWN, Level.METADATA, (), *place)
    lost: list[Lost] = []
    seen = False
    for need in needs:
        for piece in recorder.pieces(need.region):
            missing = _missing(need, piece)
            seen = seen or missing is None or missing.blind
            if missing is not None:
                lost.append(missing)
    verdict = SILENT if not seen else NOT_ALL if lost else RECORDED
    level = max((need.level for need in needs), default=Level.METADATA)
    joined = tuple(_joined(lost))
    reasons = tuple(dict.fromkeys(one.why(recorder.policy) for one in joined))
    return Judged(rule.name, verdict, level, joined, *place, reasons)


def _joined(lost: Iterable[Lost]) -> list[Lost]:
    """The same requests in fewer regions: those that differ in nothing but verbs are one, then those in resources."""
    found = [one._replace(region=one.region._replace(name=ALL)) for one in lost]
    for part in ("verb", "resource"):
        alike: dict[Lost, set[str]] = {}
        for one in found:
            words = getattr(one.region, part)
            key = one if words.others else one._replace(region=one.region.having(**{part: ALL}))
            alike.setdefault(key, set()).update(() if words.others else words.names)
        found = [
            one._replace(region=one.region.having(**{part: only(names)})) if names else one
            for one, names in alike.items()
        ]
    # first what everybody does, then what only some do
    return sorted(found, key=lambda one: (not one.region.user.others) + len(one.region.groups.one_of))


def _missing(need: Need, piece: Piece) -> Lost | None:
    """What a need does not get of requests that are recorded alike."""
    if piece.level < need.level:
        return Lost(piece.region, piece.rule, piece.level, need.level)
    left = need.stages - piece.omitted
    if not left - _never_comes(piece.region):
        stages = tuple(stage for stage in STAGES if stage in need.stages & piece.omitted - _never_comes(piece.region))
        return Lost(piece.region, piece.rule, piece.level, need.level, stages)
    if piece.level < need.blind:
        region = piece.region.also(BODIES[need.blind])
        if region is not None:
            return Lost(region, piece.rule, piece.level, need.blind, blind=True)
    return None


def _never_comes(region: Region) -> frozenset[str]:
    """Stages that no request of a region has when all goes well."""
    lasts = region.for_resources and (
        region.verb.names == {"watch"}
        or (not region.subresource.others and region.subresource.names <= LASTING_SUBRESOURCES)
    )
    return frozenset(("Panic",)) if lasts else frozenset(("Panic", "ResponseStarted"))


def findings_of(one: Judged, policy: Policy) -> Iterable[Finding]:
    """What a person should know of a rule."""
    unseen = [lost for lost in one.lost if not lost.blind]
    blind = [lost for lost in one.lost if lost.blind]
    if one.verdict == UNKNOWN:
        yield _finding(UNJUDGED, one, "the condition means too many kinds of requests to be told apart", "")
    elif one.verdict == SILENT and not one.lost:
        yield _finding(
            IMPOSSIBLE, one, "no request fulfils the condition, whatever is recorded",
            "it waits for a list or macro that a site sets, or its parts exclude each other",
        )  # fmt: skip
    elif one.verdict == SILENT:
        yield _finding(NEVER, one, f"never fires: {_reasons(unseen, policy)}", _advice(unseen[0], policy))
    elif unseen:
        yield _finding(PARTLY, one, f"does not see everything: {_reasons(unseen, policy)}", _advice(unseen[0], policy))
    if blind and one.verdict != SILENT:
        message = f"fires also on what its condition excludes by a body: {_reasons(blind, policy)}"
        yield _finding(BLIND, one, message, _advice(blind[0], policy))


def _reasons(lost: Sequence[Lost], policy: Policy) -> str:
    told = list(dict.fromkeys(one.why(policy) for one in lost))
    more = f"; and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return "; ".join(told[:NAMED]) + more


def _advice(lost: Lost, policy: Policy) -> str:
    what = requests(lost.region)
    if lost.stages:
        return f"take {' and '.join(lost.stages)} out of omitStages"
    before = "at the end" if lost.rule is None else f"before {policy.at(lost.rule)}"
    return f"record {what} at {max(lost.needed, Level.METADATA).text} by a rule {before}"


def _finding(code: str, one: Judged, message: str, hint: str) -> Finding:
    item = f"rule '{one.name}'"
    return Finding(code, CODES[code][0], one.file, one.line, None, item, f"{item} {message}", hint)
