"""Pods of a run go away with it: when it ends, when it fails, and when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.probe.cluster.workspace import Workspace, sweep

from ...kube.fake_api import serve
from ..jobs import JobsApi

ROOT = Path(__file__).resolve().parents[4]
PROGRAM = """
import sys, time
sys.path[:0] = [sys.argv[1]]
from tests.conftest import pytest_configure
pytest_configure()
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import connect
from ansible_collections.falconet.k8s.plugins.module_utils.probe.cluster.workspace import Workspace
with Workspace(connect({"host": sys.argv[2]}), "image") as workspace:
    workspace.job("one", {"containers": []})
    workspace.job("two", {"containers": []}, namespace="elsewhere")
    print("ready", flush=True)
    time.sleep(float(sys.argv[3]))
"""


@pytest.fixture
def jobs() -> Iterator[JobsApi]:
    api = JobsApi()
    api.collections["/api/v1/namespaces"] = []
    with serve(api):
        yield api


def left(api: JobsApi) -> list[str]:
    """Names of all that is there."""
    parts = ("/jobs", "/pods", "/namespaces", "/networkpolicies")
    return [
        item["metadata"]["name"] for path, items in api.collections.items() if path.endswith(parts) for item in items
    ]


def start(api: JobsApi, seconds: float) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", PROGRAM, str(ROOT), api.url, str(seconds)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert len(left(api)) == 5
    return process


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_killed_run_leaves_nothing(jobs: JobsApi) -> None:
    process = start(jobs, 60)
    os.killpg(process.pid, signal.SIGKILL)
    # Whoever reads the output of the run does not wait for its guard.
    assert process.communicate(timeout=5)[0] == ""
    wait_until(lambda: left(jobs) == [])


def test_the_guard_ends_with_the_run(jobs: JobsApi) -> None:
    process = start(jobs, 0)
    assert process.wait(20) == 0
    assert left(jobs) == []
    sessions = [path for path in Path("/proc").glob("[0-9]*/cmdline") if _holds(path, jobs.url)]
    assert sessions == []


def _holds(path: Path, text: str) -> bool:
    try:
        return text.encode() in path.read_bytes()
    except OSError:
        return False


def test_a_run_that_fails_removes_what_it_made(jobs: JobsApi) -> None:
    def fail() -> None:
        with Workspace(connect({"host": jobs.url}), "image") as workspace:
            workspace.job("one", {"containers": []})
            raise KubeError("the test wants it")

    with pytest.raises(KubeError, match="the test wants it"):
        fail()
    assert left(jobs) == []


def test_a_namespace_that_cannot_be_made_is_the_reason_that_is_told(jobs: JobsApi) -> None:
    jobs.faults = lambda method, _path, _query: (403, {"reason": "Forbidden"}) if method != "GET" else None
    with pytest.raises(KubeError, match="patch namespaces"), Workspace(connect({"host": jobs.url}), "image"):
        pass


def test_pods_and_what_belongs_to_them_have_a_deadline(jobs: JobsApi) -> None:
    with Workspace(connect({"host": jobs.url}), "image", namespace="tools", deadline_seconds=77) as workspace:
        made = workspace.job("one", {"containers": []})
        assert made["spec"]["activeDeadlineSeconds"] == 77
        assert made["spec"]["ttlSecondsAfterFinished"] == 0
        reference = workspace.owner("one")
        assert (reference["kind"], reference["name"]) == ("Job", made["metadata"]["name"])
        assert jobs.collections["/api/v1/namespaces"] == []
    assert left(jobs) == []


def test_only_namespaces_of_runs_whose_time_is_over_are_swept(jobs: JobsApi) -> None:
    def space(name: str, deadline: str) -> dict[str, Any]:
        labels = {"app.kubernetes.io/managed-by": "falconet.k8s", "falconet.k8s/probe-run": "1"}
        return {"metadata": {"name": name, "labels": labels, "annotations": {"falconet.k8s/deadline": deadline}}}

    jobs.collections["/api/v1/namespaces"] = [
        space("falconet-probe-old", "100"),
        space("falconet-probe-new", "300"),
        space("falconet-probe-odd", "soon"),
        space("prod", "100"),
    ]
    assert sweep(connect({"host": jobs.url}), lambda: 200) == ["falconet-probe-old"]


def test_a_pod_that_cannot_start_says_why_and_the_others_are_told_apart(jobs: JobsApi) -> None:
    with Workspace(connect({"host": jobs.url}), "image", namespace="tools") as workspace:
        workspace.job("one", {"containers": []})
        workspace.job("two", {"containers": []})
        waiting = {"waiting": {"reason": "ErrImageNeverPull", "message": "no such image"}}
        jobs.pods("tools")[1]["status"] = {"phase": "Pending", "containerStatuses": [{"state": waiting}]}
        found = workspace.start(["one", "two"], 5)
        assert not isinstance(found["one"], KubeError)
        assert "ErrImageNeverPull no such image" in str(found["two"])
        with pytest.raises(KubeError, match="ErrImageNeverPull"):
            workspace.pods(["one", "two"], 5)
