"""The variables of the role falco as the role has them, with some of them set."""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.filter.falco_plan import FilterModule
from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import role_options, typed_variables

falco_plan = FilterModule().filters()["falco_plan"]


def given(**changed: Any) -> dict[str, Any]:
    """All variables that have a value, as Ansible has them; those to change without their prefix."""
    defaults = {name: option["default"] for name, option in role_options("falco").items() if "default" in option}
    return {**defaults, **{f"falco_{name}": value for name, value in changed.items()}}


def typed(**changed: Any) -> dict[str, Any]:
    """The same as cores take them."""
    return typed_variables("falco", given(**changed))


def node(name: str, engine: str = "containerd://2.1.0", **labels: str) -> dict[str, Any]:
    marks = {"kubernetes.io/hostname": name, **{key.replace("__", "/"): value for key, value in labels.items()}}
    return {"metadata": {"name": name, "labels": marks}, "status": {"nodeInfo": {"containerRuntimeVersion": engine}}}


def answer(
    *nodes: dict[str, Any], services: list[dict[str, Any]] | None = None, keys: list[str] | None = None
) -> dict[str, Any]:
    """What cluster_objects_info returns."""
    subject = {"variable": "falco_outputs_existing_secret", "keys": keys}
    objects = {"Node": list(nodes) or [node("a"), node("b")], "Service": services or []}
    return {"objects": objects, "subjects": [subject] if keys else []}
