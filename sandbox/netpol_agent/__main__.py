"""The agent's loop: watch, compute, load, publish what was applied.

The state file tells tests when a change is enforced, so that they wait for it instead of sleeping: an object with
resourceVersion N is in force on this node when ``resource_versions[<its kind>]`` is N or more.
"""

# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import signal
import sys
import threading
import time
from datetime import datetime, timezone
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from netpol_agent import kubeconfig, nft
from netpol_agent.rules import make_plan
from netpol_agent.watch import Api, Store, follow

LOG = logging.getLogger("netpol-agent")
RETRY_SECONDS = 1.0
#: Changes that come together (a Deployment's pods, say) are one transaction.
GATHER_SECONDS = 0.02

KINDS = {
    "pods": "/api/v1/pods",
    "namespaces": "/api/v1/namespaces",
    "networkpolicies": "/apis/networking.k8s.io/v1/networkpolicies",
}


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="netpol_agent", description=__doc__.splitlines()[0])
    parser.add_argument("--kubeconfig", type=Path, help="kubeconfig with a client certificate or a token")
    parser.add_argument("--pod-cidr", type=IPv4Network, help="network of all the cluster's pods")
    parser.add_argument("--node-ip", type=IPv4Address, help="this node's address, as its pods have it in status.hostIP")
    parser.add_argument("--state", type=Path, help="JSON file that tells what was applied last")
    parser.add_argument("--nft", default="nft", help="the nft program (default: %(default)s)")
    parser.add_argument("--cleanup", action="store_true", help="remove the table and end")
    given = parser.parse_args(argv)
    if not given.cleanup:
        needed = ("kubeconfig", "pod_cidr", "node_ip", "state")
        missing = [f"--{name.replace('_', '-')}" for name in needed if getattr(given, name) is None]
        if missing:
            parser.error(f"missing: {', '.join(missing)}")
    return given


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Replace the state file; a reader sees the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(json.dumps(state, sort_keys=True) + "\n", encoding="utf-8")
    fresh.replace(path)


class Enforcer:
    """Turns what the stores hold into loaded rules."""

    def __init__(self, given: argparse.Namespace, stores: dict[str, Store]) -> None:
        self._given = given
        self._stores = stores
        self._loaded = ""
        self._transactions = 0
        self._state: dict[str, Any] = {}

    def apply(self) -> bool:
        """Compute, load if anything changed, publish; False while a store has not been filled yet.

        Raises:
            NftError: the rules were not loaded; the old ones stay.
        """
        began = time.monotonic()
        held = {kind: store.read() for kind, store in self._stores.items()}
        if any(value is None for value in held.values()):
            return False
        objects = {kind: value[0] for kind, value in held.items() if value}
        plan = make_plan(objects["pods"], objects["namespaces"], objects["networkpolicies"], str(self._given.node_ip))
        text = nft.render(plan, self._given.pod_cidr)
        if text != self._loaded:
            nft.load(text, self._given.nft)
            self._loaded = text
            self._transactions += 1
            took_ms = (time.monotonic() - began) * 1e3
            LOG.info("loaded: %d groups, %d pods here, %.0f ms", len(plan.groups), len(plan.local), took_ms)
        self._state = {
            "resource_versions": {kind: value[1] for kind, value in held.items() if value},
            "digest": hashlib.sha256(text.encode()).hexdigest(),
            "applied_at": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            "policies": len(objects["networkpolicies"]),
            "pods": len(plan.known),
            "local_pods": len(plan.local),
            "transactions": self._transactions,
            "pid": os.getpid(),
            "running": True,
        }
        write_state(self._given.state, self._state)
        return True

    def stopped(self) -> None:
        """Publish that nobody follows changes any more; the loaded rules stay."""
        if self._state:
            write_state(self._given.state, {**self._state, "running": False})


def run(given: argparse.Namespace) -> int:
    """Enforce until SIGTERM or SIGINT; the loaded rules stay behind."""
    changed, stop = threading.Event(), threading.Event()

    def end(*_: object) -> None:
        stop.set()
        changed.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    api = Api(kubeconfig.load(given.kubeconfig))
    stores = {kind: Store(kind, path, changed) for kind, path in KINDS.items()}
    for store in stores.values():
        threading.Thread(target=follow, args=(api, store, stop), name=store.kind, daemon=True).start()
    enforcer = Enforcer(given, stores)
    while True:
        changed.wait()
        if stop.is_set():
            enforcer.stopped()
            return 0
        stop.wait(GATHER_SECONDS)
        changed.clear()
        try:
            enforcer.apply()
        except nft.NftError as error:
            LOG.error("the rules were not loaded, the old ones stay: %s", error)
            stop.wait(RETRY_SECONDS)
            changed.set()


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    given = arguments(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        if given.cleanup:
            nft.cleanup(given.nft)
            return 0
        return run(given)
    except (nft.NftError, kubeconfig.KubeconfigError) as error:
        LOG.error("%s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
