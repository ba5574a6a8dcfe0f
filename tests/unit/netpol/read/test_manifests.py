"""Loading: what counts as what, and how invalid objects are told."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import InputError, Problem
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.addresses import parse_address, parse_cidr
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read import manifests
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load


def text(content: str, **options: Any) -> Model:
    return load([Input("file.yaml", text=content)], **options)


def problems(content: str) -> list[Problem]:
    return text(content, on_invalid="skip").problems


def policy(spec: str, kind: str = "NetworkPolicy", version: str = "networking.k8s.io/v1", name: str = "p") -> str:
    head = f"apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: a\nspec:\n"
    return head + "".join(f"  {line}\n" for line in spec.splitlines())


def cluster(spec: str, kind: str = "AdminNetworkPolicy", name: str = "p") -> str:
    version = "v1alpha2" if kind == "ClusterNetworkPolicy" else "v1alpha1"
    return policy(spec, kind, f"policy.networking.k8s.io/{version}", name)


def workload(kind: str, template_path: tuple[str, ...] = ("spec", "template"), **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"ports": [{"containerPort": 80}]}]}}
    body: dict[str, Any] = template
    for step in reversed(template_path):
        body = {step: body}
    body["spec"].update(spec)
    return {"kind": kind, "metadata": {"name": "x", "namespace": "a"}, **body}


@pytest.mark.parametrize(
    "kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"]
)
def test_each_kind_of_workload_is_represented_by_its_template(kind: str) -> None:
    (pod,) = load([Input("x", objects=[workload(kind)])]).pods
    assert (pod.workload_name, pod.labels, pod.ports[0].number) == (f"a/{kind}/x", {"app": "x"}, 80)


def test_a_cron_job_has_its_template_one_level_deeper() -> None:
    found = workload("CronJob", ("spec", "jobTemplate", "spec", "template"))
    assert load([Input("x", objects=[found])]).pods[0].workload_name == "a/CronJob/x"


def test_replicas_say_whether_a_workload_has_another_pod_to_talk_to() -> None:
    assert load([Input("x", objects=[workload("Deployment", replicas=3)])]).pods[0].replicas == 3
    assert load([Input("x", objects=[workload("Deployment")])]).pods[0].replicas == 1


def test_pods_belong_to_the_workload_at_the_top() -> None:
    owned = {"controller": True, "kind": "ReplicaSet", "name": "web-5d8f"}
    pod = {
        "kind": "Pod",
        "metadata": {
            "name": "web-5d8f-1",
            "namespace": "a",
            "labels": {"pod-template-hash": "5d8f"},
            "ownerReferences": [owned],
        },
        "spec": {},
    }
    assert load([Input("x", objects=[pod])]).pods[0].workload_name == "a/Deployment/web"
    replica_set = workload("ReplicaSet")
    replica_set["metadata"] = {"name": "web-5d8f", "namespace": "a"}
    assert load([Input("x", objects=[pod, replica_set])]).pods[0].workload_name == "a/ReplicaSet/web-5d8f"


def test_owners_that_own_each_other_do_not_hang() -> None:
    def owned(name: str, owner: str) -> dict[str, Any]:
        found = workload("ReplicaSet")
        references = [{"controller": True, "kind": "ReplicaSet", "name": owner}]
        found["metadata"] = {"name": name, "namespace": "a", "ownerReferences": references}
        return found

    pod = {"kind": "Pod", "metadata": {"name": "p", "namespace": "a"}, "spec": {}}
    pod["metadata"]["ownerReferences"] = [{"controller": True, "kind": "ReplicaSet", "name": "one"}]  # type: ignore[index]  # its type says no more than object
    assert len(load([Input("x", objects=[owned("one", "two"), owned("two", "one"), pod])]).pods) == 1


def test_static_pods_are_bare_pods() -> None:
    references = [{"controller": True, "kind": "Node", "name": "n"}]
    pod = {"kind": "Pod", "metadata": {"name": "etcd-n", "namespace": "a", "ownerReferences": references}}
    assert load([Input("x", objects=[pod])]).pods[0].workload_name == "a/Pod/etcd-n"


def test_lists_documents_and_json_are_the_same_objects() -> None:
    objects = [yaml.safe_load(policy("podSelector: {}", name=name)) for name in ("p", "q")]
    typed = {"kind": "NetworkPolicyList", "apiVersion": "networking.k8s.io/v1"}
    bare = [{k: v for k, v in item.items() if k not in ("kind", "apiVersion")} for item in objects]
    forms = [
        yaml.safe_dump_all(objects),
        yaml.safe_dump({"kind": "List", "items": objects}),
        json.dumps({"kind": "List", "items": objects}),
        json.dumps({**typed, "items": bare}),
        json.dumps(objects),
        "# Source: chart/p.yaml\n---\n" + "---\n---\n# nothing\n---\n".join(yaml.safe_dump(item) for item in objects),
    ]
    for form in forms:
        assert [p.full_name for p in text(form).policies] == ["NetworkPolicy a/p", "NetworkPolicy a/q"], form


PORT = "spec.ingress[0].ports[0]"
LABELS = "spec.podSelector.matchLabels"
SUBJECT = "priority: 1\nsubject: {namespaces: {}}\n"


@pytest.mark.parametrize(
    ("content", "line", "path", "message"),
    [
        (policy("podSelector: {}\npolicyTypes: [Ingres]"), 8, "spec.policyTypes[0]", "unsupported value 'Ingres'"),
        (policy("ingress:\n- from:\n  - {}"), 9, "spec.ingress[0].from[0]", "must name podSelector"),
        (
            policy("ingress:\n- from:\n  - podSelector: {}\n    ipBlock: {cidr: 10.0.0.0/8}"),
            9,
            "spec.ingress[0].from[0]",
            "cannot stand beside",
        ),
        (
            policy("ingress:\n- ports:\n  - port: 80\n    endPort: 70"),
            10,
            PORT + ".endPort",
            "less than",
        ),
        (policy("ingress:\n- ports:\n  - endPort: 70"), 9, PORT + ".endPort", "needs a port"),
        (
            policy("ingress:\n- ports:\n  - port: http\n    endPort: 70"),
            10,
            PORT + ".endPort",
            "named port",
        ),
        (policy("ingress:\n- ports:\n  - port: 0"), 9, PORT + ".port", "between 1 and 65535"),
        (policy("ingress:\n- ports:\n  - port: '80'"), 9, PORT + ".port", "not a port name"),
        (
            policy("ingress:\n- ports:\n  - protocol: tcp"),
            9,
            PORT + ".protocol",
            "unsupported value 'tcp'",
        ),
        (policy("ingress: {}"), 7, "spec.ingress", "must be a list, not a mapping"),
        (
            policy("podSelector:\n  matchLabels:\n    app: 1"),
            9,
            LABELS + "[app]",
            "must be a string",
        ),
        (
            policy("podSelector:\n  matchLabels:\n    'a b': x"),
            9,
            LABELS + "[a b]",
            "not a label key",
        ),
        (
            policy("podSelector:\n  matchExpressions:\n  - {key: a, operator: in, values: [x]}"),
            9,
            "spec.podSelector.matchExpressions[0].operator",
            "unsupported value 'in'",
        ),
        (
            policy("podSelector:\n  matchExpressions:\n  - {key: a, operator: In}"),
            9,
            "spec.podSelector.matchExpressions[0].values",
            "required for operator In",
        ),
        (
            policy("podSelector:\n  matchExpressions:\n  - {key: a, operator: Exists, values: [x]}"),
            9,
            "spec.podSelector.matchExpressions[0].values",
            "must be empty",
        ),
        (policy("egress:\n- to:\n  - ipBlock: {cidr: 10.0.0.0}"), 9, "spec.egress[0].to[0].ipBlock.cidr", "not a CIDR"),
        (
            policy("egress:\n- to:\n  - ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/9]}"),
            9,
            "spec.egress[0].to[0].ipBlock.except[0]",
            "strict subset",
        ),
        (policy("{}", version="extensions/v1beta1"), 1, "apiVersion", "has no NetworkPolicy"),
        (policy("{}", kind="NetworkPolicies"), 2, "kind", "unknown kind"),
        (cluster("priority: 1001\nsubject: {namespaces: {}}"), 7, "spec.priority", "between 0 and 1000"),
        (cluster("priority: 1\nsubject: {}"), 8, "spec.subject", "exactly one of"),
        (cluster("priority: 1\nsubject: {namespaces: {}, pods: {}}"), 8, "spec.subject", "exactly one of"),
        (
            cluster(SUBJECT + "ingress:\n- action: Accept\n  from: [{namespaces: {}}]"),
            10,
            "spec.ingress[0].action",
            "unsupported value 'Accept'",
        ),
        (
            cluster(SUBJECT + "ingress:\n- action: Deny\n  from: []"),
            11,
            "spec.ingress[0].from",
            "at least one peer",
        ),
        (
            cluster(SUBJECT + "ingress:\n- action: Deny\n  from: [{networks: [10.0.0.0/8]}]"),
            11,
            "spec.ingress[0].from[0].networks",
            "unknown field",
        ),
        (cluster("subject: {namespaces: {}}", "BaselineAdminNetworkPolicy"), 4, "metadata.name", "named 'default'"),
        (
            cluster("tier: Application\npriority: 1\nsubject: {namespaces: {}}", "ClusterNetworkPolicy"),
            7,
            "spec.tier",
            "Admin or Baseline",
        ),
        ("kind: Pod\nmetadata:\n  name: x\n  labels:\n    app: true\n", 5, "metadata.labels[app]", "must be a string"),
        ("kind: Deployment\nmetadata:\n  name: x\nspec: {}\n", 4, "spec.template", "required"),
        ("a: b\n", 1, "kind", "not an API object"),
        ("- 1\n", 1, "", "is a int"),
        ("kind: Pod\nmetadata: [\n", 3, "", "column 1"),
    ],
)
def test_an_invalid_object_is_told_by_file_line_and_path(content: str, line: int, path: str, message: str) -> None:
    found = problems(content)[0]
    assert (found.source, found.path, found.line) == ("file.yaml", path, line)
    assert message in found.message


def test_the_rest_is_still_analysed_when_asked() -> None:
    content = (
        f"{policy('podSelector: {}')}---\nkind: [\n---\n{policy('ingress: 1', name='bad')}---\n{policy('{}', name='q')}"
    )
    model = text(content, on_invalid="skip")
    assert [p.name for p in model.policies] == ["p", "q"]
    assert [(p.document, p.object) for p in model.problems] == [(2, ""), (3, "NetworkPolicy a/bad")]
    with pytest.raises(InputError) as caught:
        text(content)
    assert len(caught.value.problems) == 2


def test_unknown_fields_are_warnings_as_the_server_drops_them() -> None:
    (found,) = problems(policy("podSelector: {}\ningress:\n- form: []"))
    assert (found.severity, found.path) == ("warning", "spec.ingress[0].form")
    assert "did you mean 'from'" in found.hint


def test_kinds_that_say_nothing_about_reachability_are_left_out() -> None:
    assert (
        problems("kind: ConfigMap\nmetadata: {name: x}\n---\nkind: Secret\n---\napiVersion: x/v1\nkind: Gadget\n") == []
    )


def test_an_alias_bomb_is_refused_before_it_costs_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "MAX_OBJECTS", 1000)
    lines = ["a: &a {kind: Pod, metadata: {name: x}}"]
    lines += [f"{n}: &{n} {{kind: List, items: [{', '.join([f'*{p}'] * 9)}]}}" for p, n in zip("abcdef", "bcdefg")]
    bomb = yaml.safe_load("\n".join(lines))["g"]
    found = load([Input("x", objects=[bomb])], "skip").problems
    assert any("more than 1000 objects" in problem.message for problem in found)


def test_a_list_that_holds_itself_ends() -> None:
    (found,) = problems("&a\nkind: List\nitems: [*a]\n")
    assert "nested more than" in found.message


def test_giant_selectors_are_refused() -> None:
    values = [str(number) for number in range(100_001)]
    spec = {"podSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": values}]}}
    found = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p"}, "spec": spec}
    (problem,) = load([Input("x", objects=[found])], "skip").problems
    assert "more than any stored object can hold" in problem.message


def test_many_problems_make_a_short_message_and_whole_data() -> None:
    content = "---\n".join(policy("ingress: 1", name=f"p{n}") for n in range(30))
    with pytest.raises(InputError, match="and 10 more") as caught:
        text(content)
    assert len(caught.value.problems) == 30


@pytest.mark.parametrize(
    ("kind", "metadata", "path", "message"),
    [
        ("Deployment", {"name": "Web"}, "metadata.name", "only a-z, 0-9, '-', '.'"),
        ("Pod", {"name": "a_b"}, "metadata.name", "only a-z"),
        ("Pod", {"name": "a" * 254}, "metadata.name", "at most 253"),
        ("Pod", {"generateName": "A-"}, "metadata.generateName", "only a-z"),
        ("Namespace", {"name": "a.b"}, "metadata.name", "only a-z, 0-9, '-', with"),
        ("Service", {"name": "a" * 64}, "metadata.name", "at most 63"),
        ("Pod", {"name": "a", "namespace": "a.b"}, "metadata.namespace", "only a-z"),
        (
            "Pod",
            {"name": "a", "ownerReferences": [{"controller": True, "name": "x"}]},
            "metadata.ownerReferences[0].kind",
            "required",
        ),
    ],
)
def test_metadata_that_the_server_refuses_is_an_error(
    kind: str, metadata: dict[str, Any], path: str, message: str
) -> None:
    found = {"kind": kind, "metadata": metadata, "spec": {"template": {}}}
    model = load([Input("x", objects=[found])], "skip")
    (problem,) = model.problems
    assert (problem.severity, problem.path) == ("error", path)
    assert message in problem.message
    assert model.pods == []


def test_names_with_a_prefix_that_the_server_completes_are_right() -> None:
    pod = {"kind": "Pod", "metadata": {"generateName": "web-", "namespace": "a"}}
    assert load([Input("x", objects=[pod])]).problems == []


def test_an_unknown_field_of_metadata_is_a_warning() -> None:
    (found,) = problems("kind: Pod\nmetadata:\n  name: x\n  label: {app: x}\n")
    assert (found.severity, found.path, found.line) == ("warning", "metadata.label", 4)
    assert "did you mean 'labels'" in found.hint


def test_every_problem_of_an_object_is_told() -> None:
    spec = """\
podSelector:
  matchLabels: {"a b": x, c: 1}
  matchExpressions: [{key: a, operator: in}, {key: b, operator: In}]
policyTypes: [Ingres, 1]
ingress:
- from: [{}, {ipBlock: {cidr: 1.2.3.4}}]
  ports: [{port: 0}, {protocol: tcp}]
- from: 1
egress: 2"""
    assert sorted(found.path for found in problems(policy(spec))) == [
        "spec.egress",
        "spec.ingress[0].from[0]",
        "spec.ingress[0].from[1].ipBlock.cidr",
        "spec.ingress[0].ports[0].port",
        "spec.ingress[0].ports[1].protocol",
        "spec.ingress[1].from",
        "spec.podSelector.matchExpressions[0].operator",
        "spec.podSelector.matchExpressions[1].values",
        "spec.podSelector.matchLabels[a b]",
        "spec.podSelector.matchLabels[c]",
        "spec.policyTypes[0]",
        "spec.policyTypes[1]",
    ]
    admin = "priority: -1\nsubject: {}\ningress:\n- {action: x}\n- {action: Deny}"
    assert sorted(found.path for found in problems(cluster(admin))) == [
        "spec.ingress[0].action",
        "spec.ingress[0].from",
        "spec.ingress[1].from",
        "spec.priority",
        "spec.subject",
    ]
    pod = "kind: Pod\nmetadata:\n  name: x\n  labels: {a: 1, 'b c': x}\nspec: {containers: [{ports: [{}, {}]}]}"
    assert len(problems(pod)) == 4


def test_problems_of_one_object_are_bounded() -> None:
    assert len(problems(policy("ingress:\n" + "- 1\n" * 200))) == 50


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("Node", "{podCIDR: {a: b}, podCIDRs: [{a: b}, [10.0.0.0/8], 10.1.0.0/16]}"),
        ("Service", "{clusterIP: [a], clusterIPs: [{a: b}, 10.1.0.1], ports: [{port: 80}]}"),
    ],
)
def test_addresses_of_a_wrong_type_are_left_out(kind: str, fields: str) -> None:
    model = text(f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: x}}\nspec: {fields}\n")
    found: list[object] = [item for node in model.nodes for item in node.pod_ranges]
    found += [address for service in model.services for address in service.addresses]
    assert found == [parse_cidr("10.1.0.0/16") if kind == "Node" else parse_address("10.1.0.1")]
