"""What tests ask of the cluster beside the playbooks: kubectl, helm and the sandbox's own switches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cluster:
    """A kubeconfig and the programs that use it."""

    kubeconfig: Path

    def _run(self, *command: str, stdin: str | None = None) -> str:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig)},
            timeout=300,
        )
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self._run("kubectl", *arguments, stdin=stdin)

    def helm(self, *arguments: str) -> str:
        return self._run("helm", *arguments)

    def sandbox(self, *arguments: str) -> str:
        return self._run(sys.executable, "-m", "sandbox", *arguments)

    def get(self, *arguments: str) -> Any:
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def digest(self) -> dict[str, str]:
        """Every object that a stage may touch, with its generation or data, so that two states can be compared."""
        kinds = "namespaces,configmaps,secrets,networkpolicies,deployments,daemonsets,statefulsets,persistentvolumes"
        objects = self.get(kinds, "--all-namespaces")["items"]
        return {
            "/".join((o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"])): json.dumps(
                [o.get("spec"), o.get("data"), o["metadata"].get("labels")], sort_keys=True
            )
            for o in objects
        }


def wait_for(condition: Callable[[], object], limit_seconds: float = 60, what: str = "the condition") -> None:
    """Wait until *condition* holds, or fail."""
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true within {limit_seconds} seconds"
        time.sleep(0.2)
