"""The client: paging, retries, errors that name the missing permission, server-side apply, connection options."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.doc_fragments.cluster import ModuleDocFragment
from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import (
    ApiError,
    ConnectionFailedError,
    ForbiddenError,
    KubeError,
)
from ansible_collections.falconet.k8s.plugins.module_utils.kube.resource import KNOWN

from .fake_api import Answer, FakeApi

PODS = KNOWN["v1", "Pod"]
POLICIES = KNOWN["networking.k8s.io/v1", "NetworkPolicy"]


def _pods(count: int) -> list[dict[str, Any]]:
    return [{"metadata": {"name": f"p{n}", "namespace": "a"}} for n in range(count)]


def test_lists_are_read_page_by_page_and_items_get_their_kind(api: FakeApi, client: Client) -> None:
    api.collections["/api/v1/pods"] = _pods(1203)
    pods = client.list_all(PODS)
    assert [pod["metadata"]["name"] for pod in pods] == [f"p{n}" for n in range(1203)]
    assert {(pod["apiVersion"], pod["kind"]) for pod in pods} == {("v1", "Pod")}
    assert len(api.requests) == 3
    assert client.calls == 3


def test_a_list_that_expires_between_pages_is_read_again_in_one_piece(api: FakeApi, client: Client) -> None:
    api.collections["/api/v1/pods"] = _pods(700)
    api.faults = lambda _m, _p, query: (410, {"reason": "Expired"}) if "continue" in query else None
    assert len(client.list_all(PODS)) == 700
    assert "limit" not in api.requests[-1][2]


def test_the_token_travels_in_the_header(api: FakeApi, client: Client) -> None:
    api.collections["/api/v1/pods"] = []
    client.list_all(PODS)
    assert api.headers[0]["authorization"] == "Bearer planted-token"


def test_a_busy_server_is_asked_again(api: FakeApi, client: Client) -> None:
    api.collections["/api/v1/pods"] = _pods(1)
    answers: Iterator[Answer] = iter([(503, {}), (429, {})])
    api.faults = lambda *_args: next(answers, None)
    assert len(client.list_all(PODS)) == 1
    assert len(api.requests) == 3


def test_a_post_that_may_have_arrived_is_not_sent_twice(api: FakeApi, client: Client) -> None:
    api.faults = lambda *_args: (503, {"message": "busy"})
    with pytest.raises(ApiError) as caught:
        client.call("POST", PODS, "a", body={})
    assert caught.value.status == 503
    assert len(api.requests) == 1


def test_an_absent_server_is_named_with_the_reason() -> None:
    client = connect({"host": "http://127.0.0.1:9"}, patience_seconds=0.1)
    with pytest.raises(ConnectionFailedError, match=r"http://127\.0\.0\.1:9 does not answer: .*refused"):
        client.list_all(PODS)


@pytest.mark.parametrize(
    ("method", "name", "verb"),
    [("GET", "x", "get"), ("GET", None, "list"), ("PATCH", "x", "patch"), ("DELETE", "x", "delete")],
)
def test_forbidden_names_verb_and_resource(
    api: FakeApi, client: Client, method: str, name: str | None, verb: str
) -> None:
    api.faults = lambda *_args: (403, {"reason": "Forbidden", "message": "User cannot"})
    with pytest.raises(ForbiddenError) as caught:
        client.call(method, POLICIES, "prod", name)
    assert f"not allowed to {verb} networkpolicies.networking.k8s.io" in caught.value.message
    assert f'apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["{verb}"]' in caught.value.hint
    assert "namespace prod" in caught.value.hint


def test_bad_credentials_are_told_apart_from_missing_rights(api: FakeApi, client: Client) -> None:
    api.faults = lambda *_args: (401, {"reason": "Unauthorized", "message": "Unauthorized"})
    with pytest.raises(ForbiddenError, match="does not know these credentials"):
        client.list_all(PODS)


def test_an_error_page_of_a_proxy_is_shown_as_text(api: FakeApi, client: Client) -> None:
    api.faults = lambda *_args: (500, b"<html>bad gateway</html>")
    with pytest.raises(ApiError, match="bad gateway"):
        client.list_all(PODS)


def test_get_returns_none_for_what_is_not_there(client: Client) -> None:
    assert client.get(PODS, "x", "a") is None


def test_apply_names_its_field_manager_and_leaves_out_server_fields(api: FakeApi, client: Client) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny", "namespace": "prod", "managedFields": [{}], "resourceVersion": "5"},
        "spec": {"podSelector": {}},
    }
    client.apply(policy, dry_run=True)
    method, path, query, body = api.requests[0]
    assert (method, path) == ("PATCH", "/apis/networking.k8s.io/v1/namespaces/prod/networkpolicies/deny")
    assert query == {"fieldManager": ["falconet.k8s"], "force": ["true"], "dryRun": ["All"]}
    assert body["metadata"] == {"name": "deny", "namespace": "prod"}
    assert api.headers[0]["content-type"] == "application/apply-patch+yaml"


def test_delete_of_what_is_gone_is_no_error(client: Client) -> None:
    assert client.delete(PODS, "x", "a", grace_seconds=0) is False


def test_a_kind_that_is_not_served_is_named(api: FakeApi, client: Client) -> None:
    api.faults = lambda *_args: (
        200,
        {"resources": [{"name": "crontabs", "kind": "CronTab", "namespaced": True}, {"name": "crontabs/status"}]},
    )
    assert client.resource("example.com/v1", "CronTab").path("a") == "/apis/example.com/v1/namespaces/a/crontabs"
    with pytest.raises(KubeError, match=r"does not serve Widget of example\.com/v1"):
        client.resource("example.com/v1", "Widget")


def test_missing_files_are_named() -> None:
    with pytest.raises(KubeError, match="no file /nowhere/config"):
        connect({"kubeconfig": "/nowhere/config"})
    with pytest.raises(KubeError, match="ca_cert: there is no file /nowhere/ca"):
        connect({"host": "https://127.0.0.1:1", "ca_cert": "/nowhere/ca"})


def test_an_unknown_context_is_an_error_of_the_kubeconfig(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "config"
    kubeconfig.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
                "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
                "users": [{"name": "u", "user": {}}],
                "current-context": "one",
            }
        )
    )
    assert connect({"kubeconfig": str(kubeconfig)}).host == "http://127.0.0.1:1"
    with pytest.raises(KubeError, match="two"):
        connect({"kubeconfig": str(kubeconfig), "context": "two"})


def test_fragment_and_argument_spec_say_the_same() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert set(documented) == set(CLUSTER_ARGUMENTS)
    for name, spec in CLUSTER_ARGUMENTS.items():
        assert documented[name]["type"] == spec["type"], name
        assert documented[name].get("aliases", []) == spec.get("aliases", []), name
        assert f"E({spec['fallback'][1][0]})" in " ".join(documented[name]["description"]), name
