"""incident_respond through its real main(): what is done and in which order, what keeps it from that, what is noted."""

from __future__ import annotations

import copy
import importlib
import json
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.names import LABEL

from ..kube.cluster import COLLECTIONS, namespace, policy
from ..kube.fake_api import Answer, serve
from ..module_runner import MODULES, run_module
from .test_netpol_quarantine import PODS, POLICIES, Cluster, pod

HOSTILE = "{{ lookup('pipe', 'id') }}"
LADDER = [{"name": "shells", "rules": ["Shell"], "steps": ["note", "collect", "quarantine"]}]
SETS, DEPLOYMENTS = "/apis/apps/v1/namespaces/prod/replicasets", "/apis/apps/v1/namespaces/prod/deployments"
SWITCH = "/api/v1/namespaces/falco/configmaps"


def without_privileged_pods(method: str, path: str, _query: dict[str, list[str]]) -> Answer | None:
    """Jobs are forbidden, as where nobody may start privileged pods; the log of a container is a line."""
    if method == "PATCH" and "/jobs/" in path:
        return 403, {"kind": "Status", "reason": "Forbidden", "message": "jobs is forbidden"}
    if path == "/api/v1":
        return 200, {"resources": [{"name": "events", "kind": "Event", "namespaced": True}]}
    return (200, b"a line\n") if path.endswith("/log") else None


@pytest.fixture
def api() -> Iterator[Cluster]:
    fake = Cluster()
    fake.collections = {path: [] for path in COLLECTIONS}
    fake.collections[COLLECTIONS[0]] = [namespace("prod")]
    fake.collections["/api/v1/nodes"] = [{"metadata": {"name": "n1"}, "spec": {}}]
    fake.collections[SETS] = [owned("ReplicaSet", "web", "Deployment")]
    fake.collections[DEPLOYMENTS] = [{**owned("Deployment", "web"), "spec": {"replicas": 2}}]
    fake.collections["/api/v1/namespaces/prod/events"] = []
    pods = [pod("web-1"), pod("web-2")]
    for number, one in enumerate(pods):
        one["metadata"]["uid"] = f"uid-{number}"
        one["metadata"]["ownerReferences"] = [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "r", "controller": True}
        ]
        one["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
        one["status"]["containerStatuses"] = [{"name": "main", "restartCount": 0}]
    fake.collections[PODS] = pods
    allow = policy("prod", "allow-all", policyTypes=["Ingress", "Egress"], ingress=[{}], egress=[{}])
    allow["metadata"]["resourceVersion"] = "1"
    fake.collections[POLICIES] = [allow]
    fake.faults = without_privileged_pods
    with serve(fake):
        yield fake


def owned(kind: str, name: str, by: str = "") -> dict[str, Any]:
    owner = [{"apiVersion": "apps/v1", "kind": by, "name": name, "uid": "d", "controller": True}] if by else []
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "prod", "ownerReferences": owner},
        "spec": {"selector": {"matchLabels": {"app": "web"}}},
    }


def alert(**more: Any) -> str:
    time = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = {"k8s.ns.name": "prod", "k8s.pod.name": "web-1", "proc.cmdline": HOSTILE}
    found = {"rule": "Shell", "priority": "Warning", "time": time, "output_fields": fields, **more}
    return quote(json.dumps(found))


def respond(api: Cluster, tmp_path: Path, check_mode: bool = False, **args: Any) -> dict[str, Any]:
    given = {
        "host": api.url,
        "alert": alert(),
        "ladder": LADDER,
        "limits": {"dry_run": False},
        "dest": str(tmp_path / "incidents"),
        "work_namespace": "probes",
        "probe": False,
    }
    return run_module("incident_respond", {**given, **args}, check_mode=check_mode, diff_mode=True)


def why(result: dict[str, Any], step: str) -> str:
    return next(str(one["why"]) for one in result["plan"]["steps"] if one["step"] == step)


def labels(api: Cluster) -> dict[str, str]:
    return dict(next(one["metadata"]["labels"] for one in api.collections[PODS] if one["metadata"]["name"] == "web-1"))


def test_what_is_known_is_kept_before_the_pod_is_held_and_all_of_it_is_noted(api: Cluster, tmp_path: Path) -> None:
    result = respond(api, tmp_path, minutes=60)
    assert not result.get("failed"), result["msg"]
    assert [one["what"] for one in result["timeline"]] == [
        "event",
        "response began",
        "collected",
        "held, proven by analysis",
    ]
    directory = Path(result["directory"])
    assert {stat.S_IMODE(one.stat().st_mode) for one in directory.iterdir()} == {0o600}
    with tarfile.open(result["archive"]) as archive:
        kept = json.loads(archive.extractfile("pod.json").read())  # type: ignore[union-attr]  # it is a file
    assert kept["metadata"]["labels"] == {"app": "web", "hash": "1"}, "collected before the labels were taken"
    assert LABEL in labels(api)
    (noted,) = json.loads((directory / "timeline.json").read_text())
    assert noted["timeline"] == result["timeline"]
    assert json.loads((directory / "alert.json").read_text())["output_fields"]["proc.cmdline"] == HOSTILE
    assert "jobs is forbidden" in noted_missing(result)["processes.txt"]
    assert respond(api, tmp_path)["changed"] is False


def noted_missing(result: dict[str, Any]) -> dict[str, str]:
    with tarfile.open(result["archive"]) as archive:
        found = json.loads(archive.extractfile("manifest.json").read())  # type: ignore[union-attr]  # it is a file
    return dict(found["missing"])


def test_a_second_alert_about_the_pod_does_nothing_more_and_says_so(api: Cluster, tmp_path: Path) -> None:
    respond(api, tmp_path)
    before = copy.deepcopy(api.collections)
    again = respond(api, tmp_path)
    assert again["plan"]["do"] == ["note"]
    assert why(again, "collect").startswith("what is known was kept at ")
    assert why(again, "quarantine").startswith("pod prod/web-1 is held since ")
    assert api.collections == before
    assert len(list(Path(again["directory"]).glob("*.tar.gz"))) == 1
    assert len(json.loads((Path(again["directory"]) / "timeline.json").read_text())) == 2


@pytest.mark.parametrize(
    ("limits", "args", "said"),
    [
        ({"dry_run": True}, {}, "dry run"),
        ({"pods_per_hour": 0}, {}, "0 pods were held within the hour, and 0 are the most"),
        ({"share_up": 0.9}, {}, "1 of 2 pods of its workload would stay up, fewer than 90%"),
        ({"protected_namespaces": ["prod"]}, {}, "pods of prod are protected"),
        ({"oldest_minutes": 5}, {"time": "2026-03-01T10:00:00Z"}, "the alert is older than 5 minutes"),
        ({}, {"output_fields": {}}, "the alert is about no pod"),
        ({}, {"output_fields": {"k8s.ns.name": "prod", "k8s.pod.name": "gone-1"}}, "pod prod/gone-1 is gone"),
    ],
)
def test_a_limit_keeps_the_pod_from_being_held_and_is_named(
    api: Cluster, tmp_path: Path, limits: dict[str, Any], args: dict[str, Any], said: str
) -> None:
    result = respond(api, tmp_path, alert=alert(**args), limits={"dry_run": False, **limits})
    assert not result.get("failed"), result["msg"]
    assert why(result, "quarantine") == said
    assert LABEL not in labels(api)
    assert (Path(result["directory"]) / "timeline.json").exists()


def test_a_pod_of_kube_system_is_never_held(api: Cluster, tmp_path: Path) -> None:
    system = copy.deepcopy(api.collections[PODS][0])
    system["metadata"].update(name="dns", namespace="kube-system")
    api.collections["/api/v1/namespaces/kube-system/pods"] = [system]
    fields = {"k8s.ns.name": "kube-system", "k8s.pod.name": "dns"}
    result = respond(api, tmp_path, alert=alert(output_fields=fields), ladder=[{"name": "a", "steps": ["quarantine"]}])
    assert why(result, "quarantine") == "pods of kube-system are protected"


def test_the_kill_switch_stops_everything_and_its_reason_is_told(api: Cluster, tmp_path: Path) -> None:
    switch = {"metadata": {"name": "falconet-respond", "namespace": "falco"}, "data": {"stopped": f"we look {HOSTILE}"}}
    api.collections[SWITCH] = [switch]
    result = respond(api, tmp_path)
    assert why(result, "collect") == f"responses are stopped: we look {HOSTILE}"
    assert result["plan"]["do"] == ["note"]


def test_an_api_server_that_goes_away_in_the_middle_fails_the_run_and_the_next_one_finishes_it(
    api: Cluster, tmp_path: Path
) -> None:
    def away(method: str, path: str, query: dict[str, list[str]]) -> Answer | None:
        if method == "PATCH" and path.startswith(PODS):
            return 500, {"message": "gone"}
        return without_privileged_pods(method, path, query)

    api.faults = away
    result = respond(api, tmp_path)
    assert result["failed"] is True
    assert [one.split(":")[0] for one in result["problems"]] == ["quarantine"]
    assert "quarantine failed" in [one["what"] for one in result["timeline"]]
    assert LABEL not in labels(api)
    kept = json.loads((Path(result["directory"]) / "timeline.json").read_text())
    assert "gone" in kept[0]["problems"][0]
    api.faults = without_privileged_pods
    assert not respond(api, tmp_path).get("failed")
    assert LABEL in labels(api)


def test_a_log_that_cannot_be_written_to_the_disk_keeps_the_pod_from_nothing(api: Cluster, tmp_path: Path) -> None:
    def full(method: str, path: str, query: dict[str, list[str]]) -> Answer | None:
        if path.endswith("/web-1") and method == "GET" and LABEL not in labels(api):
            return 404, {"kind": "Status", "reason": "NotFound", "message": "not found"}
        return without_privileged_pods(method, path, query)

    api.faults = full
    result = respond(api, tmp_path, ladder=[{"name": "a", "steps": ["collect"]}])
    assert result["problems"] == ["collect: there is no pod prod/web-1"]


def test_rights_that_are_missing_are_named(api: Cluster, tmp_path: Path) -> None:
    def forbidden(_method: str, path: str, _query: dict[str, list[str]]) -> Answer | None:
        if "/configmaps/" in path:
            return 403, {"kind": "Status", "reason": "Forbidden", "message": "configmaps is forbidden"}
        return None

    api.faults = forbidden
    result = respond(api, tmp_path)
    assert result["failed"] is True
    assert "get" in result["hint"]
    assert "configmaps" in result["hint"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("delete", "Pod web-1 is deleted"),
        ("scale", "Deployment web is scaled to zero"),
        ("cordon", "Node n1 takes no further pods"),
    ],
)
def test_stop_ends_what_runs(api: Cluster, tmp_path: Path, how: str, words: str) -> None:
    result = respond(api, tmp_path, ladder=[{"name": "a", "steps": ["stop"]}], stop=how)
    assert not result.get("failed"), result["msg"]
    assert (result["timeline"][-1]["what"], result["timeline"][-1]["detail"]) == ("stopped", words)
    assert {
        "delete": [one["metadata"]["name"] for one in api.collections[PODS]] == ["web-2"],
        "scale": api.collections[DEPLOYMENTS][0]["spec"]["replicas"] == 0,
        "cordon": api.collections["/api/v1/nodes"][0]["spec"].get("unschedulable"),
    }[how]


def test_check_mode_stops_nobody_and_keeps_nothing(api: Cluster, tmp_path: Path) -> None:
    before = copy.deepcopy(api.collections)
    ladder = [{"name": "a", "steps": ["collect", "quarantine", "stop"]}]
    result = respond(api, tmp_path, check_mode=True, ladder=ladder)
    assert result["changed"] is True
    assert "change Pod web-1: without the labels app" in result["diff"]["prepared"]
    assert api.collections == before
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_scaled_is_told_with_what_can_be_done(api: Cluster, tmp_path: Path) -> None:
    for one in api.collections[PODS]:
        del one["metadata"]["ownerReferences"]
    result = respond(api, tmp_path, ladder=[{"name": "a", "steps": ["stop"]}], stop="scale")
    assert result["problems"] == [
        "stop: nothing can be scaled to zero: no workload owns the pod. Delete the pod, or cordon its node."
    ]


# Approvals


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Two keys, of which one may approve."""
    for name in ("mine", "foreign"):
        quiet = ["-q", "-t", "ed25519", "-N", "", "-C", name]
        subprocess.run(["ssh-keygen", *quiet, "-f", str(tmp_path / name)], check=True)
    public = (tmp_path / "mine.pub").read_text().split()
    (tmp_path / "allowed").write_text(f"oncall@example.org {public[0]} {public[1]}\n")
    return tmp_path


def sign(keys: Path, file: Path, key: str = "mine", purpose: str = "falconet.k8s.respond") -> Path:
    quiet = {"check": True, "capture_output": True}
    file.with_name(f"{file.name}.sig").unlink(missing_ok=True)
    subprocess.run(["ssh-keygen", "-Y", "sign", "-f", str(keys / key), "-n", purpose, str(file)], **quiet)  # type: ignore[call-overload]  # options of run
    return file


WAITING = [{"name": "a", "steps": ["quarantine", "stop"], "approve": ["quarantine", "stop"]}]


def asked(api: Cluster, tmp_path: Path) -> Path:
    """What somebody is asked to sign."""
    result = respond(api, tmp_path, ladder=WAITING)
    assert why(result, "quarantine") == "it waits for somebody who approves"
    return Path(result["directory"]) / "question.json"


def test_a_signed_answer_approves_and_who_signed_stands_in_the_timeline(
    api: Cluster, tmp_path: Path, keys: Path
) -> None:
    question = asked(api, tmp_path)
    data = json.loads(question.read_text())
    assert (data["approve"], data["pod"]) == (["quarantine", "stop"], "web-1")
    question.write_text(json.dumps({**data, "approve": ["quarantine"]}))
    allowed = str(keys / "allowed")
    result = respond(api, tmp_path, ladder=WAITING, answer=str(sign(keys, question)), allowed_signers=allowed)
    assert not result.get("failed"), result["msg"]
    assert result["plan"]["do"] == ["quarantine"]
    assert why(result, "stop") == "it waits for somebody who approves"
    assert result["timeline"][2]["detail"] == "quarantine by oncall@example.org"
    assert LABEL in labels(api)


@pytest.mark.parametrize(
    ("change", "how", "said"),
    [
        ({}, {"key": "foreign"}, "is not signed by somebody who may"),
        ({}, {"purpose": "falconet.k8s"}, "is not signed by somebody who may"),
        ({"incident": "0" * 12}, {}, "the answer is about another incident"),
        ({"until": "2026-01-01T00:00:00Z"}, {}, "sign a new one"),
        ({"approve": "stop"}, {}, "the answer has no list of steps"),
        ({"approve": ["delete everything"]}, {}, "no step is called so"),
    ],
)
def test_any_other_answer_does_not_count(
    api: Cluster, tmp_path: Path, keys: Path, change: dict[str, Any], how: dict[str, str], said: str
) -> None:
    question = asked(api, tmp_path)
    question.write_text(json.dumps({**json.loads(question.read_text()), **change}))
    allowed = str(keys / "allowed")
    signed = str(sign(keys, question, **how))
    result = respond(api, tmp_path, ladder=WAITING, answer=signed, allowed_signers=allowed)
    assert result["failed"] is True
    assert said in result["msg"]
    assert LABEL not in labels(api)


def test_an_answer_that_was_changed_after_it_was_signed_does_not_count(
    api: Cluster, tmp_path: Path, keys: Path
) -> None:
    question = sign(keys, asked(api, tmp_path))
    question.write_text(question.read_text() + " ")
    result = respond(api, tmp_path, ladder=WAITING, answer=str(question), allowed_signers=str(keys / "allowed"))
    assert "is not signed by somebody who may" in result["msg"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"alert": "{"}, "the alert is no JSON"),
        ({"alert": quote('{"rule": "x", "priority": "HIGH"}')}, "priority is 'HIGH'"),
        ({"ladder": []}, "respond_ladder: a list with at least one rung"),
        ({"allow_cidrs": ["10.0.0.5/99"]}, "allow_cidrs: '10.0.0.5/99' is no block"),
        ({"minutes": 0}, "minutes: at least 1"),
        ({"limits": {"share_up": 2}}, "share_up: a number from 0 to 1"),
        ({"dest": "/proc/nowhere"}, "the incident cannot be kept"),
        ({"answer": "/nowhere", "allowed_signers": "/nowhere"}, "the incident cannot be kept"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_done(
    api: Cluster, tmp_path: Path, args: dict[str, Any], said: str
) -> None:
    result = respond(api, tmp_path, **args)
    assert result["failed"] is True
    assert said in result["msg"]


def test_results_are_as_documented(api: Cluster, tmp_path: Path) -> None:
    documented = yaml.safe_load(importlib.import_module(f"{MODULES}.incident_respond").RETURN)
    result = respond(api, tmp_path)
    assert set(documented) <= set(result)
    assert set(result["timeline"][0]) == set(documented["timeline"]["sample"][0])
