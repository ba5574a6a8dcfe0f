"""Objects of other APIs: workloads are read by their pod templates, and nothing is left out silently."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import InputError, NetpolError
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
        ("projectcalico.org/v3", "GlobalNetworkSet", "GlobalNetworkSet"),
        ("crd.projectcalico.org/v1", "StagedNetworkPolicy", "StagedNetworkPolicy"),
        ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy", "ClusterNetworkPolicy.crd.antrea.io"),
        ("k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy", "MultiNetworkPolicy"),
        ("security.istio.io/v1", "AuthorizationPolicy", "AuthorizationPolicy"),
        ("k8s.ovn.org/v1", "UserDefinedNetwork", "UserDefinedNetwork"),
        ("k8s.ovn.org/v1", "ClusterUserDefinedNetwork", "ClusterUserDefinedNetwork"),
        ("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", "NetworkAttachmentDefinition"),
    ],
)
def test_policies_and_networks_of_other_apis_are_counted(version: str, kind: str, name: str) -> None:
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
    cache = manifest("cache.example.com/v1", "Redis", {"replicas": 1})
    database = manifest("db.example.com/v1", "Postgres", {"replicas": 3})
    assert read(cache, database).notes == ["not analysed: 1 Postgres, 1 Redis"]
    owner = {"controller": True, "apiVersion": "cache.example.com/v1", "kind": "Redis", "name": "x"}
    pod = {"kind": "Pod", "metadata": {"name": "p", "namespace": "a", "ownerReferences": [owner]}, "spec": {}}
    assert read(cache, pod).notes == []


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


def test_pods_of_the_prometheus_operator_are_known_by_what_it_makes() -> None:
    version = "monitoring.coreos.com/v1"
    sidecar = {"name": "proxy", "ports": [{"name": "metrics", "containerPort": 9092}]}
    metadata = {"labels": {"app.kubernetes.io/part-of": "kube-prometheus", "app.kubernetes.io/name": "taken-over"}}
    model = read(
        manifest(version, "Prometheus", {"podMetadata": metadata, "containers": [sidecar], "replicas": 2}),
        manifest(version, "Alertmanager", {"listenLocal": True}),
        manifest(version, "ThanosRuler", {"portName": "http"}),
    )
    assert model.notes == []
    prometheus, alertmanager, ruler = model.pods
    assert prometheus.labels == {
        "app.kubernetes.io/part-of": "kube-prometheus",
        "app.kubernetes.io/name": "prometheus",
        "app.kubernetes.io/managed-by": "prometheus-operator",
        "app.kubernetes.io/instance": "x",
        "prometheus": "x",
    }
    assert prometheus.replicas == 2
    assert {(p.name, p.number) for p in prometheus.ports} == {("metrics", 9092), ("reloader-web", 8080), ("web", 9090)}
    assert {p.number for p in alertmanager.ports} == {8080, 9094}
    assert {(p.name, p.number) for p in ruler.ports} >= {("http", 10902), ("grpc", 10901)}
    wrong = manifest(version, "Prometheus", {"podMetadata": {"labels": {"a": 1}}})
    with pytest.raises(InputError, match=r"spec\.podMetadata\.labels\[a\]: must be a string"):
        read(wrong)


def test_objects_of_one_name_for_different_kinds_of_clusters_replace_none() -> None:
    def text(profile: str) -> str:
        metadata = {"name": "x", "annotations": {f"include.release.openshift.io/{profile}": "true"}}
        return json.dumps(
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": {}}}
        )

    both = [Input("a.json", text=text("ibm-cloud-managed")), Input("b.json", text=text("single-node"))]
    assert load(both).problems == []
    again = [Input("a.json", text=text("single-node")), Input("b.json", text=text("single-node"))]
    assert [problem.path for problem in load(again).problems] == ["metadata.name"]
