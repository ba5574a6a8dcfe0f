# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What observations mean: a connection is allowed, denied or undetermined, for a reason. Nothing here asks anything."""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .model import Probe
from .wire.protocol import ALLOWED, DROPPED, PROBE_FAILED, REFUSED, UNRESOLVED, Attempt

# What a probe says about a connection.
CONCLUSION_ALLOWED = "allowed"
CONCLUSION_DENIED = "denied"
CONCLUSION_UNKNOWN = "unknown"

# How that compares with what was expected.
MET = "met"
VIOLATED = "violated"
UNPROVEN = "unproven"
OBSERVED = "observed"


class Reason(enum.Enum):
    """Why something is concluded about a connection, or nothing is; the value says it to people."""

    PASSED = "it passed"
    CUT = "a server listens there, and it was not reached"
    NO_SERVER = "no server listens there, so neither silence nor refusal says anything about policies"
    SERVER_NOT_ASKED = "it could not be found out whether a server listens there"
    SOME_SERVER_MISSING = "some of its pods do not listen or could not be asked, and it may have chosen one of these"
    NOBODY_REACHES_IT = "no other pod reaches it either, so it may be that nobody answers there"
    NO_ADDRESS = "the name has no address"
    NOT_TRIED = "the attempt itself failed"

    @property
    def conclusion(self) -> str:
        """Allowed, denied or unknown: each reason stands for one of them alone."""
        if self is Reason.PASSED:
            return CONCLUSION_ALLOWED
        return CONCLUSION_DENIED if self is Reason.CUT else CONCLUSION_UNKNOWN


def conclude(probe: Probe, verdict: str, listening: bool | None) -> Reason:
    """What one attempt means. Silence and refusal mean no only where a server is known to listen.

    Args:
        probe: the connection.
        verdict: what the attempt met, one of C(VERDICTS).
        listening: whether a server was seen there; None if that could not be found out.
    """
    if verdict == ALLOWED:
        return Reason.PASSED
    if verdict == UNRESOLVED:
        return Reason.NO_ADDRESS
    if verdict not in (REFUSED, DROPPED):
        return Reason.NOT_TRIED
    if listening is not None:
        return Reason.CUT if listening else Reason.NO_SERVER
    if probe.target_pod is None and not probe.controls:
        return Reason.NOBODY_REACHES_IT
    return Reason.SOME_SERVER_MISSING if len(probe.controls) > 1 else Reason.SERVER_NOT_ASKED


def compare(conclusion: str, expected: bool | None) -> str:
    """How a conclusion compares with what is expected: met, violated, unproven, or observed without expectation."""
    if expected is None:
        return OBSERVED
    if conclusion == CONCLUSION_UNKNOWN:
        return UNPROVEN
    return MET if (conclusion == CONCLUSION_ALLOWED) == expected else VIOLATED


def told(expected: bool | None) -> str | None:
    """An expectation in the words of a conclusion."""
    return {True: CONCLUSION_ALLOWED, False: CONCLUSION_DENIED, None: None}[expected]


@dataclass(frozen=True)
class Finding:
    """What is known about one connection after it was tried.

    Attributes:
        probe: the connection.
        attempt: the last attempt.
        attempts: how often it was tried.
        settled_ms: time from the first attempt to the last change of its verdict; 0 if it never changed.
        listening: whether a server was seen there: True, False, or None if that could not be found out.
    """

    probe: Probe
    attempt: Attempt
    attempts: int = 1
    settled_ms: int = 0
    listening: bool | None = None

    @property
    def reason(self) -> Reason:
        return conclude(self.probe, self.attempt.verdict, self.listening)

    @property
    def conclusion(self) -> str:
        return self.reason.conclusion

    @property
    def status(self) -> str:
        return compare(self.conclusion, self.probe.expected)

    def why_unknown(self) -> str:
        """Why nothing can be concluded, for people."""
        if self.conclusion != CONCLUSION_UNKNOWN:
            return ""
        # What failed tells more of it than we know.
        of_tool = self.attempt.detail if self.reason in (Reason.NOT_TRIED, Reason.NO_ADDRESS) else ""
        return of_tool or self.reason.value

    def row(self) -> dict[str, Any]:
        """The finding as a module returns it."""
        return {
            "from": self.probe.source.key,
            "from_workload": self.probe.source.workload,
            "from_node": self.probe.source.node,
            "to": self.probe.target,
            "to_workload": self.probe.target_pod.workload if self.probe.target_pod else None,
            "address": self.probe.host,
            "port": self.probe.port,
            "protocol": self.probe.protocol,
            "verdict": self.attempt.verdict,
            "conclusion": self.conclusion,
            "expected": told(self.probe.expected),
            "status": self.status,
            "flow": self.probe.flow or None,
            "because": self.probe.because or None,
            "by_policies": told(self.probe.by_policies),
            "detail": self.why_unknown() or self.attempt.detail or None,
            "latency_ms": self.attempt.latency_ms,
            "attempts": self.attempts,
            "settled_ms": self.settled_ms,
            "tool": self.attempt.tool or None,
        }


def without_the_gone(findings: Sequence[Finding], alive: Collection[str]) -> list[Finding]:
    """Findings, with nothing concluded about pods that went away while they were asked.

    The address of such a pod is silent, or another pod has it already: neither says anything about policies.

    Args:
        findings: what was found.
        alive: uids of the pods that still run after it.
    """

    def one(finding: Finding) -> Finding:
        probe = finding.probe
        ends = [probe.source, *([probe.target_pod] if probe.target_pod else [])]
        if finding.conclusion == CONCLUSION_DENIED:
            ends += [pod for pod, _protocol, _port in probe.controls]
        gone = next((pod.key for pod in ends if pod.uid not in alive), None)
        if gone is None or finding.conclusion == CONCLUSION_UNKNOWN:
            return finding
        attempt = Attempt(PROBE_FAILED, None, f"{gone} went away or ended meanwhile", finding.attempt.tool)
        return replace(finding, attempt=attempt)

    return [one(finding) for finding in findings]


def matrix(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Outcome by workload, in the form that C(expected_matrix) takes; a workload whose pods differ has none."""
    found: dict[tuple[str, str, int, str], set[str]] = {}
    for finding in findings:
        probe = finding.probe
        if probe.target_pod is None:
            continue
        source = f"{probe.source.namespace}/{probe.source.workload}"
        target = f"{probe.target_pod.namespace}/{probe.target_pod.workload}"
        found.setdefault((source, target, probe.port, probe.protocol), set()).add(finding.conclusion)
    return [
        {
            "from": source,
            "to": target,
            "port": port,
            "protocol": protocol,
            "allowed": outcome == {CONCLUSION_ALLOWED},
        }
        for (source, target, port, protocol), outcome in sorted(found.items())
        if len(outcome) == 1 and CONCLUSION_UNKNOWN not in outcome
    ]


def enforced_on_path(denied: Finding, after: Finding) -> tuple[bool | None, str]:
    """Whether a policy cut a connection that passed before it, with the reason for people.

    Args:
        denied: the connection while the policy stood.
        after: the same after the policy was removed.
    """
    if denied.conclusion == CONCLUSION_ALLOWED:
        return False, "the policy is stored and the connection still passes"
    if denied.conclusion == CONCLUSION_UNKNOWN:
        return None, denied.why_unknown()
    if after.conclusion == CONCLUSION_ALLOWED:
        return True, f"cut by the policy ({denied.attempt.verdict}), open again without it"
    return None, "cut, but not open again after the policy was removed"


def enforced(paths: Sequence[bool | None]) -> bool | None:
    """One answer from all paths: a single hole means no, anything unknown means that nothing is claimed."""
    if False in paths:
        return False
    return None if None in paths or not paths else True


def fails(violated: bool, unproven: bool, violation_fails: bool, unproven_fails: bool) -> bool:
    """Whether an answer fails the module, by which answers the caller lets fail it."""
    return (violated and violation_fails) or (unproven and unproven_fails)
