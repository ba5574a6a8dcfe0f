# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The course of a probe run: controls, a first pass over everything, then again what disagrees until it is steady."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from .conclude import MET, OBSERVED, UNPROVEN, VIOLATED, Finding
from .model import Batch, Endpoint, Method, Place, Probe
from .wire.protocol import ALLOWED, DROPPED, PROBE_FAILED, REFUSED, UNRESOLVED, Attempt, Settings, Target

# A result that says nothing is tried this often; more would only wait for servers that are not there.
_TRIES_WITHOUT_PROOF = 3

# Asks from where no policy stands whether somebody listens at such places.
OutsideControl = Callable[[list[Place]], dict[Place, Optional[bool]]]
# Makes something listen at endpoints where nothing does.
Listen = Callable[[list[Endpoint]], None]


@dataclass
class Course:
    """What a run has found, and what it took.

    Attributes:
        findings: one for each probe, in the order of the probes.
        rounds: passes over the network, the first one included.
        attempts: connections tried, controls included.
        seconds: time from the first attempt to the last.
        settled_seconds: time until the last verdict changed; 0 if none did.
    """

    findings: list[Finding] = field(default_factory=list)
    rounds: int = 0
    attempts: int = 0
    seconds: float = 0.0
    settled_seconds: float = 0.0

    def counts(self) -> dict[str, int]:
        """Numbers of findings by status, by verdict, and altogether."""
        found = dict.fromkeys((MET, VIOLATED, UNPROVEN, OBSERVED), 0)
        for finding in self.findings:
            found[finding.status] += 1
            found[finding.attempt.verdict] = found.get(finding.attempt.verdict, 0) + 1
        return dict(found, probes=len(self.findings), attempts=self.attempts, rounds=self.rounds)


def run(
    method: Method,
    probes: Sequence[Probe],
    settings: Settings,
    settle_seconds: float = 10.0,
    outside: OutsideControl | None = None,
    listen: Listen | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    tries: int = _TRIES_WITHOUT_PROOF,
) -> Course:
    """Try all probes until every result agrees with its expectation, or the time to settle is over.

    CNIs attach policies some time after the API server has stored them. So a result that disagrees is tried again; and
    since results that agreed early may come from the time before, everything is tried once more when something changed.

    Args:
        method: how connections are tried.
        probes: what to try.
        settings: of single attempts.
        settle_seconds: how long a disagreement may last before it counts.
        outside: finds out whether somebody listens at addresses outside that no probe reached; None leaves that open.
        listen: makes something listen where nothing does; None leaves such targets without a conclusion.
        clock, sleep: replaced in tests.
        tries: how often a connection is tried of which nothing can be concluded.
    """
    return _Run(method, probes, settings, clock, outside, listen, tries).course(settle_seconds, sleep)


class _Run:
    def __init__(
        self,
        method: Method,
        probes: Sequence[Probe],
        settings: Settings,
        clock: Callable[[], float],
        outside: OutsideControl | None,
        listen: Listen | None,
        tries: int,
    ) -> None:
        self.method = method
        self.probes = probes
        self.settings = settings
        self.clock = clock
        self.outside = outside
        self.listen = listen
        self.tries = tries
        self.places: dict[Place, bool | None] = {}
        self.started = clock()
        self.result = Course()
        self.listening: dict[Endpoint, bool | None] = {}
        self.findings: list[Finding | None] = [None] * len(probes)

    def course(self, settle_seconds: float, sleep: Callable[[float], None]) -> Course:
        everything = list(range(len(self.probes)))
        self._pass(everything)
        deadline = self.started + settle_seconds + self._listen_where_nobody_does()
        self._ask_outside()
        pause, confirmed = 0.25, True
        while self.probes:
            open_ends = [number for number in everything if self._again(number)]
            if not open_ends:
                if confirmed:
                    break
                # What agreed before the network settled is asked once more.
                open_ends, confirmed = everything, True
            elif self.clock() + pause > deadline:
                break
            else:
                sleep(pause)
                pause = min(pause * 1.5, 2.0)
            if self._pass(open_ends) and len(open_ends) < len(everything):
                confirmed = False
        self.result.findings = [finding for finding in self.findings if finding is not None]
        self.result.seconds = self.clock() - self.started
        return self.result

    def _listen_where_nobody_does(self) -> float:
        """Give targets without a server one, if that is wanted, and try them anew; gives the seconds that it took."""
        silent = [endpoint for endpoint, known in self.listening.items() if known is False]
        if not silent or not self.listen:
            return 0.0
        start = self.clock()
        self.listen(silent)
        for endpoint in silent:
            del self.listening[endpoint]
        anew = [n for n, probe in enumerate(self.probes) if not set(silent).isdisjoint(_endpoints(probe))]
        for number in anew:
            self.findings[number] = None
        self._pass(anew)
        return self.clock() - start

    def _ask_outside(self) -> None:
        """Controls for addresses outside that were silent: they cannot call themselves, so somebody else has to."""
        silent = [
            number
            for number, finding in enumerate(self.findings)
            if finding and not finding.probe.controls and finding.attempt.verdict in (REFUSED, DROPPED)
            if finding.listening is None and finding.probe.target_pod is None
        ]
        if not silent or not self.outside:
            return
        self.places = self.outside(list(dict.fromkeys(_place(self.probes[number]) for number in silent)))
        for number in silent:
            finding = self.findings[number]
            if finding:
                listening = self.places.get(_place(finding.probe))
                self.findings[number] = replace(finding, listening=listening)

    def _again(self, number: int) -> bool:
        finding = self.findings[number]
        if finding is None or finding.status == VIOLATED:
            return True
        if finding.attempt.verdict in (REFUSED, DROPPED) and _place(finding.probe) in self.places:
            return False
        if finding.status == UNPROVEN or finding.attempt.verdict == PROBE_FAILED:
            return finding.attempts < self.tries
        return False

    def _pass(self, numbers: list[int]) -> bool:
        """Try some probes and their controls; True if a conclusion changed."""
        batch: Batch = {}
        controls: dict[int, Endpoint] = {}
        for number in numbers:
            probe = self.probes[number]
            batch.setdefault(probe.source, []).append(Target(number, probe.protocol, probe.host, probe.port))
        for endpoint in dict.fromkeys(e for number in numbers for e in _endpoints(self.probes[number])):
            pod, protocol, port, address = endpoint
            if self.listening.get(endpoint) or pod.why_not() or not address:
                continue
            ident = len(self.probes) + len(controls)
            controls[ident] = endpoint
            batch.setdefault(pod, []).append(Target(ident, protocol, address, port))
        attempts = self.method.attempt(batch, self.settings)
        self.result.rounds += 1
        self.result.attempts += sum(len(targets) for targets in batch.values())
        for ident, endpoint in controls.items():
            verdict = attempts[ident].verdict
            self.listening[endpoint] = None if verdict in (PROBE_FAILED, UNRESOLVED) else verdict == ALLOWED
        for number in numbers:
            ends = _endpoints(self.probes[number])
            if attempts[number].verdict == ALLOWED and len(ends) == 1:
                # Whoever gets through proves the server for all others; a Service does not tell which one it was.
                self.listening[ends[0]] = True
        changes = [self._take(number, attempts.get(number)) for number in numbers]
        return any(changes)

    def _take(self, number: int, attempt: Attempt | None) -> bool:
        probe, before = self.probes[number], self.findings[number]
        known = {self.listening.get(endpoint) for endpoint in _endpoints(probe)}
        # A Service may have passed the connection to that one of its pods which does not listen.
        listening = known.pop() if len(known) == 1 else None
        if not probe.controls:
            listening = self._seen_from_elsewhere(probe)
        finding = Finding(probe, attempt or Attempt(PROBE_FAILED, None, "no attempt was made"), listening=listening)
        changed = before is not None and before.conclusion != finding.conclusion
        if before is not None:
            settled = before.settled_ms
            if changed:
                settled = int((self.clock() - self.started) * 1000)
                self.result.settled_seconds = max(self.result.settled_seconds, settled / 1000)
            finding = replace(finding, attempts=before.attempts + 1, settled_ms=settled)
        self.findings[number] = finding
        return changed

    def _seen_from_elsewhere(self, probe: Probe) -> bool | None:
        """For addresses outside the cluster: whether another pod got through to the same place."""
        if probe.target_pod is not None:
            return None
        for finding in self.findings:
            if finding and finding.attempt.verdict == ALLOWED and _place(finding.probe) == _place(probe):
                return True
        return self.places.get(_place(probe))


def _endpoints(probe: Probe) -> tuple[Endpoint, ...]:
    """Where the servers of a probe should be, in the address family that it calls: some listen in one family only."""
    wanted = 6 if ":" in probe.host else 4
    return tuple(
        (pod, protocol, port, pod.address(wanted) or next(iter(pod.addresses), ""))
        for pod, protocol, port in probe.controls
    )


def _place(probe: Probe) -> Place:
    return (probe.host, probe.protocol, probe.port)


def summary(course: Course) -> dict[str, Any]:
    """Counts and times of a run, as a module returns them."""
    latencies = sorted(
        finding.attempt.latency_ms
        for finding in course.findings
        if finding.attempt.verdict == ALLOWED and finding.attempt.latency_ms is not None
    )
    middle = latencies[len(latencies) // 2] if latencies else None
    return {
        "counts": course.counts(),
        "seconds": round(course.seconds, 3),
        "settled_seconds": round(course.settled_seconds, 3),
        "latency_ms": {"median": middle, "max": latencies[-1] if latencies else None},
    }
