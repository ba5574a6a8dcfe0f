"""incident_collect through its real main(): what is kept, what is left out, what cannot be had, and who can read it."""

from __future__ import annotations

import hashlib
import json
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ..kube.fake_api import Answer, FakeApi, serve
from ..module_runner import run_module

PODS = "/api/v1/namespaces/prod/pods"
SECRET = "hunter2-planted"
ALERT = {"rule": "Shell", "output": "{{ lookup('pipe', 'id') }}"}


def pod() -> dict[str, Any]:
    container = {"name": "main", "env": [{"name": "PASSWORD", "value": SECRET}, {"name": "OTHER", "valueFrom": {}}]}
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": f'{{"env": "{SECRET}"}}'}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "controller": True}
    metadata = {
        "name": "web-1",
        "namespace": "prod",
        "uid": "u",
        "annotations": annotations,
        "ownerReferences": [owner],
    }
    statuses = [{"name": "main", "restartCount": 1}]
    spec = {"nodeName": "n1", "containers": [container], "initContainers": [dict(container, name="first")]}
    return {"metadata": metadata, "spec": spec, "status": {"containerStatuses": statuses}}


@pytest.fixture
def api() -> Iterator[FakeApi]:
    fake = FakeApi()
    template = {"spec": {"containers": [{"name": "main", "env": [{"name": "PASSWORD", "value": SECRET}]}]}}
    fake.collections = {
        PODS: [pod()],
        "/apis/apps/v1/namespaces/prod/replicasets": [
            {"metadata": {"name": "web", "namespace": "prod"}, "spec": {"template": template}}
        ],
        "/api/v1/namespaces/prod/events": [{"metadata": {"name": "e"}, "reason": "Started"}],
        "/apis/networking.k8s.io/v1/namespaces/prod/networkpolicies": [],
    }

    def also(method: str, path: str, query: dict[str, list[str]]) -> Answer | None:
        if path == "/api/v1":
            return 200, {"resources": [{"name": "events", "kind": "Event", "namespaced": True}]}
        if path == f"{PODS}/web-1/log" and "previous" in query:
            return 400, {"kind": "Status", "reason": "BadRequest", "message": "previous container not found"}
        return (200, b"a line\n") if path == f"{PODS}/web-1/log" else None

    fake.faults = also
    with serve(fake):
        yield fake


def collect(api: FakeApi, tmp_path: Path, check_mode: bool = False, **args: Any) -> dict[str, Any]:
    given = {"host": api.url, "namespace": "prod", "pod": "web-1", "dest": str(tmp_path / "kept"), "processes": False}
    return run_module("incident_collect", {**given, **args}, check_mode=check_mode)


def unpacked(result: dict[str, Any]) -> dict[str, bytes]:
    with tarfile.open(result["archive"]) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]  # all are files


def test_everything_that_can_be_had_is_kept_with_its_digest_and_the_rest_is_named(api: FakeApi, tmp_path: Path) -> None:
    result = collect(api, tmp_path, alert=quote(json.dumps(ALERT)), by="me")
    assert not result.get("failed"), result["msg"]
    files = unpacked(result)
    manifest = json.loads(files.pop("manifest.json"))
    assert sorted(files) == result["files"] == sorted(manifest["files"])
    assert set(files) == {"alert.json", "events.json", "logs/main.log", "owners.json", "pod.json", "policies.json"}
    for name, content in files.items():
        assert manifest["files"][name] == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert files["logs/main.log"] == b"a line\n"
    assert json.loads(files["alert.json"]) == ALERT
    assert manifest["by"] == "me"
    assert list(result["missing"]) == list(manifest["missing"]) == ["logs/main.previous.log"]
    assert "previous container not found" in result["missing"]["logs/main.previous.log"]
    assert any("logs/main.previous.log" in str(one) for one in result["warnings"])


def test_no_secret_of_a_container_s_environment_is_in_it(api: FakeApi, tmp_path: Path) -> None:
    files = unpacked(collect(api, tmp_path))
    assert [name for name, content in files.items() if SECRET.encode() in content] == []
    assert b"PASSWORD" in files["pod.json"]


def test_only_its_owner_can_read_it_and_its_digest_is_beside_it(api: FakeApi, tmp_path: Path) -> None:
    result = collect(api, tmp_path)
    archive = Path(result["archive"])
    beside = archive.with_name(f"{archive.name}.sha256")
    assert sorted(one.name for one in archive.parent.iterdir()) == [archive.name, beside.name]
    assert {stat.S_IMODE(one.stat().st_mode) for one in (archive, beside)} == {0o600}
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == result["sha256"]
    assert beside.read_text() == f"{result['sha256']}  {archive.name}\n"


def test_check_mode_asks_nothing_and_writes_nothing(api: FakeApi, tmp_path: Path) -> None:
    result = collect(api, tmp_path, check_mode=True)
    assert result["changed"] is True
    assert api.requests == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"pod": "nobody"}, "there is no pod prod/nobody"),
        ({"pod": "../../secrets/x"}, "pod is no name of Kubernetes"),
        ({"alert": "{"}, "the alert is no JSON"),
        ({"dest": "/proc/nowhere"}, "the archive cannot be written"),
    ],
)
def test_what_cannot_be_collected_is_told(api: FakeApi, tmp_path: Path, args: dict[str, Any], said: str) -> None:
    result = collect(api, tmp_path, **args)
    assert result["failed"] is True
    assert said in result["msg"]


def test_a_pod_that_is_on_no_node_is_collected_without_its_processes(api: FakeApi, tmp_path: Path) -> None:
    del api.collections[PODS][0]["spec"]["nodeName"]
    result = collect(api, tmp_path, processes=True)
    assert result["missing"]["processes.txt"] == "the pod is on no node yet"
    assert "pod.json" in result["files"]


def test_owners_that_go_in_a_circle_end(api: FakeApi, tmp_path: Path) -> None:
    sets = api.collections["/apis/apps/v1/namespaces/prod/replicasets"]
    sets[0]["metadata"]["ownerReferences"] = pod()["metadata"]["ownerReferences"]
    assert len(json.loads(unpacked(collect(api, tmp_path))["owners.json"])) == 4
