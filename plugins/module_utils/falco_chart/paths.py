# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connections that alerts need: from Falco to Falcosidekick, on to the UI and Redis, and names from cluster DNS.

Each is asked twice, of the pods at the other end and of their Service's address, so that it can be told which of the
two does not answer. Sources: ports of the charts falcosecurity/falco and falcosecurity/falcosidekick; the Service of
cluster DNS is C(kube-system/kube-dns), https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .names import Names

DNS_NAMESPACE, DNS_SERVICE, DNS_LABELS = "kube-system", "kube-dns", {"k8s-app": "kube-dns"}
SIDEKICK_PORT, UI_PORT, REDIS_PORT = "2801/TCP", "2802/TCP", "6379/TCP"
#: How a flow ends that asks a Service's address and not its pods.
BY_SERVICE = " by its Service's address"


def needed_paths(
    namespace: str, release: str, kind: str, names: Names, with_sidekick: bool, with_ui: bool, with_redis: bool
) -> list[dict[str, Any]]:
    """Flows in the words of netpol_probe.

    Args:
      namespace, release: of Falco.
      kind: of Falco's workload.
      names: of the release's objects.
      with_sidekick, with_ui, with_redis: what is installed beside Falco.
    """
    falco = {"namespace": namespace, "workload": f"{kind}/{release}"}
    sidekick = {"namespace": namespace, "workload": f"Deployment/{names.sidekick}"}
    ui = {"namespace": namespace, "workload": f"Deployment/{names.ui}"}
    redis = {"namespace": namespace, "workload": f"StatefulSet/{names.redis}"}
    dns = {"namespace": DNS_NAMESPACE, "labels": DNS_LABELS}
    dns_service = {"namespace": DNS_NAMESPACE, "service": DNS_SERVICE}
    found: list[dict[str, Any]] = []
    if with_sidekick:
        service = {"namespace": namespace, "service": names.sidekick}
        found += _both("Falco to Falcosidekick", falco, sidekick, service, SIDEKICK_PORT)
        found += _both("Falco to cluster DNS", falco, dns, dns_service, "53/UDP")
        found += _both("Falcosidekick to cluster DNS", sidekick, dns, dns_service, "53/UDP")
    if with_ui:
        service = {"namespace": namespace, "service": names.ui}
        found += _both("Falcosidekick to its UI", sidekick, ui, service, UI_PORT)
    if with_redis:
        service = {"namespace": namespace, "service": names.redis}
        found += _both("the UI to Redis", ui, redis, service, REDIS_PORT)
    return found


def _both(
    name: str, source: Mapping[str, Any], pods: Mapping[str, Any], service: Mapping[str, Any], port: str
) -> Iterator[dict[str, Any]]:
    yield {"name": name, "from": source, "to": pods, "ports": [port]}
    yield {"name": name + BY_SERVICE, "from": source, "to": service, "ports": [port]}
