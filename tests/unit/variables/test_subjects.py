"""What does not exist is told with the nearest that does, or with what there is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.variables.subjects import (
    Api,
    Subject,
    is_default,
    told_missing,
    told_unserved,
    told_without_default,
)

SECRET = Subject("Secret", "falco-ui", "falco", "falco_ui_secret")
MONITOR = Api("monitoring.coreos.com/v1", "ServiceMonitor", "falco_monitor", "Install its operator.")
MANY = [f"s{number}" for number in range(9)]


@pytest.mark.parametrize(
    ("there", "namespace_exists", "told"),
    [
        (["falco-uy", "x"], True, "; did you mean falco-uy?"),
        (["z", "b"], True, "; it has b, z."),
        ([], True, "; it has no Secret at all."),
        (None, True, "."),
        (["falco-uy"], False, ", which does not exist itself."),
        (MANY[:8], True, "; it has s0, s1, s2, s3, s4, s5, s6, s7."),
        (MANY, True, "; it has s0, s1, s2, s3, s4, s5, s6, s7 and 1 more."),
    ],
)
def test_an_object_that_is_missing_in_its_namespace(
    there: Sequence[str] | None, namespace_exists: bool, told: str
) -> None:
    begin = "falco_ui_secret: there is no Secret falco-ui in namespace falco"
    assert told_missing(SECRET, there, namespace_exists) == begin + told


def test_an_object_that_is_missing_in_the_cluster_and_what_else_could_be_done() -> None:
    fast = Subject("StorageClass", "fast", hint="Make it.")
    assert told_missing(fast, ["slow"]) == "there is no StorageClass fast in the cluster; it has slow. Make it."
    near = "there is no StorageClass fast in the cluster; did you mean fats? Make it."
    assert told_missing(fast, ["fats"]) == near


def test_a_kind_without_a_default() -> None:
    named = Subject("StorageClass", "", variable="falco_storage", hint="Name one.", default=True)
    assert told_without_default(named, ["b", "a"]) == (
        "falco_storage: none is named, and the cluster has no default StorageClass; it has a, b. Name one."
    )
    assert told_without_default(Subject("IngressClass", ""), []) == (
        "none is named, and the cluster has no default IngressClass; it has no IngressClass at all."
    )


@pytest.mark.parametrize(
    ("api", "kinds", "versions", "told"),
    [
        (MONITOR, ["ServiceMonitors"], ["v1"], "did you mean ServiceMonitors? Install its operator."),
        (MONITOR, ["Zoo", "Ant"], ["v1"], "; that has Ant, Zoo. Install its operator."),
        (MONITOR, [], ["v1alpha1", "v2"], "; of monitoring.coreos.com it has v1alpha1, v2. Install its operator."),
        (MONITOR, [], ["v1"], "; of monitoring.coreos.com it has v1. Install its operator."),
        (MONITOR, [], [], "; it has no API group monitoring.coreos.com. Install its operator."),
        (Api("v1", "Podd"), [], [], "the cluster does not serve Podd of v1."),
    ],
)
def test_a_kind_that_is_not_served(api: Api, kinds: list[str], versions: list[str], told: str) -> None:
    found = told_unserved(api, kinds, versions)
    assert found.endswith(told)
    assert f"the cluster does not serve {api.kind} of {api.api_version}" in found
    assert found.startswith("falco_monitor: ") is bool(api.variable)


@pytest.mark.parametrize(
    ("kind", "annotations", "found"),
    [
        ("StorageClass", {"storageclass.kubernetes.io/is-default-class": "true"}, True),
        ("StorageClass", {"storageclass.kubernetes.io/is-default-class": "True"}, True),
        ("StorageClass", {"storageclass.kubernetes.io/is-default-class": "false"}, False),
        ("StorageClass", {"ingressclass.kubernetes.io/is-default-class": "true"}, False),
        ("StorageClass", None, False),
        ("Secret", {"": "false"}, False),
    ],
)
def test_what_the_cluster_takes_by_itself(kind: str, annotations: dict[str, str] | None, found: bool) -> None:
    assert is_default(kind, {"metadata": {"annotations": annotations}}) is found
