"""The cables of a sandbox: one bridge on the machine, a veth pair to each of its nodes."""

from __future__ import annotations

import json
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from sandbox.instance import Instance, bridge_alias
from sandbox.process import run


def _ip(*arguments: str) -> None:
    run(["ip", *arguments], timeout_seconds=10)


def _query(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(["ip", "-json", *arguments], timeout_seconds=10).stdout or "[]")
    return [entry for entry in found if entry]


def parse_routes(routes: list[dict[str, Any]]) -> list[IPv4Network]:
    """The networks that the machine's routes lead to, the default route apart."""
    destinations = (str(route.get("dst", "default")) for route in routes)
    return [IPv4Network(text, strict=False) for text in destinations if text[0].isdigit()]


def routed_networks() -> list[IPv4Network]:
    """The networks that this machine already has routes to."""
    return parse_routes(_query("-4", "route", "show", "table", "all"))


def link_exists(name: str) -> bool:
    """Whether the machine has that interface."""
    return Path("/sys/class/net", name).exists()


def ensure_bridge(instance: Instance) -> None:
    """The bridge exists, has our address, and is up."""
    bridge = instance.bridge
    if not link_exists(bridge):
        _ip("link", "add", bridge, "type", "bridge")
    _ip("link", "set", bridge, "alias", bridge_alias(instance.name), "up")
    _ip("address", "replace", f"{instance.gateway}/{instance.network.prefixlen}", "dev", bridge)


def ensure_cable(instance: Instance, number: int, pid: int) -> None:
    """The node whose first process is ``pid`` has an ``eth0`` that is plugged into the bridge."""
    link = instance.link(number)
    has_eth0 = "eth0:" in Path(f"/proc/{pid}/net/dev").read_text()
    if has_eth0 and link_exists(link):
        _ip("link", "set", link, "master", instance.bridge, "up")
        return
    if link_exists(link):
        _ip("link", "delete", link)
    _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
    _ip("link", "set", link, "master", instance.bridge, "up")


def links_of(instance: Instance) -> list[str]:
    """The instance's interfaces on the machine, found by name: its cables, then its bridge."""
    names = sorted(path.name for path in Path("/sys/class/net").iterdir())
    cables = [name for name in names if name.startswith(f"{instance.bridge}-")]
    return cables + [name for name in names if name == instance.bridge]


def remove_links(instance: Instance) -> None:
    """Delete the bridge and every cable of the instance."""
    for name in links_of(instance):
        # A cable goes by itself when the node's network namespace goes, perhaps just now: no error if it is gone.
        run(["ip", "link", "delete", name], timeout_seconds=10, check=False)
