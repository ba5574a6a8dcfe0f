"""A plan as one nftables transaction, and its loading.

Two base chains on the forward hook, egress before ingress: an ``accept`` ends only its own base chain, so a packet
passes when both directions accept it. Pods are routed, so every pod-to-pod packet passes the forward hook, after
kube-proxy's address translation. The node's own packets leave by the output hook, which is never filtered.
"""

# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable
from ipaddress import IPv4Network

from netpol_agent.rules import LAST_PORT, Direction, Match, Plan

TABLE = "netpol"
FAMILY = "inet"
#: nft answers within milliseconds; a hanging one must not hang the agent for ever.
LIMIT_SECONDS = 30


class NftError(Exception):
    """nft refused or did not answer; the message has its words."""


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _elements(networks: Iterable[object]) -> str:
    return ", ".join(str(network).removesuffix("/32") for network in networks)


class _Text:
    """Collects named sets (each content once) and chains."""

    def __init__(self) -> None:
        self.sets: dict[str, str] = {}
        self.chains: list[str] = []

    def set_of(self, networks: tuple[IPv4Network, ...]) -> str:
        elements = _elements(networks)
        name = f"net_{_key(elements)}"
        self.sets[name] = f"set {name} {{ type ipv4_addr; flags interval; elements = {{ {elements} }}; }}"
        return f"@{name}"

    def condition(self, match: Match, direction: Direction) -> str:
        words: list[str] = []
        if match.peers is not None:
            words.append(f"ip {'saddr' if direction == 'ingress' else 'daddr'} {self.set_of(match.peers)}")
        if match.targets is not None:
            words.append(f"ip daddr {self.set_of(match.targets)}")
        if match.protocol is not None and match.ports in ((), ((0, LAST_PORT),)):
            words.append(f"meta l4proto {match.protocol}")
        elif match.protocol is not None:
            ranges = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in match.ports)
            words.append(f"{match.protocol} dport {{ {ranges} }}")
        return " ".join(words)


def render(plan: Plan, pod_network: IPv4Network) -> str:
    """Return the text for ``nft -f``: it replaces the whole table in one transaction."""
    text = _Text()
    maps: dict[Direction, list[str]] = {"egress": [], "ingress": []}
    for (policy, direction), matches in sorted(plan.matches.items()):
        lines = [f"{text.condition(match, direction)} accept".strip() for match in matches]
        body = "".join(f"    {line}\n" for line in lines)
        text.chains.append(f'  chain {direction}_{_key(policy)} {{\n    comment "{policy}"\n{body}  }}\n')
    for group in plan.groups:
        name = f"pods_{group.direction}_{_key(*group.policies)}"
        jumps = "".join(f"    jump {group.direction}_{_key(policy)}\n" for policy in group.policies)
        text.chains.append(f"  chain {name} {{\n{jumps}    counter drop\n  }}\n")
        maps[group.direction].extend(f"{address} : goto {name}" for address in group.members)
    known = _elements(plan.known)
    loops = ", ".join(f"{address} . {address}" for address in plan.local)
    parts = [
        f"table {FAMILY} {TABLE}\ndelete table {FAMILY} {TABLE}\ntable {FAMILY} {TABLE} {{\n",
        f"  set known {{ type ipv4_addr;{f' elements = {{ {known} }};' if known else ''} }}\n",
        f"  set loops {{ type ipv4_addr . ipv4_addr;{f' elements = {{ {loops} }};' if loops else ''} }}\n",
        *(f"  {line}\n" for line in text.sets.values()),
        *text.chains,
    ]
    for direction, entries in maps.items():
        content = f" elements = {{ {', '.join(entries)} }};" if entries else ""
        parts.append(f"  map {direction}_pods {{ type ipv4_addr : verdict;{content} }}\n")
    start = "    ct state established,related accept\n    ip saddr . ip daddr @loops accept\n"
    unknown = (
        f"    ip saddr {pod_network} ip saddr != @known counter drop\n"
        f"    ip daddr {pod_network} ip daddr != @known counter drop\n"
    )
    parts += [
        "  chain egress_forward {\n    type filter hook forward priority -10; policy accept;\n",
        f"{start}{unknown}    ip saddr vmap @egress_pods\n  }}\n",
        "  chain ingress_forward {\n    type filter hook forward priority -9; policy accept;\n",
        f"{start}    ip daddr vmap @ingress_pods\n  }}\n",
        # A pod that talks to its own node does not pass the forward hook.
        "  chain egress_to_node {\n    type filter hook input priority -10; policy accept;\n",
        "    ct state established,related accept\n    ip saddr vmap @egress_pods\n  }\n}\n",
    ]
    return "".join(parts)


def _run(program: str, arguments: list[str], text: str) -> None:
    try:
        done = subprocess.run(
            [program, *arguments], input=text, text=True, capture_output=True, timeout=LIMIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NftError(f"{program}: {error}") from error
    if done.returncode:
        raise NftError(f"{program} exited with {done.returncode}: {done.stderr.strip()[:2000]}")


def load(text: str, program: str = "nft") -> None:
    """Load a transaction; raises :class:`NftError`, and then nothing has changed."""
    _run(program, ["-f", "-"], text)


def check(text: str, program: str = "nft") -> None:
    """Let nft judge a transaction without loading it; raises :class:`NftError`."""
    _run(program, ["-c", "-f", "-"], text)


def cleanup(program: str = "nft") -> None:
    """Remove the table; no error when there is none."""
    load(f"table {FAMILY} {TABLE}\ndelete table {FAMILY} {TABLE}\n", program)
