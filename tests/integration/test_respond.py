"""respond.yml and release.yml on a live cluster: a hostile alert, a pod that is collected, held, proven and let go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from .cluster import Cluster, wait_for
from .playbook import Site
from .probing import OURS, apply, running_system
from .test_netpol_quarantine import ALLOW_ALL, LABEL, backends

pytestmark = pytest.mark.cluster

LADDER = [{"name": "shells", "steps": ["note", "collect", "quarantine", "stop"], "approve": ["stop"]}]


@pytest.fixture(scope="module")
def system(cluster: Cluster) -> Iterator[None]:
    with running_system(cluster):
        apply(cluster, ALLOW_ALL)
        yield


def test_a_pod_is_collected_held_and_proven_without_a_hand_and_let_go(
    system: None, cluster: Cluster, site: Site, tmp_path: Path
) -> None:
    pod, planted = backends(cluster)[0], tmp_path / "planted"
    run = f"{{{{ lookup('pipe', 'touch {planted}') }}}}"
    time = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = {"k8s.ns.name": OURS, "k8s.pod.name": pod, "proc.cmdline": run}
    alert = tmp_path / "alert.json"
    alert.write_text(json.dumps({"rule": run, "priority": "Warning", "time": time, "output_fields": fields}))
    extra: dict[str, Any] = {"respond_alert_file": str(alert), "respond_ladder": LADDER, "respond_share_up": 0.5}
    extra["respond_directory"] = str(tmp_path / "incidents")

    before = cluster.digest()
    outcome = site.run("respond.yml", extra=extra)
    assert outcome.returncode == 0, outcome.output[-6000:]
    assert cluster.digest() == before, "a dry run changed something"
    assert "dry run" in outcome.output

    outcome = site.run("respond.yml", extra={**extra, "respond_dry_run": False})
    assert outcome.returncode == 0, outcome.output[-6000:]
    assert not planted.exists(), "text of an alert was run"
    assert "it waits for somebody who approves" in outcome.output
    (incident,) = (tmp_path / "incidents").iterdir()
    done = [one["what"] for one in json.loads((incident / "timeline.json").read_text())[-1]["timeline"]]
    assert done == [
        "event",
        "response began",
        "collected",
        "held, proven by analysis",
        "held, proven on the live network",
    ]
    assert len(list(incident.glob("*.tar.gz"))) == 1
    assert LABEL in cluster.get("pod", pod, "-n", OURS)["metadata"]["labels"]
    wait_for(lambda: len(backends(cluster)) == 2 and pod not in backends(cluster), 60, "a replacement")

    outcome = site.run("respond.yml", extra={**extra, "respond_dry_run": False})
    assert f"pod {OURS}/{pod} is held since" in " ".join(outcome.output.split())

    released = site.run("release.yml", extra={"respond_namespace": OURS, "respond_pod": pod})
    assert released.returncode == 0, released.output[-6000:]
    assert released.total_changed == 1
    assert site.run("release.yml").total_changed == 0
    assert cluster.get("networkpolicy", "allow-all", "-n", OURS)["spec"]["podSelector"] == {}


def test_an_alert_that_is_none_stops_before_anything_is_asked(site: Site, tmp_path: Path) -> None:
    alert = tmp_path / "alert.json"
    alert.write_text(json.dumps({"rule": "x", "priority": "HIGH", "output_fields": {"k8s.ns.name": "../x"}}))
    outcome = site.run("respond.yml", extra={"respond_alert_file": str(alert)})
    assert outcome.returncode != 0
    assert "priority is 'HIGH'" in outcome.output
    assert "Pods of the namespace are asked" not in outcome.tasks
    nothing = site.run("respond.yml")
    assert "Give the alert as respond_alert" in " ".join(nothing.output.split())
