"""cluster_objects_info through its main(): what variables name exists, or is told with the nearest that does."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..kube.fake_api import FakeApi, serve
from ..module_runner import run_module

CORE = "/api/v1"


def named(*names: str, **more: Any) -> list[dict[str, Any]]:
    return [{"metadata": {"name": name, "managedFields": [{}]}, **more} for name in names]


@pytest.fixture
def api() -> Iterator[FakeApi]:
    running = FakeApi()
    with serve(running):
        running.collections = {
            f"{CORE}/namespaces": named("falco", "prod"),
            f"{CORE}/nodes": named("cp01", "worker01"),
            f"{CORE}/namespaces/falco/secrets": named("channels", data={"SLACK_WEBHOOKURL": "aHR0cHM6c2VjcmV0"}),
            "/apis/scheduling.k8s.io/v1/priorityclasses": named("high-priority", "system-node-critical"),
            "/apis/storage.k8s.io/v1/storageclasses": [],
        }
        yield running


def ask(api: FakeApi, *subjects: dict[str, Any], **options: Any) -> dict[str, Any]:
    return run_module("cluster_objects_info", {"host": api.url, "subjects": list(subjects), **options})


def test_what_exists_is_returned_without_values(api: FakeApi) -> None:
    secret = {"kind": "Secret", "name": "channels", "namespace": "falco", "variable": "falco_outputs_existing_secret"}
    result = ask(api, secret, {"kind": "PriorityClass", "name": ""}, kinds=["Node"])
    assert result["missing"] == []
    assert result["changed"] is False
    assert result["subjects"] == [{**secret, "keys": ["SLACK_WEBHOOKURL"]}]
    assert [node["metadata"] for node in result["objects"]["Node"]] == [{"name": "cp01"}, {"name": "worker01"}]
    assert "aHR0cHM6c2VjcmV0" not in str(result)


@pytest.mark.parametrize(
    ("subject", "told"),
    [
        (
            {"kind": "PriorityClass", "name": "high-priorty", "variable": "falco_priority_class"},
            "falco_priority_class: there is no PriorityClass high-priorty in the cluster; did you mean high-priority?",
        ),
        (
            {"kind": "PriorityClass", "name": "x", "hint": "Make it first."},
            "there is no PriorityClass x in the cluster; it has high-priority, system-node-critical. Make it first.",
        ),
        ({"kind": "StorageClass", "name": "fast"}, "it has no StorageClass at all."),
        (
            {"kind": "Secret", "name": "pull", "namespace": "flaco", "variable": "falco_image_pull_secrets"},
            "falco_image_pull_secrets: there is no Secret pull in namespace flaco, which does not exist itself.",
        ),
        ({"kind": "Namespace", "name": "prdo"}, "there is no Namespace prdo in the cluster; did you mean prod?"),
    ],
)
def test_what_does_not_exist_is_told_with_the_nearest(api: FakeApi, subject: dict[str, Any], told: str) -> None:
    result = ask(api, subject)
    assert result["failed"] is True
    assert told in result["msg"]


SERVICE_MONITOR = {"kind": "ServiceMonitor", "variable": "falco_service_monitor", "hint": "Install its CRDs."}


@pytest.mark.parametrize(
    ("annotations", "told"),
    [
        ({"storageclass.kubernetes.io/is-default-class": "true"}, []),
        (
            {"storageclass.kubernetes.io/is-default-class": "false"},
            ["v: none is named, and the cluster has no default StorageClass; it has fast. Or do without."],
        ),
    ],
)
def test_a_class_that_is_not_named_must_have_a_default(
    api: FakeApi, annotations: dict[str, str], told: list[str]
) -> None:
    classes = [{"metadata": {"name": "fast", "annotations": annotations}}]
    api.collections["/apis/storage.k8s.io/v1/storageclasses"] = classes
    subject = {"kind": "StorageClass", "variable": "v", "hint": "Or do without."}
    assert ask(api, {**subject, "default": True})["missing"] == told
    assert ask(api, subject)["missing"] == []


def test_a_default_that_nobody_may_look_for_is_not_missed(api: FakeApi) -> None:
    api.faults = lambda _method, path, _query: (403, {"message": "no"}) if path.endswith("classes") else None
    assert ask(api, {"kind": "StorageClass", "default": True})["missing"] == []


def test_an_ingress_class_is_offered_the_nearest(api: FakeApi) -> None:
    api.collections["/apis/networking.k8s.io/v1/ingressclasses"] = named("nginx", "traefik")
    assert "did you mean nginx?" in ask(api, {"kind": "IngressClass", "name": "ngnix"})["msg"]


@pytest.mark.parametrize(
    ("version", "served", "told"),
    [
        ("monitoring.coreos.com/v1", {"v1": ["ServiceMonitor"]}, []),
        (
            "monitoring.coreos.com/v1",
            {"v1": ["ServiceMonitors"]},
            ["of monitoring.coreos.com/v1; did you mean ServiceMonitors? Install its CRDs."],
        ),
        (
            "monitoring.coreos.com/v1",
            {"v1": ["Probe"]},
            ["of monitoring.coreos.com/v1; that has Probe. Install its CRDs."],
        ),
        ("monitoring.coreos.com/v1", {"v1beta1": ["Probe"]}, ["; of monitoring.coreos.com it has v1beta1. Install"]),
        ("monitoring.coreos.com/v1", {}, ["it has no API group monitoring.coreos.com. Install its CRDs."]),
    ],
)
def test_kinds_that_are_not_served(api: FakeApi, version: str, served: dict[str, list[str]], told: list[str]) -> None:
    def discovery(_method: str, path: str, _query: object) -> tuple[int, Any] | None:
        if not served or not path.startswith("/apis/monitoring.coreos.com"):
            return None
        rest = path.split("/")[3:]
        if not rest:
            return 200, {"versions": [{"version": one} for one in served]}
        if rest[0] not in served:
            return None
        kinds = [{"name": kind.lower(), "kind": kind, "namespaced": True} for kind in served[rest[0]]]
        return 200, {"resources": kinds}

    api.faults = discovery
    result = ask(api, apis=[{"api_version": version, **SERVICE_MONITOR}])
    assert len(result["missing"]) == len(told)
    for found, words in zip(result["missing"], told):
        assert found.startswith("falco_service_monitor: the cluster does not serve ServiceMonitor of ")
        assert words in found


def test_all_that_is_missing_is_told_at_once(api: FakeApi) -> None:
    result = ask(api, {"kind": "Namespace", "name": "a"}, {"kind": "StorageClass", "name": "b"})
    assert len(result["missing"]) == 2


def test_names_that_may_not_be_listed_are_not_needed(api: FakeApi) -> None:
    def only_by_name(_method: str, path: str, _query: object) -> tuple[int, Any] | None:
        return (403, {"message": "no"}) if path.endswith("/secrets") else None

    api.faults = only_by_name
    result = ask(api, {"kind": "Secret", "name": "chanels", "namespace": "falco"})
    assert result["msg"] == "there is no Secret chanels in namespace falco."


def test_secrets_are_never_returned_whole(api: FakeApi) -> None:
    assert "not returned whole" in ask(api, kinds=["Secret"])["msg"]


@pytest.fixture
def swallowing() -> Iterator[str]:
    """An address that answers no attempt to connect: the queue of its socket is full."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
            waiting.append(one)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        for one in waiting:
            one.close()


def test_an_address_that_swallows_packets_is_given_up_in_time(swallowing: str) -> None:
    began = time.monotonic()
    result = run_module("cluster_objects_info", {"host": swallowing, "answer_within_seconds": 3})
    assert result["failed"] is True
    assert "does not answer" in result["msg"]
    # Without the limit it takes more than a minute.
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("context", "told"),
    [
        ("prodution", "Its contexts are production, staging (current: staging)."),
        ("zzz", "Its contexts are production, staging (current: staging)."),
    ],
)
def test_a_context_that_there_is_not_names_those_that_there_are(tmp_path: Path, context: str, told: str) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}} for name in ("production", "staging")],
        "current-context": "staging",
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    result = run_module("cluster_objects_info", {"kubeconfig": str(path), "context": context})
    assert told in result["msg"]
