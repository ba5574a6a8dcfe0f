"""The steps of the table of faults, each done by the part of the sandbox that it names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox import instance, machines

from ..cluster import ROOT, Cluster, wait_for
from ..playbook import Site

TABLE = Path(__file__).with_name("table.yml")
CHART = ROOT / "sandbox" / "standins" / "charts" / "falco"
Step = dict[str, Any]


@dataclass(frozen=True)
class Hands:
    """What steps are done with.

    Attributes:
        site: inventory and kubeconfig, for playbooks.
        cluster: kubectl, helm and the sandbox's own switches.
        folder: for files that a step makes.
    """

    site: Site
    cluster: Cluster
    folder: Path

    def do(self, steps: Sequence[Step]) -> None:
        """Do all steps, in their order; the first that fails ends it."""
        for step in steps:
            kind = next(name for name in step if name in KINDS)
            KINDS[kind](self, step)


def faults() -> list[Step]:
    """Rows of the table."""
    rows: list[Step] = yaml.safe_load(TABLE.read_text())
    return rows


def _kubectl(hands: Hands, step: Step) -> None:
    given = json.dumps(step["input"]) if "input" in step else None
    hands.cluster.kubectl(*map(str, step["kubectl"]), stdin=given)


def _node(hands: Hands, step: Step) -> None:
    hands.cluster.sandbox("exec", step["node"], "--", "sh", "-c", step["run"])


def _service(hands: Hands, step: Step) -> None:
    current = instance.load(os.environ.get("SANDBOX_NAME", "falconet"))
    assert current is not None
    found = machines.find(current, step["at"])
    assert found is not None
    machines.order(found[0], {"do": step["do"], "service": step["service"]})


def _sandbox(hands: Hands, step: Step) -> None:
    hands.cluster.sandbox(*step["sandbox"])


def _chart(hands: Hands, step: Step) -> None:
    """The same chart under another version, installed by Helm itself, as somebody would beside the roles."""
    copy = hands.folder / "falco"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(CHART, copy)
    about = yaml.safe_load((copy / "Chart.yaml").read_text())
    (copy / "Chart.yaml").write_text(yaml.safe_dump({**about, "version": str(step["chart"])}))
    hands.cluster.helm("upgrade", "falco", str(copy), "--namespace", "falco", "--reuse-values", "--wait")


def _play(hands: Hands, step: Step) -> None:
    outcome = hands.site.run(step["play"], extra=step.get("extra"))
    assert outcome.returncode == 0, outcome.output[-6000:]


def _until(hands: Hands, step: Step) -> None:
    wait_for(
        lambda: hands.cluster.kubectl(*map(str, step["until"])).strip() == str(step["is"]),
        180,
        f"{' '.join(map(str, step['until']))} = {step['is']}",
    )


def _until_node(hands: Hands, step: Step) -> None:
    command = ["exec", step["until_node"], "--", "sh", "-c", step["run"]]

    def succeeds() -> bool:
        try:
            hands.cluster.sandbox(*command)
        except (AssertionError, subprocess.SubprocessError):
            return False
        return True

    wait_for(succeeds, 120, f"{step['run']} on {step['until_node']}")


KINDS: dict[str, Callable[[Hands, Step], None]] = {
    "kubectl": _kubectl,
    "until_node": _until_node,
    "until": _until,
    "service": _service,
    "sandbox": _sandbox,
    "chart": _chart,
    "play": _play,
    "node": _node,
}
