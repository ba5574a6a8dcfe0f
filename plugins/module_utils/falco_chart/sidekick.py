# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part ``falcosidekick`` of the values: Falcosidekick, its UI, the UI's Redis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .forwarding import CLIENT_CERTIFICATES, forward_environment
from .rulebook import trust_rulebook

#: The annotation that restarts pods when the Secret that they read changes.
FINGERPRINT = "falconet.k8s/secret-fingerprint"
#: The same for certificates; Falco's pods have it, too.
TLS_FINGERPRINT = "falconet.k8s/tls-fingerprint"
#: uid and gid of the Redis process, owner of its directory on the node.
REDIS_USER = 999
#: The chart sets up a password only if this value is not empty, even where a Secret of one's own holds the real one.
PASSWORD_PLACEHOLDER = "in-existing-secret"  # noqa: S105 - no password: a marker that replaces one


def sidekick_values(settings: Mapping[str, Any], output_values: Mapping[str, Any]) -> dict[str, Any]:
    """Values under ``falcosidekick``.

    Args:
      settings: as for build_values, complete.
      output_values: what the outputs put into ``config`` (nothing secret).
    """
    if not settings["sidekick_enabled"]:
        return {"enabled": False}
    config: dict[str, Any] = {
        **output_values,
        "existingSecret": settings["outputs_existing_secret"],
        "customfields": _pairs(settings["custom_fields"]),
        "templatedfields": _pairs(settings["templated_fields"]),
    }
    if settings["sidekick_tls"] != "off":
        config["tlsserver"] = {
            "deploy": True,
            "existingSecret": settings["sidekick_tls_secret"],
            "mutualtls": settings["sidekick_tls"] == "mutual",
        }
    forwards = forward_environment(settings)
    if forwards:
        config["extraEnv"] = forwards
    values: dict[str, Any] = {
        "enabled": True,
        "replicaCount": settings["sidekick_replicas"],
        "config": config,
        "webui": _webui(settings),
    }
    if settings["sidekick_resources"]:
        values["resources"] = settings["sidekick_resources"]
    fingerprints = {FINGERPRINT: settings["outputs_fingerprint"], TLS_FINGERPRINT: settings["sidekick_tls_fingerprint"]}
    if any(fingerprints.values()):
        values["podAnnotations"] = {name: value for name, value in fingerprints.items() if value}
    if forwards and settings["sidekick_tls"] != "off":
        _trust_further(values, settings)
    trust_rulebook(values, settings["rulebook"])
    if settings["service_monitor"]:
        values["serviceMonitor"] = {"enabled": True, "additionalLabels": settings["service_monitor_labels"]}
    return values


def _trust_further(values: dict[str, Any], settings: Mapping[str, Any]) -> None:
    """What the first Falcosidekick needs as a client of the further ones: CA and, for mutual TLS, certificate."""
    values["config"]["tlsclient"] = {"cacertfile": "/etc/certs/server/ca.crt"}
    if settings["sidekick_tls"] == "mutual":
        values["config"]["mutualtlsclient"] = {
            "certfile": f"{CLIENT_CERTIFICATES}/client.crt",
            "keyfile": f"{CLIENT_CERTIFICATES}/client.key",
            "cacertfile": f"{CLIENT_CERTIFICATES}/ca.crt",
        }
        secret = {"secretName": settings["sidekick_tls_client_secret"]}
        values["extraVolumes"] = [{"name": "client-certs", "secret": secret}]
        values["extraVolumeMounts"] = [{"name": "client-certs", "mountPath": CLIENT_CERTIFICATES, "readOnly": True}]


def _webui(settings: Mapping[str, Any]) -> dict[str, Any]:
    if not settings["ui_enabled"]:
        return {"enabled": False}
    webui: dict[str, Any] = {
        "enabled": True,
        "replicaCount": settings["ui_replicas"],
        # Empty, so that the chart's admin:admin never reaches a Secret; the real pair comes from the existing one.
        "user": "",
        "existingSecret": settings["ui_existing_secret"],
        "service": _service(settings),
    }
    if settings["ui_exposure"] == "ingress":
        webui["ingress"] = _ingress(settings["ui_ingress"])
    if settings["ui_ttl"]:
        webui["ttl"] = settings["ui_ttl"]
    if settings["ui_fingerprint"]:
        webui["podAnnotations"] = {FINGERPRINT: settings["ui_fingerprint"]}
    if settings["redis_external"]:
        external = settings["redis_external"]
        webui["redis"] = {"enabled": False}
        webui["externalRedis"] = {"enabled": True, "url": external["host"], "port": external.get("port", 6379)}
        if settings["redis_existing_secret"]:
            webui["externalRedis"]["password"] = PASSWORD_PLACEHOLDER
    else:
        webui["redis"] = _redis(settings)
    return webui


def _service(settings: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {"node_port": "NodePort", "load_balancer": "LoadBalancer"}
    service: dict[str, Any] = {"type": kinds.get(settings["ui_exposure"], "ClusterIP")}
    if settings["ui_exposure"] == "node_port":
        service["nodePort"] = settings["ui_node_port"]
    return service


def _ingress(wanted: Mapping[str, Any]) -> dict[str, Any]:
    ingress: dict[str, Any] = {
        "enabled": True,
        "annotations": wanted.get("annotations", {}),
        "hosts": [{"host": wanted["host"], "paths": [{"path": wanted.get("path", "/")}]}],
    }
    if wanted.get("class"):
        ingress["ingressClassName"] = wanted["class"]
    if wanted.get("tls_secret"):
        ingress["tls"] = [{"secretName": wanted["tls_secret"], "hosts": [wanted["host"]]}]
    return ingress


def _redis(settings: Mapping[str, Any]) -> dict[str, Any]:
    security = {"runAsUser": REDIS_USER, "runAsGroup": REDIS_USER}
    if settings["redis_storage"] == "storage_class":
        # A fresh volume belongs to root. A prepared directory does not, and fsGroup would change its mode.
        security["fsGroup"] = REDIS_USER
    redis: dict[str, Any] = {
        "enabled": True,
        "podSecurityContext": security,
        "storageEnabled": settings["redis_storage"] != "none",
    }
    if settings["redis_storage"] != "none":
        redis["storageSize"] = settings["redis_storage_size"]
        if settings["redis_storage_class"]:
            redis["storageClass"] = settings["redis_storage_class"]
    if settings["redis_existing_secret"]:
        redis["existingSecret"] = settings["redis_existing_secret"]
        redis["password"] = PASSWORD_PLACEHOLDER
    if settings["redis_fingerprint"]:
        redis["podAnnotations"] = {FINGERPRINT: settings["redis_fingerprint"]}
    if settings["redis_resources"]:
        redis["resources"] = settings["redis_resources"]
    return redis


def _pairs(fields: Mapping[str, Any]) -> str:
    """Falcosidekick's form of fields: ``key:value`` separated by commas."""
    return ",".join(f"{key}:{value}" for key, value in fields.items())
