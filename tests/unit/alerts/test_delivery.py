"""What was logged of alerts on their way: sent or not, and why, in words that hold no secret."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.delivery import (
    Passing,
    failure_of,
    read_falco,
    read_sidekick,
)
from hypothesis import given
from hypothesis import strategies as st

SECRET = "planted-token"
URL = f"https://user:{SECRET}@hooks.example/services/{SECRET}?t={SECRET}"
#: A text of an [ERROR] line, its kind, its status, and words of the reason.
REASONS = [
    (f"access denied (403): no_{SECRET}", "status", 403, "it was answered 403 (Forbidden)"),
    ("authentication error (401): ", "status", 401, "it was answered 401 (Unauthorized)"),
    # Falcosidekick logs a 500 with the words of a 429.
    ("exceeding post rate limit (500)", "status", 500, "it was answered 500 (Internal Server Error)"),
    ("unexpected Response (418)", "status", 418, "it was answered 418"),
    ("unexpected Response (599)", "status", 599, "it was answered 599"),
    ("unexpected Response (300)", "status", 300, "it was answered 300 (Multiple Choices)"),
    ("took (299) to (600)", "other", None, "it says no reason that is known"),
    ("receiver:8080: EOF", "closed", None, "receiver:8080 closes"),
    ("hooks.example: EOF", "closed", None, "hooks.example closes"),
    ("read: EOF", "closed", None, "the receiver closes"),
    (f'Post "{URL}": dial tcp: lookup hooks.example on 10.96.0.10:53: no such host', "unresolved", None,
     "there is no host hooks.example"),
    (f'Post "{URL}": dial tcp: lookup hooks.example on 10.96.0.10:53: read udp 1->2: i/o timeout', "no_dns", None,
     "DNS does not answer for hooks.example"),
    ("dial tcp: lookup hooks.example: server misbehaving", "no_dns", None, "DNS does not answer for hooks.example"),
    (f'Post "{URL}": dial tcp 192.0.2.1:443: connect: connection refused', "refused", None,
     "hooks.example refuses the connection"),
    (f'Post "{URL}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)', "silent", None,
     "hooks.example does not answer"),
    (f'Post "{URL}": tls: failed to verify certificate: x509: unknown authority', "tls", None,
     "TLS with hooks.example"),
    (f'Post "{URL}": EOF', "closed", None, "hooks.example closes the connection"),
    ("receiver.alerts.svc:8080: dial tcp 192.0.2.1:8080: connect: connection refused", "refused", None,
     "receiver.alerts.svc:8080 refuses the connection"),
    ("Couldn't connect to server", "refused", None, "the receiver refuses the connection"),
    ("Could not resolve hostname", "unresolved", None, "the name of the receiver cannot be resolved"),
    ("Timeout was reached", "silent", None, "the receiver does not answer"),
    ('Post "http://[": missing brackets', "other", None, "it says no reason that is known"),
    (f"boom {SECRET}", "other", None, "it says no reason that is known"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "status", "words"), REASONS)
def test_a_failure_is_told_by_its_kind(text: str, kind: str, status: int | None, words: str) -> None:
    found = failure_of(text)
    assert (found.kind, found.status) == (kind, status)
    assert found.words.startswith(words)
    assert SECRET not in repr(found)


def test_falcosidekick_tells_of_each_output() -> None:
    lines = [
        "2026/11/28 04:00:00 [INFO]  : Falcosidekick version: 2.31.1",
        "2026/11/28 04:00:01 [INFO]  : Slack - POST OK (200)",
        "2026/11/28 04:00:02 [ERROR] : Slack - access denied (403): x",
        "2026/11/28 04:00:02 [ERROR] : Slack - access denied",
        "standin-falcosidekick 2026/11/28 04:00:03.688256 [INFO]  : webhook - POST OK (200)",
        "2026/11/28 04:00:03 [INFO]  : Enabled - Outputs",
        'a shell wrote [ERROR] : Slack - unexpected Response (500)',
    ]  # fmt: skip
    found = read_sidekick(lines)
    assert found.keys() == {"slack", "webhook"}
    assert (found["slack"].sent, found["slack"].failed) == (1, 1)
    assert found["slack"].failure is not None
    assert found["slack"].failure.status == 403
    assert found["webhook"] == Passing(sent=1)


def test_a_failure_without_a_known_reason_counts() -> None:
    assert read_sidekick(["[ERROR] : Slack - boom"])["slack"].failed == 1


def test_falco_tells_what_it_lost_dropped_and_refused() -> None:
    lines = [
        "Sat Nov 28 04:00:00 2026: libcurl failed to perform call: Timeout was reached",
        '{"rule": "x", "output": "libcurl failed to perform call: I am an attacker", "output_fields": {}}',
        '{"rule": "Falco internal: syscall event drop", "output": "5 dropped", "output_fields": {}}',
        '{"rule": "other", "output": "Falco internal: hot restart failure", "output_fields": {}}',
        '{"rule": "Falco internal',
    ]
    found = read_falco(lines)
    assert (found.lost.failed, found.drops, found.refused) == (1, 1, False)
    assert found.lost.failure is not None
    assert found.lost.failure.words.startswith("Falcosidekick does not answer")
    refusal = '{"rule": "Falco internal: hot restart failure", "output": "no", "output_fields": {}}'
    assert read_falco([refusal]).refused


@given(st.text(), st.text())
def test_nothing_of_an_address_but_its_host_is_kept(path: str, text: str) -> None:
    found = failure_of(f'Post "https://hooks.example/{SECRET}{path}": {text} {SECRET}')
    assert SECRET not in repr(found)


@given(st.lists(st.text()))
def test_whatever_was_logged_is_read(lines: list[str]) -> None:
    read_falco(lines)
    read_sidekick(lines)


def test_as_data_it_has_the_last_failure_and_both_counts() -> None:
    line = "2026/11/28 04:00:02 [ERROR] : Slack - access denied (403): x"
    (passing,) = read_sidekick([line, line.replace("403", "500")]).values()
    told = passing.to_dict()
    assert (told["sent"], told["failed"], told["failure"]["status"]) == (0, 2, 500)
