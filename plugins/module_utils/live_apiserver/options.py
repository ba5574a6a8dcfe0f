# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the module kube_apiserver_audit as what its parts take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..apiserver.errors import ApiServerError
from ..apiserver.kubeconfig import Webhook, webhook_kubeconfig
from ..apiserver.policy import check_policy
from ..apiserver.rancher import K3S, RKE2
from ..apiserver.wanted import Settings
from .audit import Request
from .certificates import check_certificates
from .change import Place

_WEBHOOK_NUMBERS = {
    "batch_max_size": "batch-max-size",
    "batch_buffer_size": "batch-buffer-size",
    "batch_throttle_qps": "batch-throttle-qps",
    "batch_throttle_burst": "batch-throttle-burst",
}
_LOG_NUMBERS = {"max_age_days": "maxage", "max_backups": "maxbackup", "max_size_mb": "maxsize"}


def request_of(params: Mapping[str, Any]) -> Request:
    """What the user wants, from a module's options.

    Raises:
        ApiServerError: an option has a value that cannot be.
    """
    distribution = {one.name: one for one in (K3S, RKE2)}.get(params["distribution"])
    if distribution is not None and params["config_directory"]:
        distribution = replace(distribution, folder=params["config_directory"])
    place = Place(
        manifest=distribution.own if distribution else params["manifest"],
        notes=params["backup_directory"],
        pod_logs=params["pod_logs"],
        limit_seconds=_positive("timeout_seconds", params["timeout_seconds"]),
        distribution=distribution,
    )
    admin = params["admin_kubeconfig"] if params["cluster_configuration"] and distribution is None else ""
    if params["state"] == "absent":
        return Request(place, None, params["directory"], admin_kubeconfig=admin)
    if not params["policy"]:
        raise ApiServerError("policy is missing: state present needs the text of an audit policy")
    check_policy(params["policy"], "policy")
    hook, log = params["webhook"], params["log"]
    settings = Settings(
        folder=params["directory"],
        webhook=_webhook(hook) if hook is not None else None,
        log=_log(log) if log is not None else None,
    )
    return Request(
        place=place,
        settings=settings,
        folder=params["directory"],
        policy=params["policy"],
        kubeconfig=_kubeconfig(hook) if hook is not None else "",
        replace=params["replace"],
        admin_kubeconfig=admin,
    )


def _positive(option: str, value: float) -> Any:
    if value <= 0:
        raise ApiServerError(f"{option} is {value}: it must be greater than 0")
    return value


def _webhook(given: Mapping[str, Any]) -> dict[str, str]:
    found = {"mode": str(given["mode"])}
    if given["mode"] == "batch":
        for option, flag in _WEBHOOK_NUMBERS.items():
            found[flag] = str(_positive(f"webhook.{option}", given[option]))
        found["batch-max-wait"] = _duration("batch_max_wait_seconds", given)
    found["initial-backoff"] = _duration("initial_backoff_seconds", given)
    return found


def _duration(option: str, given: Mapping[str, Any]) -> str:
    # Go takes no exponents, which Python may write.
    return f"{max(1, round(_positive(f'webhook.{option}', given[option]) * 1000))}ms"


def _log(given: Mapping[str, Any]) -> dict[str, str]:
    found = {"path": str(given["path"]), "format": str(given["format"])}
    for option, flag in _LOG_NUMBERS.items():
        found[flag] = str(_positive(f"log.{option}", given[option]))
    return found


def _kubeconfig(given: Mapping[str, Any]) -> str:
    webhook = Webhook(
        server=given["server"],
        ca=given["ca"],
        client_certificate=given["client_certificate"],
        client_key=given["client_key"],
        tls_server_name=given["tls_server_name"],
    )
    text = webhook_kubeconfig(webhook)
    check_certificates(webhook)
    return text
