"""What a directory holds beside objects, what an object's place is, and what is read of workloads and policies."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model, PortRule
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.foreign import is_foreign, left_out
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.repository import looks_like_object

from ..lint.test_lint import admin, pod, policy
from .test_calico import calico
from .test_manifests import workload


def read(*objects: Any, **options: Any) -> Model:
    return load([Input("t", objects=list(objects))], **options)


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: prod}\n"


@pytest.mark.parametrize(
    ("text", "pods", "skipped"),
    [
        pytest.param(POD, 1, {}, id="an-object"),
        pytest.param("- apiVersion: v1\n  kind: Pod\n  metadata: {name: web}\n- 7\n", 1, {}, id="a-list-of-objects"),
        pytest.param("- 7\n- text\n", 0, {"no API object": 1}, id="a-list-of-something-else"),
        pytest.param("image: {tag: v1}\n", 0, {"no API object": 1}, id="values"),
        pytest.param("kind: Pod\n", 0, {"no API object": 1}, id="a-kind-alone"),
        pytest.param("apiVersion: v1\nkind: 7\n", 0, {"no API object": 1}, id="a-kind-that-is-none"),
        pytest.param("a: [\n", 0, {"no API object": 1}, id="what-cannot-be-read"),
    ],
)
def test_a_file_of_a_directory_is_read_as_far_as_it_holds_objects(
    text: str, pods: int, skipped: dict[str, int]
) -> None:
    model = load([Input("values.yaml", text=text, named=False)], "skip")
    assert (len(model.pods), model.skipped) == (pods, skipped)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("apiVersion: v1\nkind: [", True),
        ('{"apiVersion": "v1",', True),
        ("- apiVersion: v1\n  kind: [", True),
        ("kind: [", False),
        ("apiVersion: {{ .Values.version }}", False),
        ("my-apiVersion: v1", False),
    ],
)
def test_a_text_that_cannot_be_read_was_meant_as_an_object(text: str, meant: bool) -> None:
    assert looks_like_object(text) is meant


def test_ready_objects_are_counted_from_one() -> None:
    model = read(pod("a"), pod("b"))
    assert [one.origin.document for one in model.pods] == [1, 2]


def test_an_empty_namespace_is_the_default_one() -> None:
    model = read(pod("a", namespace=""), {**policy("{podSelector: {}}"), "metadata": {"name": "p"}})
    assert [one.namespace for one in model.pods] == ["default"]
    assert [one.full_name for one in model.policies] == ["NetworkPolicy default/p"]


@pytest.mark.parametrize(
    ("version", "kind", "operated"),
    [("db.example.com/v1", "Postgres", {"prod"}), ("policy.example.com/v1", "EgressNetworkPolicy", set())],
)
def test_pods_may_come_where_an_operator_has_an_object_of_a_workload(
    version: str, kind: str, operated: set[str]
) -> None:
    metadata = {"name": "x", "namespace": "prod"}
    found = read({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": {"replicas": 2}})
    assert found.operated == operated


def test_what_kubernetes_itself_counts_is_no_workload_of_another_api() -> None:
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "x"}, "spec": {"replicas": 3}}
    assert left_out(scale, False) == ""
    assert read(scale).notes == []


@pytest.mark.parametrize(
    ("version", "foreign"),
    [
        ("v1", False),
        ("apps/v1", False),
        ("networking.k8s.io/v1", False),
        ("policy.networking.k8s.io/v1alpha1", False),
        ("leaderworkerset.x-k8s.io/v1", True),
        ("example.com/v1", True),
    ],
)
def test_an_api_of_another_group_is_foreign(version: str, foreign: bool) -> None:
    assert is_foreign(version) is foreign


@pytest.mark.parametrize(
    ("kind", "fields", "replicas"),
    [
        ("Deployment", {"replicas": 3}, 3),
        ("Deployment", {"parallelism": 3}, 1),
        ("Job", {"parallelism": 3}, 3),
        ("Job", {"replicas": 3}, 1),
        ("DaemonSet", {}, 2),
        ("Deployment", {"replicas": True}, 1),
        ("Deployment", {"replicas": "3"}, 1),
        ("Deployment", {"replicas": 0}, 0),
    ],
)
def test_a_template_stands_for_so_many_pods(kind: str, fields: dict[str, Any], replicas: int) -> None:
    (found,) = read(workload(kind, **fields)).pods
    assert found.replicas == replicas


def test_a_named_port_has_no_number() -> None:
    (found,) = read(policy("{podSelector: {}, ingress: [{ports: [{port: http}]}]}")).policies
    assert found.ingress[0].ports == (PortRule("TCP", 0, 0, "http"),)
    spec = "ingress: [{action: Allow, from: [{namespaces: {}}], ports: [{namedPort: http}]}]"
    (found,) = read(admin(spec, "a")).policies
    assert found.ingress[0].ports == (PortRule("", 0, 0, "http"),)
    of_cluster = admin(
        "ingress: [{action: Accept, from: [{namespaces: {}}], protocols: [{destinationNamedPort: h}]}]", "a"
    )
    of_cluster["spec"]["tier"] = "Admin"
    version = "policy.networking.k8s.io/v1alpha2"
    (found,) = read({**of_cluster, "kind": "ClusterNetworkPolicy", "apiVersion": version}).policies
    assert found.ingress[0].ports == (PortRule("", 0, 0, "h"),)


@pytest.mark.parametrize(
    "beside", ["podSelector: {}", "namespaceSelector: {}", "podSelector: {}, namespaceSelector: {}"]
)
def test_a_block_stands_beside_no_selector(beside: str) -> None:
    peer = f"{{ipBlock: {{cidr: 10.0.0.0/8}}, {beside}}}"
    model = read(policy(f"{{podSelector: {{}}, ingress: [{{from: [{peer}]}}]}}"), on_invalid="skip")
    (problem,) = model.errors
    assert problem.message == "ipBlock cannot stand beside podSelector or namespaceSelector"
    assert model.policies == []


@pytest.mark.parametrize(("port", "hint"), [('"80"', "write a port number without quotes"), ("Http", "")])
def test_a_number_in_quotes_is_no_name_of_a_port(port: str, hint: str) -> None:
    model = read(policy(f"{{podSelector: {{}}, ingress: [{{ports: [{{port: {port}}}]}}]}}"), on_invalid="skip")
    assert [problem.hint for problem in model.errors] == [hint]


@pytest.mark.parametrize(
    ("metadata", "name"),
    [({"name": "x", "namespace": "prod"}, "prod/x"), ({"generateName": "x-", "namespace": "prod"}, "prod/x-")],
)
def test_a_policy_of_calico_has_its_name(metadata: dict[str, str], name: str) -> None:
    found = read({**calico("{selector: all(), ingress: [{action: Allow}]}"), "metadata": metadata}).policies
    assert {one.full_name for one in found} == {f"CalicoNetworkPolicy {name}"}
