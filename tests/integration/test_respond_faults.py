"""A response on a live cluster whose API server goes away, and one that is killed: the pod is held in the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .cluster import Cluster, wait_for
from .probing import OURS, apply, running_system, start, traceless
from .test_netpol_faults import answers, probers
from .test_netpol_quarantine import ALLOW_ALL, LABEL, backends, quarantine
from .test_rulebook import alert

pytestmark = [pytest.mark.cluster, pytest.mark.long]

KILL_API_SERVER = (
    "for p in /proc/[0-9]*; do grep -aq '^kube-apiserver' $p/cmdline 2>/dev/null && kill -9 ${p#/proc/}; done; true"
)


@pytest.fixture(scope="module")
def system(cluster: Cluster) -> Iterator[None]:
    with running_system(cluster):
        apply(cluster, ALLOW_ALL)
        yield


def options(pod: str, directory: Path) -> dict[str, Any]:
    ladder = [{"name": "all", "steps": ["note", "collect", "quarantine"]}]
    limits = {"dry_run": False, "share_up": 0}
    return {"alert": json.dumps(alert(pod)), "ladder": ladder, "limits": limits, "dest": str(directory)}


def labels(cluster: Cluster, pod: str) -> dict[str, str]:
    found: dict[str, str] = cluster.get("pod", pod, "-n", OURS)["metadata"]["labels"]
    return found


def let_go(cluster: Cluster, pod: str) -> None:
    quarantine(pod=pod, state="released")
    cluster.kubectl("-n", OURS, "delete", "pod", pod, "--wait=true", "--ignore-not-found")
    wait_for(lambda: len(backends(cluster)) == 2, 60, "two pods")


def test_an_api_server_that_goes_away_in_the_middle_is_waited_for(
    system: None, cluster: Cluster, tmp_path: Path
) -> None:
    pod = backends(cluster)[0]
    run = start(options(pod, tmp_path), "incident_respond")
    wait_for(lambda: probers(cluster, run), 60, "the privileged pods")
    cluster.sandbox("exec", "cp01", "--", "sh", "-c", KILL_API_SERVER)
    result = run.result()
    wait_for(lambda: answers(cluster), 90, "the API server to be back")
    assert result.get("problems") == [], result
    assert (result["held"]["proven"], result["shown"]["open"], result["shown"]["closed"] > 0) == (True, [], True)
    assert LABEL in labels(cluster, pod)
    let_go(cluster, pod)
    traceless(cluster)


def test_a_run_that_is_killed_is_finished_by_the_next(system: None, cluster: Cluster, tmp_path: Path) -> None:
    pod = backends(cluster)[0]
    run = start(options(pod, tmp_path), "incident_respond")
    wait_for(lambda: probers(cluster, run), 60, "the privileged pods")
    run.kill()
    # Its guard removes its pods; the next run holds the pod whatever this one came to.
    traceless(cluster)
    result = start(options(pod, tmp_path), "incident_respond").result()
    assert result.get("problems") == [], result
    assert LABEL in labels(cluster, pod)
    (own,) = cluster.get("networkpolicies", "-n", OURS, "-l", LABEL)["items"]
    assert own["spec"]["podSelector"]["matchLabels"] == {LABEL: labels(cluster, pod)[LABEL]}
    let_go(cluster, pod)
    assert cluster.get("networkpolicies", "-n", OURS, "-l", LABEL)["items"] == []
