"""incident_respond while things break: killed at a moment, alerts about the same pod at once, pods that come and go."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.falconet.k8s.plugins.module_utils.live_respond.options import ARGUMENTS, done
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.names import LABEL, LABELS

from ..kube.fake_api import Answer
from .test_incident_respond import LADDER, alert, api, labels, respond, why, without_privileged_pods
from .test_netpol_quarantine import PODS, POLICIES, Cluster

__all__ = ["api"]
ROOT = Path(__file__).resolve().parents[3]
#: A run of its own, of which nothing is left once it is killed.
PROGRAM = (
    "import sys, json; sys.path[:0] = [sys.argv[1]];"
    "from tests.conftest import pytest_configure; pytest_configure();"
    "from tests.unit.module_runner import run_module;"
    "print(json.dumps(run_module('incident_respond', json.loads(sys.argv[2]))))"
)


def options(cluster: Cluster, directory: Path) -> dict[str, Any]:
    about = {"host": cluster.url, "alert": alert(), "ladder": LADDER, "limits": {"dry_run": False}, "probe": False}
    return {**about, "dest": str(directory), "work_namespace": "probes"}


def patches_the_pod(method: str, path: str) -> bool:
    return method == "PATCH" and path.startswith(PODS)


@pytest.mark.parametrize("moment", ["before the label", "after the label"])
def test_a_run_that_is_killed_around_the_label_is_finished_by_the_next(
    api: Cluster, tmp_path: Path, moment: str
) -> None:
    reached, killed = threading.Event(), threading.Event()

    def stop(method: str, path: str, query: dict[str, list[str]]) -> Answer | None:
        held = LABEL in labels(api)
        if not killed.is_set() and (held if moment == "after the label" else patches_the_pod(method, path)):
            reached.set()
            killed.wait(30)
            return 500, {"message": "nobody waits for this"}
        return without_privileged_pods(method, path, query)

    api.faults = stop
    command = [sys.executable, "-c", PROGRAM, str(ROOT), json.dumps(options(api, tmp_path))]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert reached.wait(60)
    run.kill()
    run.communicate()
    killed.set()
    own = [one["metadata"]["name"] for one in api.collections[POLICIES] if one["metadata"]["name"] != "allow-all"]
    assert len(own) == 1, "the policy comes first"
    if moment == "before the label":
        assert labels(api) == {"app": "web", "hash": "1"}, "half a quarantine is none"

    result = respond(api, tmp_path)
    assert not result.get("failed"), result["msg"]
    assert LABEL in labels(api)
    assert "app" not in labels(api)
    (kept,) = [json.loads(one.read_text()) for one in Path(result["directory"]).glob("timeline.json")]
    assert len(kept) == 1, "the run that was killed has noted nothing"
    assert why(result, "quarantine").startswith("pod prod/web-1 is held") is (moment == "after the label")


def test_two_rulebooks_at_once_hold_the_pod_once(api: Cluster, tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=30)
    met = threading.Event()

    def together(method: str, path: str, query: dict[str, list[str]]) -> Answer | None:
        if patches_the_pod(method, path) and not met.is_set():
            both.wait()
            met.set()
        return without_privileged_pods(method, path, query)

    api.faults = together

    def run(name: str) -> dict[str, Any]:
        checked = ArgumentSpecValidator(ARGUMENTS).validate(options(api, tmp_path / name))
        return done(checked.validated_parameters, False, False)

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(run, ["one", "other"]))
    assert [one.get("msg") for one in results] == [None, None]
    assert all(one["held"]["proven"] for one in results)
    (pod,) = [one for one in api.collections[PODS] if one["metadata"]["name"] == "web-1"]
    assert json.loads(pod["metadata"]["annotations"][LABELS]) == {"app": "web"}, "what was given up is kept"
    assert len(api.collections[POLICIES]) == 2


def test_a_rulebook_of_another_cluster_finds_nobody_and_does_nothing(api: Cluster, tmp_path: Path) -> None:
    api.collections[PODS] = [one for one in api.collections[PODS] if one["metadata"]["name"] != "web-1"]
    result = respond(api, tmp_path)
    assert result["plan"]["do"] == ["note"]
    assert why(result, "quarantine") == "pod prod/web-1 is gone"
    assert {method for method, *_rest in api.requests} == {"GET"}


def test_a_pod_that_goes_before_its_turn_is_told_and_nothing_is_left(api: Cluster, tmp_path: Path) -> None:
    def gone(method: str, path: str, query: dict[str, list[str]]) -> Answer | None:
        if path.endswith("/log"):
            api.collections[PODS] = [one for one in api.collections[PODS] if one["metadata"]["name"] != "web-1"]
        return without_privileged_pods(method, path, query)

    api.faults = gone
    result = respond(api, tmp_path)
    assert result["failed"] is True
    # It is computed how the pod is held while it is collected, so either may find it gone.
    found = {"quarantine: pod prod/web-1 is gone", "quarantine: there is no pod prod/web-1"}
    assert len(result["problems"]) == 1
    assert set(result["problems"]) <= found
    assert result["archive"], "what was known of it is kept"
    assert [one["metadata"]["name"] for one in api.collections[POLICIES]] == ["allow-all"]


@pytest.mark.parametrize(("seconds", "held"), [(-60, True), (1, True), (60, False)])
def test_a_pod_of_the_same_name_that_is_younger_than_the_alert_is_left_alone(
    api: Cluster, tmp_path: Path, seconds: int, held: bool
) -> None:
    made = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    for one in api.collections[PODS]:
        one["metadata"]["creationTimestamp"] = made.strftime("%Y-%m-%dT%H:%M:%SZ")
    result = respond(api, tmp_path)
    assert (LABEL in labels(api)) is held
    if not held:
        assert why(result, "quarantine").startswith("pod prod/web-1 is another one, made at 2")


def test_labels_that_an_operator_puts_back_are_taken_by_the_next_alert_s_response(api: Cluster, tmp_path: Path) -> None:
    respond(api, tmp_path)
    (pod,) = [one for one in api.collections[PODS] if one["metadata"]["name"] == "web-1"]
    pod["metadata"]["labels"]["app"] = "web"
    result = respond(api, tmp_path)
    assert result["held"]["steps"] == ["change Pod web-1: without the labels app"]
    assert "app" not in labels(api)
    assert why(respond(api, tmp_path), "quarantine").startswith("pod prod/web-1 is held since ")
