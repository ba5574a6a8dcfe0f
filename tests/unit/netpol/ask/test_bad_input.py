"""Whatever the input is, the answer is an answer or a problem with its place, never a traceback."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import QUESTIONS, Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.flows.observed import read_records
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.suggest.suggest import suggest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..clusters import objects

junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 70000),
    st.floats(allow_nan=False),
    st.sampled_from(["", "x", "10.0.0.0/8", "::/0", "http", "In", "Ingress", "1"]),
    st.just([]),
    st.just({}),
    st.just([None]),
    st.just({"x": "y"}),
    st.just([{"x": [{}]}]),
)
WORKLOADS: list[dict[str, Any]] = [
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "one"},
        "spec": {
            "replicas": 2,
            "template": {
                "metadata": {"labels": {"app": "a"}},
                "spec": {
                    "hostNetwork": False,
                    "containers": [{"ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}]}],
                    "initContainers": [{"restartPolicy": "Always", "ports": [{"containerPort": 81}]}],
                },
            },
        },
    },
    {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "c", "namespace": "one"},
        "spec": {"jobTemplate": {"spec": {"template": {"metadata": {"labels": {"app": "b"}}, "spec": {}}}}},
    },
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "namespace": "one"},
        "spec": {"selector": {"app": "a"}, "ports": [{"port": 80, "targetPort": "http", "name": "w"}]},
    },
    {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n", "labels": {"zone": "z"}},
        "status": {"addresses": [{"type": "InternalIP", "address": "172.16.0.1"}]},
    },
    {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "v"},
        "webhooks": [{"name": "h", "clientConfig": {"service": {"namespace": "one", "name": "s", "port": 80}}}],
    },
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += places(item, (*path, index))
    return found


@st.composite
def damaged(draw: st.DrawFn) -> list[Any]:
    """A valid cluster with up to three values replaced by something else."""
    manifests = copy.deepcopy([*WORKLOADS, *draw(objects())])
    for _ in range(draw(st.integers(1, 3))):
        index = draw(st.integers(0, len(manifests) - 1))
        every = places(manifests[index])
        if not every:
            continue
        path = draw(st.sampled_from(every))
        inner: Any = manifests[index]
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = draw(junk)
    return manifests


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(damaged())
def test_damaged_objects_are_problems_and_never_tracebacks(manifests: list[Any]) -> None:
    model = load([Input("test", objects=manifests)], "skip")
    for problem in model.problems:
        assert problem.message
        assert problem.severity in ("error", "warning")
    flow = {"from": {}, "to": {}, "ports": [80]}
    for question in QUESTIONS:
        request = Request(question, source={}, destination={}, required_flows=[flow], forbidden_flows=[flow])
        try:
            answer(request, model, load([Input("before", objects=manifests[:-1])], "skip"))
        except NetpolError as error:
            assert str(error)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["from", "to", "ports", "port", "protocol", "name"]), junk), junk)
def test_damaged_flows_are_told_and_never_tracebacks(flow: dict[str, Any], other: object) -> None:
    model = load([Input("test", objects=WORKLOADS)])
    for data in ([flow], other, [other]):
        try:
            answer(Request("assert", required_flows=data, forbidden_flows=None), model)
        except NetpolError as error:
            assert str(error)
        try:
            suggest(model, read_records(model, data))
        except NetpolError as error:
            assert str(error)
    for ask in (flow.get("from"), other):
        try:
            answer(Request("query", source=ask, destination=flow.get("to"), ports=flow.get("ports")), model)
        except NetpolError as error:
            assert str(error)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab:-{}[]&*!|>'\"#%@ \n\t,?0", max_size=40))
def test_any_text_is_read_or_told(text: str) -> None:
    model = load([Input("file.yaml", text=text)], "skip")
    for problem in model.problems:
        assert problem.line is not None
