"""What observations mean, as tables with a case for every outcome: asked of the code, and of its mutants."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.probe.model import Pod, Probe
from ansible_collections.falconet.k8s.plugins.module_utils.probe.wire.protocol import Attempt

CLIENT = Pod("a", "client", "1", "n", ("192.0.2.1",), "c", workload="Deployment/client")
SERVER = Pod("a", "server", "2", "n", ("192.0.2.2",), "c", workload="Deployment/server")
OTHER = Pod("a", "other", "3", "n", ("192.0.2.3",), "c")
ONE, TWO = ((SERVER, "TCP", 80),), ((SERVER, "TCP", 80), (OTHER, "TCP", 80))


def probe(controls: Any = ONE, target: Pod | None = SERVER, expected: bool | None = None) -> Probe:
    return Probe(CLIENT, "TCP", "192.0.2.2", 80, "a/server", target, controls, expected)


#: Connection, verdict of the attempt, whether a server was seen there: reason, conclusion.
CONCLUDED = [
    (probe(), "allowed", None, "PASSED", "allowed"),
    (probe(), "allowed", False, "PASSED", "allowed"),
    (probe(), "allowed", True, "PASSED", "allowed"),
    (probe(), "dropped", True, "CUT", "denied"),
    (probe(), "refused", True, "CUT", "denied"),
    (probe((), None), "dropped", True, "CUT", "denied"),
    (probe(), "dropped", False, "NO_SERVER", "unknown"),
    (probe(), "refused", False, "NO_SERVER", "unknown"),
    (probe(), "dropped", None, "SERVER_NOT_ASKED", "unknown"),
    (probe(()), "refused", None, "SERVER_NOT_ASKED", "unknown"),
    (probe(ONE, None), "refused", None, "SERVER_NOT_ASKED", "unknown"),
    (probe(TWO, None), "dropped", None, "SOME_SERVER_MISSING", "unknown"),
    (probe((), None), "dropped", None, "NOBODY_REACHES_IT", "unknown"),
    *((probe(), "unresolved", seen, "NO_ADDRESS", "unknown") for seen in (True, False, None)),
    *((probe(), "probe_failed", seen, "NOT_TRIED", "unknown") for seen in (True, False, None)),
]

#: Conclusion, what is expected: status.
COMPARED = [
    ("allowed", True, "met"),
    ("allowed", False, "violated"),
    ("allowed", None, "observed"),
    ("denied", True, "violated"),
    ("denied", False, "met"),
    ("denied", None, "observed"),
    ("unknown", True, "unproven"),
    ("unknown", False, "unproven"),
    ("unknown", None, "observed"),
]

#: Verdict with the policy and without it again, each with whether a server was seen: enforced.
ENFORCED_ON_PATH = [
    (("dropped", True), ("allowed", True), True),
    (("refused", True), ("allowed", True), True),
    (("allowed", True), ("allowed", True), False),
    (("allowed", True), ("dropped", True), False),
    (("dropped", True), ("dropped", True), None),
    (("dropped", True), ("probe_failed", None), None),
    (("dropped", False), ("allowed", True), None),
    (("probe_failed", True), ("allowed", True), None),
]

#: Each path: all of them together.
ENFORCED: list[tuple[list[bool | None], bool | None]] = [
    ([True, True], True),
    ([True, False], False),
    ([None, False], False),
    ([True, None], None),
    ([None], None),
    ([], None),
]

#: Violated, unproven, which of them fails: failed.
FAILED = [
    (True, False, True, False, True),
    (True, False, False, True, False),
    (False, True, False, True, True),
    (False, True, True, False, False),
    (True, True, False, False, False),
    (False, False, True, True, False),
]

#: Verdict, pods that still run: what is concluded after those went away.
STAYED = [
    ("allowed", {"1", "2", "3"}, probe(), "allowed"),
    ("allowed", {"2", "3"}, probe(), "unknown"),
    ("allowed", {"1", "3"}, probe(), "unknown"),
    ("dropped", {"1", "2", "3"}, probe(TWO, None), "denied"),
    ("dropped", {"1", "2"}, probe(TWO, None), "unknown"),
    # Somebody of the Service answered, whoever else is gone.
    ("allowed", {"1", "2"}, probe(TWO, None), "allowed"),
]


def finding(code: Any, verdict: str, listening: bool | None, of: Probe | None = None) -> Any:
    return code.Finding(of or probe(), Attempt(verdict, None, "the tool's words"), listening=listening)


def told_apart(code: ModuleType | SimpleNamespace) -> list[str]:
    """Which of the cases the code does not answer as the tables say."""
    wrong = []

    def case(name: str, found: Any, right: Any) -> None:
        if found != right:
            wrong.append(f"{name}: {found} instead of {right}")

    for of, verdict, seen, reason, conclusion in CONCLUDED:
        concluded = code.conclude(of, verdict, seen)
        case(f"{verdict}, listening {seen}", (concluded.name, concluded.conclusion), (reason, conclusion))
        one = finding(code, verdict, seen, of)
        own = verdict in ("unresolved", "probe_failed")
        why = "" if conclusion != "unknown" else "the tool's words" if own else concluded.value
        case(f"{verdict}, listening {seen}, in words", one.why_unknown(), why)
    for conclusion, expected, status in COMPARED:
        case(f"{conclusion}, expected {expected}", code.compare(conclusion, expected), status)
    for denied, after, enforced in ENFORCED_ON_PATH:
        answer, detail = code.enforced_on_path(finding(code, *denied), finding(code, *after))
        case(f"{denied}, then {after}", (answer, bool(detail)), (enforced, True))
    for paths, together in ENFORCED:
        case(f"paths {paths}", code.enforced(paths), together)
    for *asked, failed in FAILED:
        case(f"fails {asked}", code.fails(*asked), failed)
    for verdict, alive, of, conclusion in STAYED:
        (one,) = code.without_the_gone([finding(code, verdict, True, of)], alive)
        case(f"{verdict}, of {of.target} stayed {sorted(alive)}", one.conclusion, conclusion)
    (gone,) = code.without_the_gone([finding(code, "allowed", True)], set())
    case("gone", (gone.attempt.verdict, gone.attempt.latency_ms), ("probe_failed", None))
    (same,) = code.without_the_gone([finding(code, "refused", False)], set())
    case("unknown anyway", same.attempt.verdict, "refused")
    passed, cut, unknown = (finding(code, *what) for what in (("allowed", True), ("dropped", True), ("dropped", None)))
    outside = finding(code, "allowed", True, probe((), None))
    for found, allowed in (
        ([passed, passed], [True]),
        ([cut], [False]),
        ([passed, cut], []),
        ([unknown], []),
        ([outside], []),
    ):
        case(f"matrix of {len(found)}", [entry["allowed"] for entry in code.matrix(found)], allowed)
    return wrong
