# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.

"""Services of the cluster that are named in addresses, such as C(http://alertmanager.monitoring.svc:9093)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .subjects import Subject

#: Only names that end with C(svc), or with C(svc) and the usual domain, are surely a cluster's: C(receiver.tools) may
#: be anybody's, and so may C(svc.example.com).
#: Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
_HOST = re.compile(
    r"(?:^|//|[\s@,=])((?:[a-z0-9-]+\.)*[a-z0-9-]+\.[a-z0-9-]+)\.svc(?:\.cluster\.local)?\.?(?=[:/,?\s]|$)", re.I
)


def services_in(value: Any, variable: str) -> list[Subject]:
    """The Services that addresses anywhere in a value name, each once.

    Args:
      value: a text, or lists and mappings of such.
      variable: that has it; the path to each address is added, never the address itself, which may hold a secret.
    """
    found: dict[tuple[str, str], Subject] = {}
    for path, namespace, name in _found(value, variable):
        found.setdefault((namespace, name), Subject("Service", name, namespace, path))
    return list(found.values())


def _found(value: Any, path: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _found(inner, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from _found(inner, f"{path}[{index}]")
    elif isinstance(value, str):
        for match in _HOST.finditer(value):
            # A pod of a StatefulSet has its own name before its Service's.
            name, namespace = match[1].lower().split(".")[-2:]
            yield path, namespace, name
