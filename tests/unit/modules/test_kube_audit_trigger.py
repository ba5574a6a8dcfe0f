"""kube_audit_trigger sends what it says, takes back what it made, and tells what could not be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.k8s_audit.requests import LABELS, REFUSED

from ..kube.fake_api import Answer, FakeApi, serve
from ..module_runner import run_module

ACCOUNTS = "/api/v1/namespaces/kube-system/serviceaccounts"
LEFT_BEHIND = ("serviceaccounts", "configmaps", "secrets", "services")


@pytest.fixture
def api() -> Iterator[FakeApi]:
    server = FakeApi()
    for namespace in ("default", "kube-system"):
        server.collections |= {f"/api/v1/namespaces/{namespace}/{plural}": [] for plural in LEFT_BEHIND}
    server.collections["/api/v1/namespaces"] = []
    with serve(server):
        yield server


def trigger(api: FakeApi, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module("kube_audit_trigger", {"host": api.url, **options}, check_mode=check_mode)


def written(api: FakeApi) -> list[str]:
    return [f"{method} {path}" for method, path, _query, _body in api.requests if method != "GET"]


def test_without_rules_the_refused_ones_are_sent_and_nothing_is_deleted(api: FakeApi) -> None:
    api.faults = lambda method, path, query: None if method == "GET" else (422, {"kind": "Status", "message": "no"})
    found = trigger(api)
    assert [one["rule"] for one in found["sent"]] == list(REFUSED)
    assert {one["status"] for one in found["sent"]} == {422}
    assert (found["changed"], found["left"]) == (False, [])
    assert not [one for one in written(api) if one.startswith("DELETE")]
    marks = [one["mark"] for one in found["sent"]]
    assert len(set(marks)) == len(marks)
    assert found["expected"][0] == {"name": found["sent"][0]["name"], "rule": REFUSED[0], "contains": [marks[0]]}


def test_what_is_made_is_gone_at_the_end(api: FakeApi) -> None:
    found = trigger(api, rules=["Service Account Created in Kube Namespace", "K8s Secret Get Successfully"])
    assert [one["status"] for one in found["sent"]] == [200, 200]
    assert api.collections[ACCOUNTS] == []
    assert api.collections["/api/v1/namespaces/default/secrets"] == []


def test_what_a_killed_run_left_goes_and_what_stays_is_told(api: FakeApi) -> None:
    api.collections[ACCOUNTS] = [{"metadata": {"name": "falconet-audit-old-00", "labels": LABELS}}]
    rule = "Service Account Created in Kube Namespace"

    def kept(method: str, path: str, query: dict[str, list[str]]) -> Answer | None:
        new = method == "DELETE" and "falconet-audit-old" not in path
        return (403, {"kind": "Status", "reason": "Forbidden", "message": "no"}) if new else None

    api.faults = kept
    found = trigger(api, rules=[rule])
    [left] = found["left"]
    assert left.startswith(f"{ACCOUNTS}/falconet-audit-")
    assert "answers 403 to its deletion" in left
    assert [one["metadata"]["name"] for one in api.collections[ACCOUNTS]] == [found["sent"][0]["mark"]]


def test_check_mode_sends_nothing(api: FakeApi) -> None:
    assert trigger(api, check_mode=True)["sent"] == []
    assert api.requests == []


def test_an_unknown_rule_is_told_with_the_nearest_name(api: FakeApi) -> None:
    said = trigger(api, rules=["Create Priviliged Pod"])
    assert said["failed"]
    assert "Did you mean 'Create Privileged Pod'?" in said["msg"]
    assert api.requests == []


def pod(name: str, ready: str) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}]
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "app"}]}, "status": {"conditions": conditions}}


def test_a_session_is_opened_in_a_pod_that_is_ready(api: FakeApi) -> None:
    api.collections["/api/v1/namespaces/prod/pods"] = [pod("starting", "False"), pod("web-1", "True")]
    asked: list[tuple[str, list[str]]] = []

    def script(path: str, argv: list[str], stdin: bytes) -> tuple[str, int]:
        asked.append((path, argv))
        return "", 127

    api.exec = script
    found = trigger(api, rules=["Attach/Exec Pod"], session_namespace="prod")
    [sent] = found["sent"]
    assert sent["request"] == "POST /api/v1/namespaces/prod/pods/web-1/exec"
    assert [argv for _path, argv in asked] == [[sent["mark"]]]
    missing = trigger(api, rules=["Attach/Exec Pod"], session_namespace="prod", session_pod="gone")
    assert "no pod gone is ready in prod" in missing["msg"]
