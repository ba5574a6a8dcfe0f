"""A rendered chart as objects that tests can ask, and its check against Kubernetes' own types."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kubernetes.client
import yaml

#: Types of other projects that the charts make; Kubernetes' schema does not know them.
FOREIGN = {"ServiceMonitor", "PrometheusRule", "SecurityContextConstraints", "HTTPRoute"}
_CONTAINER = re.compile(
    r"^(?:List\[(?P<list>.+)\]|list\[(?P<oldlist>.+)\]|Dict\[str, (?P<dict>.+)\]|dict\(str, (?P<olddict>.+)\))$"
)
_SIMPLE: dict[str, type | tuple[type, ...]] = {"str": str, "int": int, "bool": bool, "float": (int, float)}


@dataclass(frozen=True)
class Rendered:
    """Objects of one ``helm template``."""

    objects: tuple[dict[str, Any], ...]

    def __add__(self, other: Rendered) -> Rendered:
        return Rendered(self.objects + other.objects)

    def twice(self) -> list[tuple[str, str]]:
        """Kind and name of objects that are there more than once, which no cluster can hold."""
        names = [(o["kind"], o["metadata"]["name"]) for o in self.objects]
        return sorted({name for name in names if names.count(name) > 1})

    def find(self, kind: str, name: str) -> dict[str, Any] | None:
        return next((o for o in self.objects if o["kind"] == kind and o["metadata"]["name"] == name), None)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        found = self.find(kind, name)
        assert found is not None, (
            f"there is no {kind} {name}, only {sorted((o['kind'], o['metadata']['name']) for o in self.objects)}"
        )
        return found

    def falco_pod(self) -> dict[str, Any]:
        workload = self.find("DaemonSet", "falco") or self.get("Deployment", "falco")
        pod: dict[str, Any] = workload["spec"]["template"]["spec"]
        return pod

    def container(self, name: str = "falco") -> dict[str, Any]:
        pod = self.falco_pod()
        return next(c for c in [*pod["containers"], *(pod.get("initContainers") or [])] if c["name"] == name)

    def containers(self) -> set[str]:
        pod = self.falco_pod()
        return {c["name"] for c in [*pod["containers"], *(pod.get("initContainers") or [])]}

    def falco_yaml(self) -> dict[str, Any]:
        config: dict[str, Any] = yaml.safe_load(self.get("ConfigMap", "falco")["data"]["falco.yaml"])
        return config

    def pod_specs(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for o in self.objects:
            if o["kind"] == "Pod":
                yield o["metadata"]["name"], o["spec"]
            elif "template" in (o.get("spec") or {}):
                yield o["metadata"]["name"], o["spec"]["template"]["spec"]

    def images(self) -> set[str]:
        return {c["image"] for _, s in self.pod_specs() for c in [*s["containers"], *(s.get("initContainers") or [])]}

    def host_paths(self) -> set[str]:
        return {v["hostPath"]["path"] for v in self.falco_pod()["volumes"] if "hostPath" in v}

    def text(self, *, without: str = "") -> str:
        return json.dumps([o for o in self.objects if o["kind"] != without])


def render(
    helm: str, chart: Path, values: dict[str, Any], api_versions: tuple[str, ...] = (), release: str = "falco"
) -> Rendered:
    """``helm template`` as the role runs it."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        command = [helm, "template", release, str(chart), "--namespace", "falco", "--no-hooks", "-f", file.name]
        for version in api_versions:
            command += ["--api-versions", version]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return Rendered(tuple(o for o in yaml.safe_load_all(done.stdout) if o))


def schema_problems(rendered: Rendered) -> list[str]:
    """What Kubernetes' types do not allow in the objects: unknown fields, missing ones, wrong types."""
    problems = []
    for o in rendered.objects:
        if o["kind"] in FOREIGN:
            continue
        group, _, version = o["apiVersion"].rpartition("/")
        prefix = version[:1].upper() + version[1:]
        model = getattr(kubernetes.client, prefix + o["kind"], None)
        where = f"{o['kind']}/{o['metadata']['name']}"
        if model is None:
            problems.append(f"{where}: {group or 'core'}/{version} has no {o['kind']}")
        else:
            problems += list(_model(o, model, where))
    return problems


def _model(value: Any, model: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{where}: must be an object, not {value!r}"
        return
    attributes = {json_name: attribute for attribute, json_name in model.attribute_map.items()}
    for key, inner in value.items():
        if key not in attributes:
            yield f"{where}.{key}: is no field of {model.__name__}"
        elif inner is not None:
            yield from _typed(inner, model.openapi_types[attributes[key]], f"{where}.{key}")
    required = re.findall(r"^(\w+)\n  Field required", _refusal(model, value, attributes), re.MULTILINE)
    for name in required:
        if name not in value:
            yield f"{where}.{name}: is missing"


def _refusal(model: Any, value: dict[str, Any], attributes: dict[str, str]) -> str:
    try:
        model(**{attributes[key]: inner for key, inner in value.items() if key in attributes})
    except (ValueError, TypeError) as error:
        return str(error)
    return ""


def _typed(value: Any, kind: str, where: str) -> Iterator[str]:
    container = _CONTAINER.match(kind)
    if container:
        inner = next(group for group in container.groups() if group)
        is_list = bool(container["list"] or container["oldlist"])
        if not isinstance(value, (list if is_list else dict)):
            yield f"{where}: must be {'a list' if is_list else 'a mapping'}, not {value!r}"
            return
        items: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            # Quantities are declared as strings, and numbers are accepted for them.
            if (
                inner == "str"
                and not is_list
                and isinstance(item, (int, float))
                and where.endswith(("limits", "requests"))
            ):
                continue
            yield from _typed(item, inner, f"{where}[{key}]")
    elif kind in _SIMPLE:
        if not isinstance(value, _SIMPLE[kind]) or (kind in ("int", "float") and isinstance(value, bool)):
            yield f"{where}: must be {kind}, not {value!r}"
    elif hasattr(kubernetes.client, kind):
        yield from _model(value, getattr(kubernetes.client, kind), where)
