"""Objects of other APIs: workloads are read by their pod templates, and nothing is left out silently."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

TEMPLATE = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"ports": [{"containerPort": 80}]}]}}


def manifest(version: str, kind: str, spec: dict[str, Any], name: str = "x") -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "a"}, "spec": spec}


def read(*objects: dict[str, Any], **options: Any) -> Model:
    return load([Input("x", objects=objects)], **options)


@pytest.mark.parametrize(
    ("version", "kind", "name"),
    [
        ("cilium.io/v2", "CiliumNetworkPolicy", "CiliumNetworkPolicy"),
        ("cilium.io/v2", "CiliumClusterwideNetworkPolicy", "CiliumClusterwideNetworkPolicy"),
        ("projectcalico.org/v3", "NetworkPolicy", "NetworkPolicy.projectcalico.org"),
        ("crd.projectcalico.org/v1", "GlobalNetworkPolicy", "GlobalNetworkPolicy"),
        ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy", "ClusterNetworkPolicy.crd.antrea.io"),
        ("k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy", "MultiNetworkPolicy"),
        ("security.istio.io/v1", "AuthorizationPolicy", "AuthorizationPolicy"),
    ],
)
def test_policies_of_other_apis_are_counted(version: str, kind: str, name: str) -> None:
    model = read(manifest(version, kind, {}), manifest(version, kind, {}, "y"))
    assert model.notes == [f"not analysed: 2 {name}"]
    assert model.policies == []
    assert model.problems == []


@pytest.mark.parametrize(
    ("version", "kind", "spec"),
    [
        ("argoproj.io/v1alpha1", "Rollout", {"template": TEMPLATE}),
        ("apps.openshift.io/v1", "DeploymentConfig", {"template": TEMPLATE}),
        ("example.com/v1", "Cache", {"pools": [{"name": "a"}, {"podTemplate": TEMPLATE}]}),
        ("jobset.x-k8s.io/v1alpha2", "JobSet", {"replicatedJobs": [{"template": {"spec": {"template": TEMPLATE}}}]}),
    ],
)
def test_a_workload_of_any_api_is_read_by_its_pod_template(version: str, kind: str, spec: dict[str, Any]) -> None:
    model = read(manifest(version, kind, spec))
    (pod,) = model.pods
    assert (pod.workload_name, pod.labels, pod.template) == (f"a/{kind}/x", {"app": "x"}, True)
    assert [port.number for port in pod.ports] == [80]
    assert model.notes == []


def test_each_template_of_a_workload_counts() -> None:
    worker = {**TEMPLATE, "metadata": {"labels": {"role": "worker"}}}
    model = read(manifest("example.com/v1", "Ray", {"head": {"template": TEMPLATE}, "workers": [{"template": worker}]}))
    assert [pod.labels for pod in model.pods] == [{"app": "x"}, {"role": "worker"}]
    assert {pod.workload_name for pod in model.pods} == {"a/Ray/x"}


def test_a_knative_service_is_a_workload_beside_the_service_of_its_name() -> None:
    core = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x", "namespace": "a"}, "spec": {}}
    model = read(core, manifest("serving.knative.dev/v1", "Service", {"template": TEMPLATE}))
    assert [pod.workload_name for pod in model.pods] == ["a/Service.serving.knative.dev/x"]
    assert model.pods[0].labels == {"app": "x", "serving.knative.dev/service": "x"}
    assert [service.name for service in model.services] == ["x"]


def test_a_virtual_machine_has_a_template_without_containers() -> None:
    template = {"metadata": {"labels": {"app": "vm"}}, "spec": {"domain": {"devices": {}}}}
    (pod,) = read(manifest("kubevirt.io/v1", "VirtualMachine", {"template": template})).pods
    assert (pod.workload_name, pod.labels) == ("a/VirtualMachine/x", {"app": "vm"})


def test_pods_of_a_custom_workload_stand_for_it() -> None:
    owner = {"controller": True, "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "x"}
    sets = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": "x-1", "namespace": "a", "ownerReferences": [owner]},
        "spec": {"template": TEMPLATE},
    }
    made = {"controller": True, "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x-1"}
    pod = {"kind": "Pod", "metadata": {"name": "x-1-a", "namespace": "a", "ownerReferences": [made]}, "spec": {}}
    rollout = manifest("argoproj.io/v1alpha1", "Rollout", {"template": TEMPLATE})
    (found,) = read(rollout, sets, pod).pods
    assert (found.name, found.workload_name) == ("x-1-a", "a/Rollout/x")


def test_what_an_operator_makes_is_told_unless_the_pods_are_known() -> None:
    prometheus = manifest("monitoring.coreos.com/v1", "Prometheus", {})
    database = manifest("db.example.com/v1", "Postgres", {"replicas": 3})
    assert read(prometheus, database).notes == ["not analysed: 1 Postgres, 1 Prometheus"]
    owner = {"controller": True, "apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "name": "x"}
    pod = {"kind": "Pod", "metadata": {"name": "p", "namespace": "a", "ownerReferences": [owner]}, "spec": {}}
    assert read(prometheus, pod).notes == []


def test_what_has_nothing_to_do_with_reachability_is_no_note() -> None:
    other = [
        manifest("monitoring.coreos.com/v1", "ServiceMonitor", {"selector": {}}),
        manifest("argoproj.io/v1alpha1", "WorkflowTemplate", {"templates": [{"spec": {"containers": [{}]}}]}),
        manifest("argoproj.io/v1alpha1", "Rollout", {"replicas": 2, "workloadRef": {"name": "web"}}),
        manifest("autoscaling/v2", "HorizontalPodAutoscaler", {"minReplicas": 1}),
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {}},
    ]
    model = read(*other)
    assert (model.notes, model.pods, model.problems) == ([], [], [])


def test_a_path_says_where_a_template_is() -> None:
    metadata = {"podMetadata": {"labels": {"app": "prom"}}, "replicas": 2}
    prometheus = manifest("monitoring.coreos.com/v1", "Prometheus", metadata)
    model = read(prometheus, pod_templates={"Prometheus": "spec"})
    assert [(pod.labels, pod.replicas) for pod in model.pods] == [({"app": "prom"}, 2)]
    assert model.notes == []
    nodes = manifest("es.example.com/v1", "Search", {"sets": [{"pod": {"metadata": {"labels": {"n": "1"}}}}]})
    model = read(nodes, pod_templates={"Search": ["spec.sets.pod"]})
    assert [pod.labels for pod in model.pods] == [{"n": "1"}]


def test_a_path_must_be_one() -> None:
    with pytest.raises(NetpolError, match=r"pod_templates\.Search: write a path such as spec\.template"):
        read(pod_templates={"Search": 3})


def test_a_template_that_holds_itself_does_not_hang() -> None:
    loop: dict[str, Any] = {}
    loop["again"] = [loop, loop]
    assert read(manifest("example.com/v1", "Loop", loop)).pods == []
