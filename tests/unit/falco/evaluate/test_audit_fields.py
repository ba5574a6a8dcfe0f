"""Fields of audit events where the corpus has no example."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.audit_fields import AUDIT_FIELDS, audit_field
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import parse_event
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.json_text import parse


def value(field: str, **event: Any) -> Any:
    (parsed,) = parse_event(
        json.dumps({"kind": "Event", "auditID": "1", "stageTimestamp": "2026-03-01T10:00:01Z", **event})
    )
    return parsed.fields[field]


def spec(field: str, **spec: Any) -> Any:
    return value(field, requestObject={"spec": spec})


def test_every_field_of_the_catalogue_is_computed() -> None:
    names = [info.name for info in catalogue().plugins["k8saudit"].fields]
    of_containers = ("ka.req.pod.containers.", "ka.req.pod.initContainers.", "ka.req.pod.ephemeralContainers.")
    assert [name for name in names if name not in AUDIT_FIELDS and not name.startswith(of_containers)] == []


@pytest.mark.parametrize(
    ("field", "spec_of_pod", "expected"),
    [
        ("ka.req.pod.containers.image", {"containers": [{"image": "a"}, {}]}, None),  # one without leaves none
        ("ka.req.pod.containers.image[0]", {"containers": [{"image": "a"}, {}]}, ["a"]),
        ("ka.req.pod.containers.image.repository", {"containers": [{"image": "host:5000/x@sha256:1"}]}, ["host"]),
        ("ka.req.pod.containers.image", {"containers": []}, None),
        ("ka.req.container.image", {"containers": []}, None),
        ("ka.req.container.privileged", {"containers": []}, "false"),
        ("ka.req.container.privileged", {}, None),
        ("ka.req.container.privileged", {"containers": [{"securityContext": {"privileged": "true"}}]}, "false"),
        ("ka.req.pod.containers.privileged", {"containers": [{"securityContext": {"privileged": None}}]}, ["null"]),
        ("ka.req.pod.containers.command", {"containers": [{"command": ["a", "b"]}, {}]}, ["a b"]),
        ("ka.req.pod.containers.command", {"containers": [{"command": ["a", 5]}]}, None),
        ("ka.req.pod.containers.args", {"containers": [{"args": "x"}]}, None),
        (
            "ka.req.pod.containers.host_port",
            {"containers": [{"ports": [{"hostPort": 1}, {"containerPort": 2}]}]},
            ["1", "2"],
        ),
        ("ka.req.pod.containers.eff_run_as_user", {"runAsUser": 5, "containers": [{}, {"runAsUser": 7}]}, ["5", "7"]),
        ("ka.req.pod.containers.eff_run_as_user", {"containers": [{}]}, ["0"]),
        ("ka.req.pod.containers.run_as_user", {"containers": [{"securityContext": {"runAsUser": 7}}]}, ["7"]),
        (
            "ka.req.pod.containers.add_capabilities",
            {"containers": [{"securityContext": {"capabilities": {"add": ["A", "B"]}}}]},
            ['["A","B"]'],
        ),
        ("ka.req.pod.volumes.hostpath", {"volumes": [{"hostPath": {"path": "/a"}}, {"emptyDir": {}}]}, ["/a"]),
        ("ka.req.pod.volumes.hostpath[1]", {"volumes": [{"hostPath": {"path": "/a"}}, {"emptyDir": {}}]}, None),
        ("ka.req.pod.volumes.volume_type", {"volumes": [{"name": "v", "emptyDir": {}}, "broken"]}, ["emptyDir"]),
        ("ka.req.volume.hostpath[/a]", {"volumes": [{"hostPath": {"path": "/a"}}]}, "true"),
        ("ka.req.volume.hostpath[/a*]", {"volumes": [{"hostPath": {"path": "/abc"}}]}, "true"),
        ("ka.req.volume.hostpath[/b*]", {"volumes": [{"hostPath": {"path": "/abc"}}]}, "false"),
        ("ka.req.volume.hostpath[/b]", {}, None),
        ("ka.req.pod.volumes.hostpath", {"volumes": [[], {"hostPath": {"path": "/a"}}]}, ["/a"]),
        ("ka.req.service.ports", {"ports": [{"port": 80}]}, ['[{"port":80}]']),
        ("ka.req.service.ports[0]", {"ports": [{"port": 80}]}, ['[{"port":80}]']),
    ],
)
def test_fields_of_pods_and_services(field: str, spec_of_pod: dict[str, Any], expected: Any) -> None:
    assert spec(field, **spec_of_pod) == expected


def test_rules_of_roles() -> None:
    role = {"rules": [{"verbs": ["get", "list"]}, {"verbs": ["watch"]}, {}]}
    assert value("ka.req.role.rules.verbs", requestObject=role) == ["get", "list", "watch"]
    assert value("ka.req.role.rules.verbs[1]", requestObject=role) == ["watch"]
    assert value("ka.req.role.rules.verbs[5]", requestObject=role) is None
    # the plugin looks for addresses among the rules, too
    assert value("ka.sourceips", sourceIPs=["10.0.0.1"]) is None
    assert value("ka.sourceips", requestObject={"rules": [{"sourceIPs": ["10.0.0.1"]}]}) == ["10.0.0.1"]


def test_subjects() -> None:
    subjects = [
        {"kind": "User", "name": "u"},
        {"kind": "ServiceAccount", "name": "s", "namespace": "n"},
        {"kind": "ServiceAccount", "name": "t"},
        {"kind": "Group"},
    ]
    request = {"subjects": subjects}
    assert value("ka.req.binding.subjects.user_names", requestObject=request) == ["u"]
    assert value("ka.req.binding.subjects.serviceaccount_names", requestObject=request) == ["s", "t"]
    assert value("ka.req.binding.subjects.serviceaccount_ns_names", requestObject=request) == ["n:s"]
    assert value("ka.req.binding.subjects.group_names", requestObject=request) is None
    assert value("ka.req.binding.subject.has_name[x]") == "true"


def test_the_pod_that_was_created() -> None:
    created = {"responseObject": {"metadata": {"name": "p"}}}
    assert value("ka.target.pod.name", objectRef={"resource": "pods"}, **created) == "p"
    assert value("ka.target.pod.name", objectRef={"resource": "pods", "subresource": "exec"}, **created) is None
    assert value("ka.target.pod.name", objectRef={"resource": "services"}, **created) is None


def test_without_an_audit_id_it_is_no_audit_event() -> None:
    assert audit_field(parse('{"kind": "Event", "verb": "get"}'), "ka.verb") is None
    assert value("ka.verb", verb="get") == "get"


def test_ports_are_those_of_the_host_else_of_the_container() -> None:
    of_pod = "ka.req.pod.containers.host_port"
    ports = [{"hostPort": 1, "containerPort": 3}, {"containerPort": 2}, {"name": "x"}]
    assert spec(of_pod, containers=[{"ports": ports}, {}]) == ["1", "2"]
    assert spec(of_pod, containers=[{"ports": "x"}]) is None


def test_a_field_of_containers_that_nobody_knows_has_no_value() -> None:
    assert spec("ka.req.pod.containers.nothing", containers=[{"image": "a"}]) is None


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ({}, None),
        ({"requestURI": "/a?b=c&b=d"}, "c"),
        ({"requestURI": "1:2?b=c"}, None),  # Go takes it for a scheme that none can be
        ({"requestURI": "x:2?b=c"}, "c"),
    ],
)
def test_a_parameter_of_the_request(event: dict[str, Any], found: str | None) -> None:
    assert value("ka.uri.param[b]", **event) == found
