# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates as the API server will take them, looked at with the node's own OpenSSL."""

from __future__ import annotations

import ssl
import tempfile
import time
from pathlib import Path

from ..apiserver.errors import ApiServerError
from ..apiserver.kubeconfig import Webhook
from ..apiserver.validity import ends


def check_certificates(webhook: Webhook) -> None:
    """That a webhook's CA is one, that key and client certificate belong together, and that both are valid today.

    Raises:
        ApiServerError: they do not.
    """
    if webhook.ca:
        _check_ca(webhook.ca)
    if webhook.client_certificate:
        _check_pair(webhook.client_certificate, webhook.client_key)


def _check_ca(text: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=text)
    except ssl.SSLError as error:
        raise ApiServerError(f"webhook.ca: OpenSSL does not read it: {error.reason or error}") from None
    found = context.get_ca_certs()
    if not found:
        raise ApiServerError("webhook.ca: this is no certificate of a CA (basicConstraints CA:TRUE)")
    for certificate in found:
        end = str(certificate["notAfter"])
        if ssl.cert_time_to_seconds(end) < time.time():
            raise ApiServerError(f"webhook.ca: it has expired on {end}")


def _check_pair(certificate: str, key: str) -> None:
    # Python reads a private key from a file alone.
    with tempfile.TemporaryDirectory(prefix="falconet-") as folder:
        file = Path(folder) / "client.pem"
        file.touch(mode=0o600)
        file.write_text(f"{certificate}\n{key}")
        try:
            # A password that is asked for would be asked for on a terminal that is not there.
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(file, password="")
        except ssl.SSLError as error:
            raise ApiServerError(
                "webhook: client_certificate and client_key do not belong together, or one is none: "
                f"{error.reason or error}"
            ) from None
    try:
        end = ends(certificate)
    except ValueError as error:
        raise ApiServerError(f"webhook.client_certificate: {error}") from None
    if end.timestamp() < time.time():
        raise ApiServerError(f"webhook.client_certificate: it has expired on {end:%b %d %H:%M:%S %Y} GMT")
