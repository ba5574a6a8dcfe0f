# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Lease that keeps two runs apart, held over several module invocations of one playbook run."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from .client import Client
from .errors import ApiError, LeaseHeldError
from .resource import KNOWN

_LEASE = KNOWN["coordination.k8s.io/v1", "Lease"]
_ANSIBLE = re.compile(r"ansible(-(playbook|console|pull|runner|navigator))?")


def run_identity(proc: Path = Path("/proc")) -> str:
    """Who holds: host, process and start of the Ansible run that this process belongs to.

    All modules of one playbook run have the same identity, and another run on the same host can tell whether the
    holder still lives. Only Ansible's own programs count: two runs that one script has started are two runs.
    """
    found, pid = os.getpid(), os.getpid()
    while pid > 1:
        try:
            command = (proc / str(pid) / "cmdline").read_bytes()
        except OSError:
            break
        # The program itself, or the script that an interpreter runs.
        words = [word for word in command.decode("utf-8", "replace").split("\0") if word and not word.startswith("-")]
        if any(_ANSIBLE.fullmatch(Path(word).name) for word in words[:2]):
            found = pid
        parent = _stat(pid, proc)
        if parent is None:
            break
        pid = parent[0]
    started = _stat(found, proc)
    return f"{socket.gethostname()}/{found}/{started[1] if started else 0}"


def _stat(pid: int, proc: Path) -> tuple[int, int] | None:
    """Parent and start time (clock ticks since boot) of a process, None if it has ended; proc(5)."""
    try:
        text = (proc / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The command, in parentheses, may contain anything.
    fields = text.rpartition(")")[2].split()
    if fields[0] in ("Z", "X"):
        # It has ended, only its parent has not asked yet.
        return None
    return int(fields[1]), int(fields[19])


def is_gone(identity: str, proc: Path = Path("/proc")) -> bool:
    """Whether a holder is known to have ended: a process of this very host that is not there any more."""
    host, _slash, rest = identity.rpartition("/")[0].rpartition("/")
    start = identity.rpartition("/")[2]
    if host != socket.gethostname() or not rest.isdigit():
        return False
    found = _stat(int(rest), proc)
    return found is None or str(found[1]) != start


class Lease:
    """One Lease object.

    Args:
        client: connection to the cluster.
        name, namespace: of the Lease.
        holder: identity of this run.
        seconds: how long it holds after the last renewal.
        now: current time in UTC, replaced in tests.
    """

    def __init__(
        self,
        client: Client,
        name: str,
        namespace: str,
        holder: str,
        seconds: int = 300,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self.client = client
        self.name = name
        self.namespace = namespace
        self.holder = holder
        self.seconds = seconds
        self.now = now

    def take(self, wait_seconds: float = 0) -> bool:
        """Take or renew the Lease. True if it was newly taken, False if this run held it already.

        Raises:
            LeaseHeldError: another run holds it and did not give it back in time.
        """
        deadline = time.monotonic() + wait_seconds
        while True:
            found = self.client.get(_LEASE, self.name, self.namespace)
            holder = self._holder(found)
            if holder in (None, self.holder) and self._write(found):
                return holder is None
            if holder not in (None, self.holder):
                if time.monotonic() > deadline:
                    raise LeaseHeldError(
                        f"another run changes these policies now: {holder} holds Lease {self.namespace}/{self.name}",
                        f"Wait until it has ended; a killed run loses it {self.seconds} s after its last step.",
                    )
                time.sleep(0.5)

    def release(self) -> None:
        """Give the Lease back, if this run holds it."""
        found = self.client.get(_LEASE, self.name, self.namespace)
        if found and found["spec"].get("holderIdentity") == self.holder:
            self.client.delete(_LEASE, self.name, self.namespace, uid=found["metadata"]["uid"])

    def _holder(self, found: dict[str, Any] | None) -> str | None:
        """Who holds the Lease now; None if it is free."""
        spec = (found or {}).get("spec") or {}
        holder = spec.get("holderIdentity")
        if not holder or holder == self.holder:
            return holder or None
        renewed = datetime.fromisoformat(spec["renewTime"].replace("Z", "+00:00"))
        over = renewed + timedelta(seconds=spec.get("leaseDurationSeconds") or 0) < self.now()
        return None if over or is_gone(holder) else str(holder)

    def _write(self, found: dict[str, Any] | None) -> bool:
        """Write ourselves down as the holder; False if someone else was faster."""
        body: dict[str, Any] = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {
                "holderIdentity": self.holder,
                "leaseDurationSeconds": self.seconds,
                "renewTime": self.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            },
        }
        try:
            if found is None:
                self.client.call("POST", _LEASE, self.namespace, body=body)
            else:
                # With the version that we have read, so that only one of two writers wins.
                body["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
                self.client.call("PUT", _LEASE, self.namespace, self.name, body=body)
        except ApiError as error:
            if error.status == 409:
                return False
            raise
        return True
