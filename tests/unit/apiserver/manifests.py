"""Manifests of API servers for tests: kubeadm's, and the same written in many other ways."""

from __future__ import annotations

import copy
import json
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.manifest import ANNOTATION
from ansible_collections.falconet.k8s.plugins.module_utils.apiserver.wanted import Settings, Wanted, wanted
from hypothesis import strategies as st

KUBEADM = """\
apiVersion: v1
kind: Pod
metadata:
  annotations:
    kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint: 192.0.2.1:6443
  labels:
    component: kube-apiserver
    tier: control-plane
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - command:
    - kube-apiserver
    - --advertise-address=192.0.2.1
    - --allow-privileged=true
    - --secure-port=6443  # by hand
    image: registry.k8s.io/kube-apiserver:v1.35.4
    livenessProbe:
      httpGet:
        host: 192.0.2.1
        path: /livez
        port: 6443
        scheme: HTTPS
    name: kube-apiserver
    volumeMounts:
    - mountPath: /etc/kubernetes/pki
      name: k8s-certs
      readOnly: true
  hostNetwork: true
  volumes:
  - hostPath:
      path: /etc/kubernetes/pki
      type: DirectoryOrCreate
    name: k8s-certs
status: {}
"""

FOLDER = "/etc/kubernetes/falconet-audit"
LOG = {"path": "/var/log/kubernetes/falconet-audit/audit.log", "maxage": "7", "maxbackup": "5", "maxsize": "100"}
BOTH = wanted(Settings(FOLDER, {"mode": "batch", "batch-max-wait": "1s"}, LOG), "sha256:00ff")
LOG_ALONE = wanted(Settings(FOLDER, None, LOG), "sha256:11")
WEBHOOK_ALONE = wanted(Settings(FOLDER, {"mode": "batch"}))


def edited(pod: dict[str, Any], aim: Wanted) -> dict[str, Any]:
    """The slow reference: the same edit on values, where no text has to stay as it is."""
    pod = copy.deepcopy(pod)
    [container] = [one for one in pod["spec"]["containers"] if one["name"] == "kube-apiserver"]
    container["args" if container.get("args") else "command"] += [f"--{n}={v}" for n, v in aim.all_flags.items()]
    mounts = [{"name": v.name, "mountPath": v.path, "readOnly": v.read_only} for v in aim.volumes]
    container["volumeMounts"] = (container.get("volumeMounts") or []) + mounts
    volumes = [{"name": v.name, "hostPath": {"path": v.path, "type": v.kind}} for v in aim.volumes]
    pod["spec"]["volumes"] = (pod["spec"].get("volumes") or []) + volumes
    if aim.digest:
        pod["metadata"]["annotations"] = {**(pod["metadata"].get("annotations") or {}), ANNOTATION: aim.digest}
    return pod


class Writer:
    """Writes a pod as YAML in ways that are drawn: indentation, quotes, comments, blank lines, brackets."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.indented = draw(st.booleans())

    def comment(self) -> str:
        return self.draw(st.sampled_from(["", "", "", "  # why - and: how", " # [x, {y}]"]))

    def between(self, indent: str) -> list[str]:
        return self.draw(st.sampled_from([[], [], [], [""], [f"{indent}# - a: comment"], ["", "# far left"]]))

    def scalar(self, value: Any) -> str:
        if not isinstance(value, str):
            return json.dumps(value)
        plain = value and not value.isspace() and ": " not in value and " #" not in value and value[0] not in "[{&*!#1"
        styles = [json.dumps(value), "'" + value.replace("'", "''") + "'", *([value] if plain else [])]
        return self.draw(st.sampled_from(styles))

    def flow(self, value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{name}: {self.flow(one)}" for name, one in value.items()) + "}"
        if isinstance(value, list):
            separator = self.draw(st.sampled_from([", ", " ,", ",\n        ", ", # note\n        "]))
            end = self.draw(st.sampled_from(["]", " ]", ",]"])) if value else self.draw(st.sampled_from(["]", " ]"]))
            return "[" + separator.join(self.flow(one) for one in value) + end
        return json.dumps(value)

    def lines(self, value: Any, indent: str, key: str = "") -> list[str]:
        """A collection's lines."""
        found = []
        if isinstance(value, dict):
            for name, one in self.draw(st.permutations(list(value.items()))):
                found += self.between(indent)
                flow_allowed = name in {"command", "args", "volumes", "volumeMounts", "annotations", "labels"}
                if isinstance(one, (dict, list)) and one and not (flow_allowed and self.draw(st.booleans())):
                    deeper = indent + ("" if isinstance(one, list) and not self.indented else "  ")
                    found += [f"{indent}{name}:{self.comment()}", *self.lines(one, deeper, name)]
                elif isinstance(one, (dict, list)):
                    found += f"{indent}{name}: {self.flow(one)}{self.comment()}".split("\n")
                elif one is None:
                    found.append(f"{indent}{name}:{self.comment()}")
                else:
                    found.append(f"{indent}{name}: {self.scalar(one)}{self.comment()}")
            return found
        for one in value:
            found += self.between(indent)
            if isinstance(one, dict):
                first, *rest = self.lines(one, indent + "  ")
                while not first.strip() or first.strip().startswith("#"):
                    found.append(first)
                    first, *rest = rest
                found += [f"{indent}- {first.lstrip()}", *rest]
            else:
                found.append(f"{indent}- {self.scalar(one)}{self.comment()}")
        return found


@st.composite
def pods(draw: st.DrawFn) -> dict[str, Any]:
    """A pod with an API server."""
    flags = draw(
        st.lists(
            st.sampled_from(
                ["--secure-port=6443", "--v=2", "--audit-log-compress", "--x=a: b", "--y=it's #1", "--allow_privileged"]
            ),
            max_size=4,
        )
    )
    container: dict[str, Any] = {"name": "kube-apiserver", "image": "r/kube-apiserver:v1"}
    split = draw(st.sampled_from(["command", "both", "args"]))
    if split == "command":
        container["command"] = ["kube-apiserver", *flags]
    elif split == "args":
        container["args"] = ["kube-apiserver", *flags]
    else:
        container["command"] = ["kube-apiserver"]
        container["args"] = flags
    mounts = draw(st.sampled_from([None, "null", [], [{"name": "pki", "mountPath": "/pki", "readOnly": True}]]))
    if mounts is not None:
        container["volumeMounts"] = None if mounts == "null" else mounts
    spec: dict[str, Any] = {"hostNetwork": True, "containers": [container]}
    if draw(st.booleans()):
        sidecar = {"name": "other", "command": ["sh", "-c", "sleep 1"]}
        spec["containers"].insert(draw(st.integers(0, 1)), sidecar)
    volume = {"name": "pki", "hostPath": {"path": "/pki", "type": "Directory"}}
    volumes = draw(st.sampled_from([None, "null", [], [volume]]))
    if volumes is not None:
        spec["volumes"] = None if volumes == "null" else volumes
    metadata: dict[str, Any] = {"name": "kube-apiserver", "namespace": "kube-system"}
    annotations = draw(st.sampled_from([None, "null", {}, {"a.b/c": "d: e", "f": "g"}]))
    if annotations is not None:
        metadata["annotations"] = None if annotations == "null" else annotations
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@st.composite
def texts(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    """A pod and one of the ways to write it."""
    pod = draw(pods())
    text = "\n".join(Writer(draw).lines(pod, "")) + draw(st.sampled_from(["\n", "", "\n\n# the end\n", "\n# the end"]))
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return pod, draw(st.sampled_from(["", "", "---\n", "# top\n", "\ufeff"])) + text
