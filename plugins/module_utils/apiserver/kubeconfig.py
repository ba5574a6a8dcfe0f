# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubeconfig files: the one by which the API server finds its audit webhook, and an administrator's that is read."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import ApiServerError
from .nodes import MappingNode, Node, text_of
from .source import Source

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_KEY = re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s[A-Za-z0-9+/=\s]+-----END (?:[A-Z]+ )?PRIVATE KEY-----")
_DATA = re.compile(r"^( *)(certificate-authority|client-certificate|client-key)-data: (.*)$", re.M)
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")


@dataclass(frozen=True)
class Webhook:
    """Where the API server sends its events, and by what both sides know each other.

    Attributes:
        server: URL.
        ca: certificates that sign the server's, as PEM; nothing leaves it to the CAs of the container's system.
        client_certificate: that the API server shows, as PEM; nothing shows none.
        client_key: its private key, as PEM.
        tls_server_name: name in the server's certificate, where the URL has another one.
    """

    server: str
    ca: str = ""
    client_certificate: str = ""
    client_key: str = ""
    tls_server_name: str = ""


def _check(webhook: Webhook) -> None:
    try:
        url = urlsplit(webhook.server)
        # A port that is no number is told when it is asked for.
        host = (url.hostname or "") if url.port != 0 else ""
    except ValueError as error:
        raise ApiServerError(f"webhook.server is {webhook.server}: {error}") from None
    if url.scheme not in {"http", "https"} or not host:
        raise ApiServerError(
            f"webhook.server is {webhook.server}: it must be a URL such as https://10.96.0.50:9765/k8s-audit"
        )
    if url.username or url.password or url.query or url.fragment:
        raise ApiServerError("webhook.server: it must have neither user, password, ? nor #")
    if url.scheme == "http" and not _loopback(host):
        raise ApiServerError(
            f"webhook.server is {webhook.server}: events hold names, addresses and objects, so they are sent by https "
            "alone, but to the node itself"
        )
    if url.scheme == "http" and (webhook.ca or webhook.client_certificate):
        raise ApiServerError(f"webhook.server is {webhook.server}: http shows no certificate; write https")
    for option, text, pattern, what in (
        ("ca", webhook.ca, _CERTIFICATE, "-----BEGIN CERTIFICATE-----"),
        ("client_certificate", webhook.client_certificate, _CERTIFICATE, "-----BEGIN CERTIFICATE-----"),
        ("client_key", webhook.client_key, _KEY, "-----BEGIN PRIVATE KEY-----"),
    ):
        if text and not pattern.search(text):
            raise ApiServerError(f"webhook.{option}: it must be the text of a PEM file, with {what} and its end")
    if bool(webhook.client_certificate) != bool(webhook.client_key):
        raise ApiServerError("webhook: client_certificate and client_key belong together; give both, or none")
    if webhook.tls_server_name and not _NAME.fullmatch(webhook.tls_server_name):
        raise ApiServerError(f"webhook.tls_server_name is {webhook.tls_server_name}: it must be a DNS name")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def webhook_kubeconfig(webhook: Webhook) -> str:
    """The kubeconfig for the flag audit-webhook-config-file, with certificates and key inside.

    Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#webhook-backend

    Raises:
        ApiServerError: the URL or a PEM text is none, or events would cross the network in the clear.
    """
    _check(webhook)
    cluster = [f'    server: "{webhook.server}"']
    if webhook.tls_server_name:
        cluster.append(f'    tls-server-name: "{webhook.tls_server_name}"')
    if webhook.ca:
        cluster.append(f"    certificate-authority-data: {_base64(webhook.ca)}")
    user = ["  user: {}"]
    if webhook.client_certificate:
        user = [
            "  user:",
            f"    client-certificate-data: {_base64(webhook.client_certificate)}",
            f"    client-key-data: {_base64(webhook.client_key)}",
        ]
    lines = [
        "apiVersion: v1",
        "kind: Config",
        "clusters:",
        "- name: falco",
        "  cluster:",
        *cluster,
        "users:",
        "- name: kube-apiserver",
        *user,
        "contexts:",
        "- name: falco",
        "  context:",
        "    cluster: falco",
        "    user: kube-apiserver",
        "current-context: falco",
    ]
    return "\n".join(lines) + "\n"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def shown(kubeconfig: str) -> str:
    """A kubeconfig as it may be shown: certificates and key by their digest, so that a change is seen."""
    return _DATA.sub(
        lambda found: f"{found[1]}{found[2]}-data: (sha256 {hashlib.sha256(found[3].encode()).hexdigest()[:12]})",
        kubeconfig,
    )


@dataclass(frozen=True)
class Access:
    """How an administrator's kubeconfig reaches its cluster.

    Attributes:
        server: URL.
        ca: PEM.
        certificate: PEM.
        key: PEM.
    """

    server: str
    ca: str
    certificate: str
    key: str


def access(text: str, file: str) -> Access:
    """The way to the cluster of a kubeconfig's current context, as kubeadm writes it: all of it inside.

    Raises:
        ApiServerError: it is no such kubeconfig; with the place.
    """
    source = Source(text, file)
    current = source.value(source.root, "current-context")
    context = _named(source, "contexts", text_of(current) if current else "", "context")
    cluster = _named(source, "clusters", _text(source, context, "cluster"), "cluster")
    user = _named(source, "users", _text(source, context, "user"), "user")
    return Access(
        server=_text(source, cluster, "server"),
        ca=_decoded(source, cluster, "certificate-authority-data"),
        certificate=_decoded(source, user, "client-certificate-data"),
        key=_decoded(source, user, "client-key-data"),
    )


def _named(source: Source, place: str, name: str, key: str) -> Node:
    for item in source.items(source.root, place):
        found = source.value(item, "name")
        value = source.value(item, key)
        if found is not None and text_of(found) == name and isinstance(value, MappingNode):
            return value
    raise ApiServerError(f"{source.file}: there is no {name or 'current context'} in {place}")


def _text(source: Source, node: Node, key: str) -> str:
    found = source.value(node, key)
    if found is None or not text_of(found):
        raise ApiServerError(f"{source.place(node)}: {key} is missing")
    return text_of(found)


def _decoded(source: Source, node: Node, key: str) -> str:
    try:
        return base64.b64decode(_text(source, node, key), validate=True).decode("ascii")
    except ValueError:  # binascii.Error and UnicodeError are such, and so is what b64decode says of other letters
        raise ApiServerError(f"{source.place(node)}: {key} is not the base64 of a PEM text") from None
