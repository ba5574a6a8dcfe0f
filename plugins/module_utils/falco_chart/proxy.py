# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP proxy of what talks to the outside, as containers' environment; a password in its URL goes into a Secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

#: The annotation that restarts pods when the proxy's credentials change.
PROXY_FINGERPRINT = "falconet.k8s/proxy-fingerprint"
#: Names that never go through a proxy.
_OWN = ("localhost", "127.0.0.1", ".svc", ".cluster.local")


def proxy_secret(proxy: Mapping[str, Any]) -> dict[str, str]:
    """Variables of the environment whose URL holds a user or a password, for a Secret; empty where none does.

    Args:
      proxy: URLs as ``http`` and ``https``; ``no`` is not looked at.
    """
    return {variable: url for variable, url in _urls(proxy).items() if "@" in urlsplit(url).netloc}


def proxy_environment(proxy: Mapping[str, Any], secret: str, *services: str) -> list[dict[str, Any]]:
    """Container environment for a proxy given as http, https and no; the cluster's own names never go through it.

    Args:
      proxy: as in falco_proxy.
      secret: name of the Secret that holds URLs with credentials.
      services: further names that do not go through it.
    """
    if not proxy:
        return []
    given = proxy.get("no") or []
    exceptions = given.split(",") if isinstance(given, str) else list(given)
    hidden = proxy_secret(proxy)
    env: list[dict[str, Any]] = [
        {"name": variable, "valueFrom": {"secretKeyRef": {"name": secret, "key": variable}}}
        if variable in hidden
        else {"name": variable, "value": url}
        for variable, url in _urls(proxy).items()
    ]
    return [*env, {"name": "NO_PROXY", "value": ",".join(dict.fromkeys([*exceptions, *_OWN, *services]))}]


def _urls(proxy: Mapping[str, Any]) -> dict[str, str]:
    return {f"{kind.upper()}_PROXY": str(proxy[kind]) for kind in ("http", "https") if proxy.get(kind)}
