# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the objects of a release are called: the chart derives their names from the release's, and so do we."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .forwarding import further_name

#: The Secrets with what both ends of TLS need, by what is in them.
TLS_SECRETS = ("authority", "trust", "server", "client")
_DOMAINS = ("", ".{}", ".{}.svc", ".{}.svc.cluster.local")


@dataclass(frozen=True)
class Names:
    """Names of one release's objects.

    Attributes:
      sidekick, ui: Deployments and Services of Falcosidekick and its UI.
      redis: StatefulSet of Redis.
      redis_claim, redis_class: its PersistentVolumeClaim, and the StorageClass of directories on nodes.
      outputs_secret, ui_secret, redis_secret, proxy_secret: Secrets with outputs and credentials that the role keeps.
      tls: Secrets with certificates, by TLS_SECRETS.
    """

    sidekick: str
    ui: str
    redis: str
    redis_claim: str
    redis_class: str
    outputs_secret: str
    ui_secret: str
    redis_secret: str
    proxy_secret: str
    tls: Mapping[str, str]


def names_of(release_name: str) -> Names:
    """Names of the objects of the release of this name."""
    redis = f"{release_name}-falcosidekick-ui-redis"
    return Names(
        sidekick=f"{release_name}-falcosidekick",
        ui=f"{release_name}-falcosidekick-ui",
        redis=redis,
        redis_claim=f"{redis}-data-{redis}-0",
        redis_class=f"{release_name}-redis-local",
        outputs_secret=f"{release_name}-outputs",
        ui_secret=f"{release_name}-ui-credentials",
        redis_secret=f"{release_name}-redis-credentials",
        proxy_secret=f"{release_name}-proxy-credentials",
        tls={kind: f"{release_name}-tls-{kind}" for kind in TLS_SECRETS},
    )


def tls_names(release_name: str, namespace: str, more: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Every way to write the name of a Falcosidekick's Service, the first's and those of further instances."""
    services = [names_of(release_name).sidekick, *(further_name(release_name, entry["name"]) for entry in more)]
    return tuple(service + domain.format(namespace) for service in services for domain in _DOMAINS)
