# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kubeadm's ClusterConfiguration in the cluster, read and written with the node's own administrator's kubeconfig."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..apiserver.errors import ApiServerError
from ..apiserver.kubeconfig import Access, access

NAME = "kubeadm-config"
KEY = "ClusterConfiguration"
_PATH = f"/api/v1/namespaces/kube-system/configmaps/{NAME}"
_ANSWER_SECONDS = 15


@dataclass(frozen=True)
class Stored:
    """What the cluster holds.

    Attributes:
        text: of the ClusterConfiguration.
        version: of its ConfigMap, so that nobody else's change is written over.
    """

    text: str
    version: str


def stored(kubeconfig: str) -> Stored | None:
    """kubeadm's ClusterConfiguration, None where the cluster has none: kubeadm has not made it.

    Args:
        kubeconfig: path of an administrator's kubeconfig on the node.

    Raises:
        ApiServerError: it cannot be read, or the cluster does not answer.
    """
    status, answer = _ask(kubeconfig, "GET", None)
    if status == 404:
        return None
    if status != 200:
        raise ApiServerError(f"{_what(kubeconfig)} cannot be read: {_message(status, answer)}")
    text = (answer.get("data") or {}).get(KEY)
    if not isinstance(text, str):
        return None
    return Stored(text, str(answer["metadata"]["resourceVersion"]))


def store(kubeconfig: str, before: Stored, text: str) -> None:
    """Put another text in its place.

    Args:
        kubeconfig: path of an administrator's kubeconfig on the node.
        before: what was read.
        text: of the ClusterConfiguration.

    Raises:
        ApiServerError: somebody else has changed it meanwhile, or the cluster does not answer.
    """
    body = {"metadata": {"resourceVersion": before.version}, "data": {KEY: text}}
    status, answer = _ask(kubeconfig, "PATCH", body)
    if status == 409:
        raise ApiServerError(f"{_what(kubeconfig)} was changed by somebody else meanwhile; run it again")
    if status != 200:
        raise ApiServerError(f"{_what(kubeconfig)} cannot be written: {_message(status, answer)}")


def _what(kubeconfig: str) -> str:
    return f"kube-system/{NAME} (by {kubeconfig})"


def _message(status: int, answer: dict[str, Any]) -> str:
    return f"{status} {answer.get('message', '')}".strip()


@contextlib.contextmanager
def _context(found: Access) -> Iterator[ssl.SSLContext]:
    # Python takes a client's certificate from a file alone.
    with tempfile.TemporaryDirectory(prefix="falconet-") as folder:
        file = Path(folder) / "client.pem"
        file.touch(mode=0o600)
        file.write_text(found.certificate + "\n" + found.key)
        context = ssl.create_default_context(cadata=found.ca)
        context.load_cert_chain(file)
        yield context


def _ask(kubeconfig: str, method: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
    try:
        found = access(Path(kubeconfig).read_text(), kubeconfig)
    except (OSError, UnicodeDecodeError) as error:
        raise ApiServerError(
            f"{kubeconfig}: {getattr(error, 'strerror', None) or error}; it is needed for kubeadm's "
            "ClusterConfiguration. Give admin_kubeconfig, or cluster_configuration: false"
        ) from None
    url = urlsplit(found.server)
    try:
        with _context(found) as context:
            connection = http.client.HTTPSConnection(
                url.hostname or "", url.port or 443, timeout=_ANSWER_SECONDS, context=context
            )
            with contextlib.closing(connection):
                headers = {"Content-Type": "application/merge-patch+json", "Accept": "application/json"}
                connection.request(method, url.path.rstrip("/") + _PATH, json.dumps(body) if body else None, headers)
                answer = connection.getresponse()
                return answer.status, json.loads(answer.read() or b"{}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ApiServerError(f"{found.server} (of {kubeconfig}) does not answer: {error}") from None
