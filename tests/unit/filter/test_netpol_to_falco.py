"""The filters netpol_to_falco and falco_to_flows as templates use them."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.filter.netpol_to_falco import FilterModule

from ..netpol.lint.test_lint import pod, policy

FILTERS = FilterModule().filters()
OBJECTS = [pod("web", ip="10.244.0.2"), pod("db", ip="10.244.0.3"), policy("{podSelector: {matchLabels: {app: db}}}")]


def test_rules_are_made_of_objects() -> None:
    made = FILTERS["netpol_to_falco"](OBJECTS, namespaces=["prod"], priority="critical")
    assert [item["workload"] for item in made["rules"]] == ["prod/Pod/db"]
    assert "priority: CRITICAL" in made["content"]


@pytest.mark.parametrize(
    ("data", "more", "message"),
    [
        ("text", {}, "give API objects as a list"),
        (OBJECTS, {"namespaces": "prod"}, "are lists of texts"),
        (OBJECTS, {"priority": "LOUD"}, "netpol_to_falco: priority: 'LOUD'"),
        ([{"kind": "Pod"}], {}, "metadata: required"),
    ],
)
def test_what_cannot_be_used_is_told(data: object, more: dict[str, object], message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=message):
        FILTERS["netpol_to_falco"](data, **more)


def test_flows_are_made_of_alerts() -> None:
    fields = {"k8s.ns.name": "prod", "k8s.pod.name": "web", "fd.name": "10.244.0.2:1->10.244.0.3:80"}
    made = FILTERS["falco_to_flows"]([{"output_fields": fields}])
    assert made["flows"] == [{"from": "prod/web", "to": "10.244.0.3", "protocol": "TCP", "ports": "80"}]
    with pytest.raises(AnsibleFilterError, match="give alerts as a list"):
        FILTERS["falco_to_flows"]({})
