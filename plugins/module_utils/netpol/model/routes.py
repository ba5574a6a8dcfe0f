# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways from outside into the cluster: Ingress, the routes of the Gateway API, OpenShift's Route."""

from __future__ import annotations

from typing import NamedTuple


class Backend(NamedTuple):
    """A Service that a route leads to. C(port) is a number or name of its ports, None for any of them."""

    namespace: str
    service: str
    port: object = None


class Route(NamedTuple):
    """What leads requests from outside to Services, by way of a controller's pods."""

    kind: str
    namespace: str
    name: str
    backends: tuple[Backend, ...]

    @property
    def full_name(self) -> str:
        """C(Kind namespace/name)."""
        return f"{self.kind} {self.namespace}/{self.name}"
