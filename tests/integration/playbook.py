"""Runs playbooks as a user does, in a process of their own, and kills them where a test wants it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cluster import wait_for

ROOT = Path(__file__).resolve().parents[2]
_RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
_TASK = re.compile(r"^TASK \[(.*?)\]", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What a run left: exit code, all its output, and the recap's numbers by host."""

    returncode: int
    output: str
    changed: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks in their order."""
        return _TASK.findall(self.output)

    @property
    def total_changed(self) -> int:
        return sum(self.changed.values())


@dataclass(frozen=True)
class Site:
    """An inventory and the kubeconfig of its cluster."""

    inventory: Path
    kubeconfig: Path

    def run(
        self,
        playbook: str = "site.yml",
        *arguments: str,
        extra: dict[str, Any] | None = None,
        kill_at: str | None = None,
        kill_when: Callable[[], object] = lambda: True,
        limit_seconds: float = 600,
        environment: dict[str, str] | None = None,
    ) -> Outcome:
        """Run a playbook of the collection.

        Args:
            playbook: its file below playbooks/.
            arguments: further arguments of ansible-playbook.
            extra: extra variables.
            kill_at: when a task whose name holds this text has begun, the run and all its children get SIGKILL,
            kill_when: as soon as this holds.
            limit_seconds: after which the run counts as hung and is killed.
        """
        command = ["ansible-playbook", f"playbooks/{playbook}", "-i", str(self.inventory), *arguments]
        if extra:
            command += ["-e", json.dumps(extra)]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "KUBECONFIG": str(self.kubeconfig), "ANSIBLE_NOCOLOR": "1", **(environment or {})},
        )
        hung = threading.Timer(limit_seconds, os.killpg, (process.pid, signal.SIGKILL))
        hung.start()
        lines = []
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if kill_at and line.startswith("TASK [") and kill_at in line:
                wait_for(kill_when, what=f"the moment to kill '{kill_at}'")
                os.killpg(process.pid, signal.SIGKILL)
                break
        returncode = process.wait()
        hung.cancel()
        output = "".join(lines)
        if kill_at:
            assert returncode == -signal.SIGKILL, f"no task named like '{kill_at}' was reached:\n{output[-4000:]}"
        recap = _RECAP.findall(output)
        return Outcome(
            returncode,
            output,
            changed={host: int(changed) for host, _, changed, _, _ in recap},
            failed={host: int(failed) + int(away) for host, _, _, away, failed in recap},
        )
