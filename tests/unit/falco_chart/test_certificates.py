"""Certificates: a real handshake with them; kept while good, renewed in time, under a CA that both ends trust."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.plugin_utils.certificates import (
    CA_DAYS,
    Certificates,
    Pair,
    as_secrets,
    keep_or_issue,
    told_of_server,
)
from cryptography import x509

NAMES = ["falco-falcosidekick", "falco-falcosidekick.falco.svc"]
NOW = datetime.datetime.now(datetime.timezone.utc)


def after(days: float) -> datetime.datetime:
    return NOW + datetime.timedelta(days=days)


def made(
    before: Certificates | None = None,
    now: datetime.datetime = NOW,
    names: list[str] = NAMES,
    days: int = 90,
) -> Certificates:
    if before is None:
        return keep_or_issue(None, "", None, None, names, days, now)
    return keep_or_issue(before.authority, before.trust, before.server, before.client, names, days, now)


def handshake(server: Certificates, client: Certificates, directory: Path, name: str, with_client: bool = True) -> str:
    """What the server takes the client for after a mutual handshake; raises ssl.SSLError if there is none."""
    for kind, data in as_secrets(server).items():
        for file, text in data.items():
            (directory / f"s-{kind}-{file}").write_text(text)
    for kind, data in as_secrets(client).items():
        for file, text in data.items():
            (directory / f"c-{kind}-{file}").write_text(text)
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(directory / "s-server-ca.crt"))
    serving.load_cert_chain(directory / "s-server-server.crt", directory / "s-server-server.key")
    serving.verify_mode = ssl.CERT_REQUIRED
    asking = ssl.create_default_context(cafile=str(directory / "c-trust-ca.crt"))
    if with_client:
        asking.load_cert_chain(directory / "c-client-client.crt", directory / "c-client-client.key")
    seen: list[str] = []
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            with serving.wrap_socket(theirs, server_side=True) as connection:
                told: dict[str, Any] = connection.getpeercert() or {}
                seen.append(dict(pair[0] for pair in told["subject"])["commonName"])
                connection.sendall(b"ok")
        except OSError:
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with asking.wrap_socket(ours, server_hostname=name) as connection:
            connection.settimeout(10)
            if connection.recv(2) != b"ok":
                raise ssl.SSLError("the server hung up")
    finally:
        ours.close()
        thread.join()
    return seen[0]


@pytest.mark.parametrize("name", NAMES)
def test_both_ends_trust_each_other(tmp_path: Path, name: str) -> None:
    certificates = made()
    assert handshake(certificates, certificates, tmp_path, name) == "falco"


def test_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLError):
        handshake(made(), made(), tmp_path, NAMES[0])
    certificates = made()
    with pytest.raises(ssl.SSLError):
        handshake(certificates, certificates, tmp_path, "elsewhere")
    with pytest.raises(ssl.SSLError):
        handshake(certificates, certificates, tmp_path, NAMES[0], with_client=False)


def test_a_second_run_makes_nothing_new() -> None:
    first = made()
    assert made(first) == first
    assert made(first, after(59)) == first


def test_certificates_are_renewed_under_the_same_ca_when_a_third_is_left(tmp_path: Path) -> None:
    first = made(now=after(-61))
    second = made(first)
    assert second.authority == first.authority
    assert second.trust == first.trust
    assert second.server != first.server
    assert second.client != first.client
    assert handshake(second, first, tmp_path, NAMES[0]) == "falco"


def test_a_new_ca_is_trusted_beside_the_old_one_until_that_has_ended(tmp_path: Path) -> None:
    first = made()
    third_left = after(CA_DAYS * 2 / 3 + 1)
    second = made(first, third_left, days=4)
    assert second.authority != first.authority
    assert second.trust.count("BEGIN CERTIFICATE") == 2
    assert made(second, third_left, days=4) == second
    # A pod that has been started with the new Secrets believes one that has not.
    trusting = replace(second, server=first.server, client=first.client)
    assert handshake(trusting, trusting, tmp_path, NAMES[0]) == "falco"
    assert made(second, after(CA_DAYS + 1)).trust.count("BEGIN CERTIFICATE") == 1


def test_new_names_need_a_new_server_certificate_alone() -> None:
    first = made()
    second = made(first, names=[*NAMES, "falco-falcosidekick-oncall"])
    assert second.server != first.server
    assert (second.client, second.authority) == (first.client, first.authority)


def test_no_certificate_outlives_its_ca() -> None:
    late = made(days=CA_DAYS * 2)
    ends = [
        x509.load_pem_x509_certificate(pair.certificate.encode()).not_valid_after_utc
        for pair in (late.authority, late.server)
    ]
    assert ends[1] <= ends[0]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: replace(c, server=Pair("no certificate", c.server.key)),
        lambda c: replace(c, server=Pair(c.server.certificate, c.client.key)),
        lambda c: replace(c, server=c.client),
        lambda c: replace(c, server=made().server),
    ],
)
def test_what_cannot_be_used_is_made_anew(spoil: object, tmp_path: Path) -> None:
    assert callable(spoil)
    first = made()
    second = made(spoil(first))
    assert second.authority == first.authority
    assert handshake(second, second, tmp_path, NAMES[0]) == "falco"


def test_a_lost_ca_key_is_a_new_ca() -> None:
    first = made()
    second = made(replace(first, authority=Pair(first.authority.certificate, "")))
    assert second.authority != first.authority
    assert second.server != first.server
    assert first.authority.certificate in second.trust


def test_what_clients_think_of_a_server_is_told_without_its_key() -> None:
    made = keep_or_issue(None, "", None, None, ["falco.svc"], 90, NOW)
    other = keep_or_issue(None, "", None, None, ["falco.svc"], 90, NOW)
    told = told_of_server(made.server, made.trust, ["falco.svc"], NOW)
    assert (told["problem"], told["days_left"]) == ("", 90.0)
    assert told["until"] == f"{NOW + datetime.timedelta(days=90):%Y-%m-%dT%H:%M:%SZ}"
    problems = [
        told_of_server(None, made.trust, ["falco.svc"], NOW),
        told_of_server(Pair(made.server.certificate, other.server.key), made.trust, ["falco.svc"], NOW),
        told_of_server(made.server, made.trust, ["falco.svc"], NOW + datetime.timedelta(days=91)),
        told_of_server(made.server, made.trust, ["falco.svc"], NOW - datetime.timedelta(days=1)),
        told_of_server(made.server, other.trust, ["falco.svc"], NOW),
        told_of_server(made.server, made.trust, ["else.svc"], NOW),
        told_of_server(made.authority, made.trust, ["falco.svc"], NOW),
    ]
    words = [
        "there is none",
        "does not fit its key",
        "it holds from",
        "it holds from",
        "no CA",
        "is not for else",
        "not for",
    ]
    assert all(word in one["problem"] for word, one in zip(words, problems)), problems
