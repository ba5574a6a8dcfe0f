# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of a module to a connected client: kubeconfig, context, tokens, certificates."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import env_fallback

from .client import CONNECT_TIMEOUT_SECONDS, DEFAULT_PATIENCE_SECONDS, KUBERNETES_IMPORT_ERROR, Client
from .errors import KubeError

try:
    import urllib3
    from kubernetes import client as kubernetes_client
    from kubernetes import config as kubernetes_config
except ImportError:
    pass  # C(connect) says it, by what C(client) remembers

CLUSTER_ARGUMENTS: dict[str, dict[str, Any]] = {
    "kubeconfig": {"type": "path", "fallback": (env_fallback, ["K8S_AUTH_KUBECONFIG"])},
    "context": {"type": "str", "fallback": (env_fallback, ["K8S_AUTH_CONTEXT"])},
    "host": {"type": "str", "fallback": (env_fallback, ["K8S_AUTH_HOST"])},
    "api_key": {"type": "str", "no_log": True, "fallback": (env_fallback, ["K8S_AUTH_API_KEY"])},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"], "fallback": (env_fallback, ["K8S_AUTH_SSL_CA_CERT"])},
    "client_cert": {"type": "path", "aliases": ["cert_file"], "fallback": (env_fallback, ["K8S_AUTH_CERT_FILE"])},
    "client_key": {
        "type": "path",
        "no_log": False,
        "aliases": ["key_file"],
        "fallback": (env_fallback, ["K8S_AUTH_KEY_FILE"]),
    },
    "validate_certs": {
        "type": "bool",
        "aliases": ["verify_ssl"],
        "fallback": (env_fallback, ["K8S_AUTH_VERIFY_SSL"]),
    },
    "proxy": {"type": "str", "fallback": (env_fallback, ["K8S_AUTH_PROXY"])},
}
"""Argument spec of the connection options, documented by the doc fragment C(cluster)."""


def connect(
    params: dict[str, Any],
    patience_seconds: float = DEFAULT_PATIENCE_SECONDS,
    answer_within_seconds: float | None = None,
) -> Client:
    """Connect with the options of a module.

    Without any option the default kubeconfig is used (C(KUBECONFIG), C(~/.kube/config)), and inside a pod its service
    account.

    Args:
        params: module parameters; the keys of C(CLUSTER_ARGUMENTS) are read, others are ignored.
        patience_seconds: how long to wait for an API server that is away.
        answer_within_seconds: how long the API server may take to answer at all, an address that swallows packets
            included; instead of C(patience_seconds).

    Raises:
        KubeError: the library is missing, or the options do not make a connection.
    """
    if KUBERNETES_IMPORT_ERROR:
        raise KubeError(
            "the Python library 'kubernetes' is missing on the controller",
            "Install it for the Python that runs this module: python3 -m pip install 'kubernetes>=24.2'.",
        )
    configuration = kubernetes_client.Configuration()
    _load(configuration, params)
    if params.get("host"):
        configuration.host = params["host"]
    if params.get("api_key"):
        # Its name changed with the library's version; both are read, each by its own versions.
        for name in ("authorization", "BearerToken"):
            configuration.api_key[name] = "Bearer " + params["api_key"]
        configuration.refresh_api_key_hook = None
    for option, attribute in (("ca_cert", "ssl_ca_cert"), ("client_cert", "cert_file"), ("client_key", "key_file")):
        path = params.get(option)
        if path:
            if not Path(path).is_file():
                raise KubeError(f"{option}: there is no file {path}")
            setattr(configuration, attribute, path)
    if params.get("validate_certs") is not None:
        configuration.verify_ssl = params["validate_certs"]
        if not params["validate_certs"]:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    if params.get("proxy"):
        configuration.proxy = params["proxy"]
    if answer_within_seconds is None:
        return Client(configuration, patience_seconds)
    # One attempt more may begin just before the patience ends.
    attempt = min(CONNECT_TIMEOUT_SECONDS, answer_within_seconds / 2)
    return Client(configuration, answer_within_seconds - attempt, attempt)


def _load(configuration: Any, params: dict[str, Any]) -> None:
    """Fill a configuration from the kubeconfig, or from the pod's service account."""
    kubeconfig, context = params.get("kubeconfig"), params.get("context")
    if params.get("host") and not kubeconfig and not context:
        return
    try:
        if kubeconfig:
            missing = [part for part in kubeconfig.split(":") if not Path(part).expanduser().is_file()]
            if missing:
                raise KubeError(f"kubeconfig: there is no file {missing[0]}", "Set kubeconfig or K8S_AUTH_KUBECONFIG.")
        kubernetes_config.load_kube_config(
            config_file=kubeconfig, context=context, client_configuration=configuration, persist_config=False
        )
    except kubernetes_config.ConfigException as error:
        if kubeconfig or context:
            where = "kubeconfig {}".format(kubeconfig or "(default)")
            raise KubeError(f"{where}: {error}", _about_contexts(kubeconfig, context)) from error
        try:
            kubernetes_config.load_incluster_config(client_configuration=configuration)
        except kubernetes_config.ConfigException:
            raise KubeError(
                "no cluster is given: no option, no kubeconfig at its default place, and this is not a pod",
                "Set kubeconfig (and context), or host and api_key.",
            ) from error
    except (OSError, ValueError) as error:
        raise KubeError("kubeconfig {} cannot be read: {}".format(kubeconfig or "(default)", error)) from error


def _about_contexts(kubeconfig: str | None, context: str | None) -> str:
    """What contexts a kubeconfig has, if the one that was asked for is not among them; empty if it is."""
    try:
        found, current = kubernetes_config.list_kube_config_contexts(config_file=kubeconfig)
    except (kubernetes_config.ConfigException, OSError, ValueError):
        return ""
    names = [str(one["name"]) for one in found]
    if not context or context in names:
        return ""
    # The one that was probably meant comes first.
    names.sort(key=lambda name: -difflib.SequenceMatcher(None, name, context).ratio())
    return f"Its contexts are {', '.join(names)} (current: {current['name']})."
