"""What OpenShift must allow: Falco's own accounts everything, all others of its namespace a user that is not root."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2
import yaml

TEMPLATE = Path(__file__).resolve().parents[3] / "roles" / "falco" / "templates" / "openshift.yml.j2"
RBAC = "rbac.authorization.k8s.io"


def bindings(**plan: Any) -> list[dict[str, Any]]:
    """The template as Ansible sets its engine up."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, trim_blocks=True, autoescape=False)
    environment.filters["to_json"] = json.dumps
    given = {"falco_release_name": "falco", "falco_namespace": "watch", "__falco_plan": {"labels": {"a": "b"}, **plan}}
    return list(yaml.safe_load_all(environment.from_string(TEMPLATE.read_text()).render(given)))


def test_falco_and_the_falcos_of_groups_are_privileged_and_nobody_else() -> None:
    own, others = bindings(group_names=["falco-gpu"])
    assert own["metadata"] == {"name": "falco-scc-privileged", "namespace": "watch", "labels": {"a": "b"}}
    assert own["roleRef"] == {"apiGroup": RBAC, "kind": "ClusterRole", "name": "system:openshift:scc:privileged"}
    assert own["subjects"] == [
        {"kind": "ServiceAccount", "name": "falco", "namespace": "watch"},
        {"kind": "ServiceAccount", "name": "falco-gpu", "namespace": "watch"},
    ]
    assert others["metadata"]["name"] == "falco-scc-nonroot"
    assert others["roleRef"]["name"] == "system:openshift:scc:nonroot-v2"
    assert others["subjects"] == [{"kind": "Group", "apiGroup": RBAC, "name": "system:serviceaccounts:watch"}]


def test_without_groups_there_is_one_account() -> None:
    assert [subject["name"] for subject in bindings(group_names=[])[0]["subjects"]] == ["falco"]
