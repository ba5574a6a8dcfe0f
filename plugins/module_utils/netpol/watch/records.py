# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Flow records from Falco's alerts on connections: who was seen to connect to whom, as netpol_suggest takes it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..model.addresses import parse_address
from ..model.objects import PROTOCOLS

#: C(client:port->server:port), with IPv6 addresses written without brackets as Falco does.
_NAME = re.compile(r"(?P<client>[0-9A-Fa-f:.]+):\d+->(?P<server>[0-9A-Fa-f:.]+):(?P<port>\d+)\Z")
#: System calls at the server's end.
_SERVER = ("accept", "accept4")


def records(alerts: Sequence[Any]) -> dict[str, Any]:
    """Records of flows.

    Args:
        alerts: Falco's alerts with C(output_fields), or C(fields) as falco_alerts_info has them, of which
            C(k8s.ns.name), C(k8s.pod.name), and C(fd.name) or C(fd.cip), C(fd.sip) and C(fd.sport) are read;
            C(evt.type) tells accepted connections, C(fd.l4proto) the protocol (TCP unless given).

    Returns:
        C(flows), sorted and each once, with C(from), C(to), C(protocol) and C(ports); C(skipped), how many alerts were
        no connection of a pod, by the reason.
    """
    found: dict[tuple[str, str, str, str], None] = {}
    skipped: dict[str, int] = {}
    for alert in alerts:
        record = _record(_fields(alert))
        if isinstance(record, str):
            skipped[record] = skipped.get(record, 0) + 1
        else:
            found[record] = None
    names = ("from", "to", "protocol", "ports")
    return {"flows": [dict(zip(names, record)) for record in sorted(found)], "skipped": skipped}


def _fields(alert: Any) -> Mapping[str, Any] | None:
    """An alert's fields, as Falco calls them or as the module falco_alerts_info does."""
    found = alert.get("output_fields", alert.get("fields")) if isinstance(alert, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _record(fields: Mapping[str, Any] | None) -> tuple[str, str, str, str] | str:
    if fields is None:
        return "no alert with output_fields"
    namespace, pod = fields.get("k8s.ns.name"), fields.get("k8s.pod.name")
    if not namespace or not pod:
        return "not of a pod"
    named = _NAME.match(str(fields.get("fd.name") or ""))
    parts = named.groupdict() if named else {}
    client = str(fields.get("fd.cip") or parts.get("client", ""))
    server = str(fields.get("fd.sip") or parts.get("server", ""))
    port = str(fields.get("fd.sport") or parts.get("port", ""))
    if not port.isdigit() or port == "0" or parse_address(server) is None:
        return "no connection of TCP, UDP or SCTP"
    protocol = str(fields.get("fd.l4proto") or "tcp").upper()
    if protocol not in PROTOCOLS:
        return "no connection of TCP, UDP or SCTP"
    mine = f"{namespace}/{pod}"
    is_server = fields.get("evt.type") in _SERVER
    other = client if is_server else server
    if parse_address(other) is None:
        return "the other end has no address"
    if other.startswith("127.") or other == "::1":
        return "within the pod"
    return (other, mine, protocol, port) if is_server else (mine, other, protocol, port)
