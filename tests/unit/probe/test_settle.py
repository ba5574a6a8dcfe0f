"""The course of a probe run: when results count, what is tried again, and what a property test says about all of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.probe.conclude import Finding
from ansible_collections.falconet.k8s.plugins.module_utils.probe.model import Batch, Pod, Probe
from ansible_collections.falconet.k8s.plugins.module_utils.probe.settle import run
from ansible_collections.falconet.k8s.plugins.module_utils.probe.wire.protocol import VERDICTS, Attempt, Settings
from hypothesis import given, settings
from hypothesis import strategies as st

CLIENT = Pod("a", "client", "1", "n", ("192.0.2.1",), "c")
SERVER = Pod("a", "server", "2", "n", ("192.0.2.2",), "c")
OTHER = Pod("a", "other", "3", "n", ("192.0.2.3",), "c")


class Clock:
    """Time that passes only while somebody sleeps, and a tenth of a second for every pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Network:
    """A method whose verdicts a test decides, by source, address and time."""

    name = "fake"

    def __init__(self, clock: Clock, verdict: Callable[[Pod, str, float], str]) -> None:
        self.clock = clock
        self.verdict = verdict
        self.batches: list[Batch] = []

    def attempt(self, batch: Batch, _settings: Settings) -> dict[int, Attempt]:
        self.batches.append(batch)
        self.clock.now += 0.1
        return {
            target.ident: Attempt(self.verdict(pod, target.host, self.clock.now))
            for pod, targets in batch.items()
            for target in targets
        }


def probe(source: Pod = CLIENT, expected: bool | None = None, controls: bool = True, **more: Any) -> Probe:
    server = ((SERVER, "TCP", 80),) if controls else ()
    return Probe(
        source, "TCP", more.pop("host", SERVER.addresses[0]), 80, "a/server", more.pop("pod", SERVER), server, expected
    )


def course(
    verdict: Callable[[Pod, str, float], str], *probes: Probe, **options: Any
) -> tuple[list[Finding], Network, Any]:
    clock = Clock()
    network = Network(clock, verdict)
    result = run(
        network, probes, Settings(), options.pop("settle", 10.0), clock=lambda: clock.now, sleep=clock.sleep, **options
    )
    return result.findings, network, result


def closed_after(seconds: float) -> Callable[[Pod, str, float], str]:
    return lambda pod, _host, now: "dropped" if pod is CLIENT and now > seconds else "allowed"


def test_what_agrees_at_once_is_tried_once() -> None:
    (finding,), network, result = course(lambda *_: "allowed", probe(expected=True))
    assert (finding.status, finding.attempts, result.rounds) == ("met", 1, 1)
    assert len(network.batches) == 1


def test_a_late_policy_is_waited_for_and_the_time_is_told() -> None:
    (finding,), _network, result = course(closed_after(4), probe(expected=False))
    assert finding.status == "met"
    assert 4000 <= finding.settled_ms <= 6000
    assert result.settled_seconds == finding.settled_ms / 1000


def test_a_disagreement_that_lasts_is_a_violation() -> None:
    (finding,), _network, result = course(closed_after(60), probe(expected=False))
    assert finding.status == "violated"
    assert result.seconds <= 11


def test_what_agreed_before_the_network_settled_is_tried_again() -> None:
    # The policy that forbids the one also cuts the other, a moment too late for the first pass.
    findings, _network, _result = course(
        closed_after(3), probe(expected=False), probe(OTHER, True), probe(CLIENT, True, host="x")
    )
    assert [finding.status for finding in findings] == ["met", "met", "violated"]


def test_nothing_is_concluded_where_nothing_listens() -> None:
    (finding,), _network, _result = course(lambda *_: "refused", probe(expected=False))
    assert (finding.conclusion, finding.status, finding.listening) == ("unknown", "unproven", False)
    assert finding.attempts == 3


def test_every_result_of_a_pass_counts_whatever_changed_first() -> None:
    # Both are cut at the same moment; the change of the first must not hide that of the second.
    findings, _network, _result = course(
        lambda pod, _host, now: "dropped" if pod in (CLIENT, OTHER) and now > 3 else "allowed",
        probe(expected=False),
        probe(OTHER, True),
    )
    assert [finding.status for finding in findings] == ["met", "violated"]


def test_a_server_of_one_address_family_proves_nothing_for_the_other() -> None:
    both = Pod("a", "server", "2", "n", ("192.0.2.2", "2001:db8::2"), "c")
    probes = [Probe(CLIENT, "TCP", host, 80, "a/server", both, ((both, "TCP", 80),), False) for host in both.addresses]
    (four, six), network, _result = course(
        lambda pod, host, _now: "allowed" if (pod, host) == (both, "192.0.2.2") else "refused", *probes
    )
    assert (four.status, six.status) == ("met", "unproven")
    assert [target.host for target in network.batches[0][both]] == ["192.0.2.2", "2001:db8::2"]


def test_a_service_with_a_pod_that_does_not_listen_proves_no_denial() -> None:
    controls = ((SERVER, "TCP", 80), (OTHER, "TCP", 80))
    service = Probe(CLIENT, "TCP", "203.0.113.1", 80, "service a/s", None, controls, False)
    (mixed,), _network, _result = course(lambda pod, *_: "allowed" if pod is SERVER else "refused", service)
    assert mixed.status == "unproven"
    assert "do not listen" in mixed.why_unknown()
    (proven,), _network, _result = course(lambda pod, *_: "dropped" if pod is CLIENT else "allowed", service)
    assert proven.status == "met"


def test_where_nothing_listens_somebody_can_be_made_to() -> None:
    asked: list[Any] = []

    def verdict(pod: Pod, _host: str, _now: float) -> str:
        return "allowed" if pod is SERVER and asked else "dropped" if asked else "refused"

    (finding,), network, result = course(verdict, probe(expected=False), listen=asked.extend)
    assert asked == [(SERVER, "TCP", 80, "192.0.2.2")]
    assert (finding.status, finding.attempts, finding.settled_ms, result.settled_seconds) == ("met", 1, 0, 0)
    assert len(network.batches) == 2
    asked.clear()
    course(lambda *_: "allowed", probe(expected=True), listen=asked.extend)
    assert asked == []


def test_listening_in_vain_concludes_nothing() -> None:
    (finding,), _network, _result = course(lambda *_: "refused", probe(expected=False), listen=lambda _ends: None)
    assert finding.status == "unproven"


def test_whoever_gets_through_proves_the_server() -> None:
    blind = Pod("a", "server", "2", "n", ("192.0.2.2",), "c", mesh="istio-proxy")
    control = ((blind, "TCP", 80),)
    probes = [
        Probe(source, "TCP", "192.0.2.2", 80, "a/server", blind, control, expected)
        for source, expected in ((CLIENT, False), (OTHER, True))
    ]
    findings, _network, _result = course(lambda pod, *_: "allowed" if pod is OTHER else "dropped", *probes)
    assert [finding.status for finding in findings] == ["met", "met"]


def test_controls_are_asked_once_for_all_sources() -> None:
    _findings, network, result = course(lambda *_: "allowed", probe(expected=True), probe(OTHER, True))
    assert sum(len(targets) for targets in network.batches[0].values()) == 3 == result.attempts


def test_an_address_outside_needs_somebody_who_reaches_it() -> None:
    outside = [Probe(CLIENT, "TCP", "198.51.100.1", 80, "outside", expected=False)]
    (alone,), _network, _result = course(lambda *_: "dropped", *outside)
    assert alone.status == "unproven"
    (proven,), _network, _result = course(
        lambda *_: "dropped", *outside, outside=lambda places: dict.fromkeys(places, True)
    )
    assert proven.status == "met"
    (unanswered,), network, _result = course(lambda *_: "dropped", *outside, outside=dict.fromkeys)
    assert unanswered.status == "unproven"
    assert len(network.batches) == 1


# Machines that run tests are busy; what is tested is no speed.
@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(VERDICTS), st.sampled_from([True, False, None])), min_size=1, max_size=6),
    st.sampled_from(VERDICTS),
)
def test_an_error_is_never_a_denial_and_a_denial_always_has_a_server(
    cases: list[tuple[str, bool | None]], control: str
) -> None:
    sources = [Pod("a", f"s{n}", f"u{n}", "n", (f"192.0.2.{n + 10}",), "c") for n in range(len(cases))]
    said = {pod.key: verdict for pod, (verdict, _expected) in zip(sources, cases)}
    probes = [probe(pod, expected) for pod, (_verdict, expected) in zip(sources, cases)]
    findings, _network, _result = course(lambda pod, *_: said.get(pod.key, control), *probes, settle=1.0)
    assert [finding.probe for finding in findings] == probes
    served = control == "allowed" or "allowed" in said.values()
    for finding in findings:
        verdict = said[finding.probe.source.key]
        if verdict in ("unresolved", "probe_failed"):
            assert finding.conclusion == "unknown"
        if finding.conclusion == "denied":
            assert served
        if finding.status == "met":
            assert (finding.conclusion == "allowed") is finding.probe.expected
