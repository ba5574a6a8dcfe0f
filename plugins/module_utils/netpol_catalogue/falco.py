# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Falco and its companions need from the network: alerts out, metrics in, metadata, and the audit webhook.

Names, labels and ports are those of the charts falco 9.x, falcosidekick and k8s-metacollector.
"""

from __future__ import annotations

from typing import Any

from .options import CatalogueError, Options
from .parts import EGRESS, INGRESS, peer_of_namespaces, policy, rule, selector

_NAME, _COMPONENT, _INSTANCE = "app.kubernetes.io/name", "app.kubernetes.io/component", "app.kubernetes.io/instance"
FALCO_METRICS, AUDIT_PORT = 8765, 9765
SIDEKICK_PORT, UI_PORT, REDIS_PORT, METACOLLECTOR_PORT = 2801, 2802, 6379, 45000


def _port(number: int, protocol: str = "TCP") -> list[dict[str, Any]]:
    return [{"protocol": protocol, "port": number}]


class _Release:
    """Selectors of the pods of one Helm release."""

    def __init__(self, name: str, sidekick_own: bool, sidekicks: list[str], groups: list[str]) -> None:
        first = f"{name}-falcosidekick"
        sidekick = {_NAME: "falcosidekick", _INSTANCE: first if sidekick_own else name}
        self.falco: dict[str, Any] = {_NAME: "falco", _INSTANCE: name}
        if groups:
            # Nodes with another driver have a release of their own.
            releases = [name, *(f"{name}-{group}" for group in groups)]
            chosen = [{"key": _INSTANCE, "operator": "In", "values": releases}]
            self.falco = {"matchLabels": {_NAME: "falco"}, "matchExpressions": chosen}
        # Whether the core pods carry a component label depends on the chart's version; UI and Redis always do.
        self.sidekick: dict[str, Any] = {
            "matchLabels": sidekick,
            "matchExpressions": [{"key": _COMPONENT, "operator": "NotIn", "values": ["ui", "ui-redis"]}],
        }
        self.ui: dict[str, Any] = {**sidekick, _COMPONENT: "ui"}
        self.redis: dict[str, Any] = {**sidekick, _COMPONENT: "ui-redis"}
        # Further Falcosidekicks are releases of their own, which the first one feeds.
        instances = [f"{first}-{further}" for further in sidekicks]
        self.further: dict[str, Any] = {
            "matchLabels": {_NAME: "falcosidekick"},
            "matchExpressions": [{"key": _INSTANCE, "operator": "In", "values": instances}],
        }
        self.metacollector: dict[str, Any] = {_NAME: "k8s-metacollector", _INSTANCE: name}


def _pods(chosen: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"podSelector": chosen if "matchExpressions" in chosen else selector(chosen)}]


def _blocks(blocks: list[str]) -> list[dict[str, Any]]:
    return [{"ipBlock": {"cidr": block}} for block in blocks]


def falco_policies(namespace: str, options: Options) -> list[dict[str, Any]]:
    """Default deny for the namespace, and exactly the connections that the release needs.

    Options: C(release) (falco), C(sidekick_own) (whether Falcosidekick is a release of its own), C(sidekicks) (names of
    further ones), C(driver_groups) (names of groups of nodes with another driver), C(alerts_to) (blocks of the alert
    channels; without them any address) and C(alert_ports) (443), C(ui_from) (blocks that may open the UI; without them
    any), C(prometheus) (namespace that scrapes metrics), C(metacollector) and C(audit) (whether these run),
    C(audit_from) (blocks of the control plane), C(artifacts_to) (blocks from which falcoctl fetches), C(addresses) (of
    the API server). The API server asks Falco's metrics for which rules run; without C(audit_from) and C(addresses) any
    address may.
    """
    sidekicks = options.names("sidekicks")
    own, groups = bool(options.take("sidekick_own", False)), options.names("driver_groups")
    release = _Release(str(options.take("release", "falco")), own, sidekicks, groups)
    alerts, alert_ports = options.blocks("alerts_to"), options.ports("alert_ports", ["443"])
    ui_from, prometheus = options.blocks("ui_from"), options.names("prometheus")
    artifacts, api_server = options.blocks("artifacts_to"), options.names("addresses")
    metacollector, audit = bool(options.take("metacollector", False)), bool(options.take("audit", False))
    audit_from = options.blocks("audit_from")
    if metacollector and not api_server:
        raise CatalogueError(f"{options.where}: the metacollector needs addresses of the API server")
    dns_peer = dict(peer_of_namespaces(["kube-system"], {}), podSelector=selector({"k8s-app": "kube-dns"}))
    dns = rule("to", [dns_peer], [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}])
    api_blocks = [f"{address}/{128 if ':' in address else 32}" for address in api_server]
    scrape = rule("from", [peer_of_namespaces(prometheus, {})], _port(FALCO_METRICS)) if prometheus else None

    asked = rule("from", _blocks(audit_from or api_blocks), _port(FALCO_METRICS))
    falco_in = [asked, *([scrape] if scrape else [])]
    if audit:
        falco_in.append(rule("from", _blocks(audit_from), _port(AUDIT_PORT)))
    falco_out = [rule("to", _pods(release.sidekick), _port(SIDEKICK_PORT))]
    if metacollector:
        falco_out.append(rule("to", _pods(release.metacollector), _port(METACOLLECTOR_PORT)))
    if artifacts:
        falco_out.append(rule("to", _blocks(artifacts), _port(443)))
    sidekick_in = [rule("from", _pods(release.falco), _port(SIDEKICK_PORT))]
    if prometheus:
        sidekick_in.append(rule("from", [peer_of_namespaces(prometheus, {})], _port(SIDEKICK_PORT)))
    sidekick_out = [rule("to", _blocks(alerts), alert_ports), rule("to", _pods(release.ui), _port(UI_PORT))]
    if sidekicks:
        sidekick_out.append(rule("to", _pods(release.further), _port(SIDEKICK_PORT)))
    ui_in = [rule("from", _pods(release.sidekick), _port(UI_PORT)), rule("from", _blocks(ui_from), _port(UI_PORT))]
    both = [INGRESS, EGRESS]
    found = [
        policy(namespace, "default-deny", {}, both),
        policy(namespace, "allow-dns", {}, [EGRESS], egress=[dns]),
        policy(namespace, "falco", release.falco, both, ingress=falco_in, egress=falco_out),
        policy(namespace, "falco-rules-canary", {_COMPONENT: "falco-rules-canary"}, both, ingress=[asked]),
        policy(namespace, "falcosidekick", release.sidekick, both, ingress=sidekick_in, egress=sidekick_out),
        policy(
            namespace,
            "falcosidekick-ui",
            release.ui,
            both,
            ingress=ui_in,
            egress=[rule("to", _pods(release.redis), _port(REDIS_PORT))],
        ),
        policy(
            namespace,
            "falcosidekick-ui-redis",
            release.redis,
            both,
            ingress=[rule("from", _pods(release.ui), _port(REDIS_PORT))],
        ),
    ]
    if sidekicks:
        fed = [rule("from", _pods(release.sidekick), _port(SIDEKICK_PORT))]
        sends = [rule("to", _blocks(alerts), alert_ports)]
        found.append(policy(namespace, "falcosidekick-further", release.further, both, ingress=fed, egress=sends))
    if metacollector:
        api = [{"protocol": "TCP", "port": 443}, {"protocol": "TCP", "port": 6443}]
        found.append(
            policy(
                namespace,
                "k8s-metacollector",
                release.metacollector,
                both,
                ingress=[rule("from", _pods(release.falco), _port(METACOLLECTOR_PORT))],
                egress=[rule("to", _blocks(api_blocks), api)],
            )
        )
    return found
