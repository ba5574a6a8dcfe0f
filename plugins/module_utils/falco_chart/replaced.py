# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that guides still show and the chart no longer has, each with what replaces it.

Source: the chart's BREAKING-CHANGES.md up to 9.0.0 and the values.yaml of majors 1 to 9.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .problems import Problem

_DRIVER = "The legacy eBPF probe is gone since Falco 0.44. Use driver.kind: modern_ebpf (variable falco_driver)."
_GVISOR = "The gVisor engine is gone since Falco 0.44; nothing replaces it in the chart. Remove it."
_GRPC = "gRPC is gone since Falco 0.44. Use falco.http_output, which Falcosidekick's values set up by themselves."
_ENGINE = "Use collectors.containerEngine.engines (variables falco_container_engine and falco_container_engine_socket)."
_K8S_CLIENT = "The built-in Kubernetes client is gone. Use collectors.kubernetes (variable falco_kubernetes_metadata)."
_BUFFER = "Use driver.modernEbpf.bufSizePreset or driver.kmod.bufSizePreset (variable falco_driver_buffer_preset)."

#: Dotted path of a value that the chart no longer has, and what to do instead.
REPLACED: dict[str, str] = {
    "ebpf": _DRIVER,
    "driver.ebpf": _DRIVER,
    "driver.modern_ebpf": "Use driver.modernEbpf.",
    "driver.modern_bpf": "Use driver.modernEbpf.",
    "driver.modernBpf": "Use driver.modernEbpf.",
    "driver.module": "Use driver.kmod.",
    "driver.loader.initContainer.enabled": "Use driver.loader.enabled.",
    "gvisor": _GVISOR,
    "driver.gvisor": _GVISOR,
    "leastPrivileged": "Use driver.modernEbpf.leastPrivileged (variable falco_driver_least_privileged).",
    "extraVolumes": "Use mounts.volumes (variable falco_extra_values).",
    "extraVolumeMounts": "Use mounts.volumeMounts (variable falco_extra_values).",
    "extraInitContainers": "Use extra.initContainers.",
    "extraArgs": "Use extra.args.",
    "env": "Use extra.env.",
    "falco.grpc": _GRPC,
    "falco.grpc_output": _GRPC,
    "falco.grpcOutput": _GRPC,
    "falco.rules_file": "Use falco.rules_files (variable falco_rule_files).",
    "falco.rulesFile": "Use falco.rules_files (variable falco_rule_files).",
    "falco.syscall_buf_size_preset": _BUFFER,
    "falco.syscallBufSizePreset": _BUFFER,
    "falco.syscallBufferSizePreset": _BUFFER,
    "falco.modern_bpf": "Use driver.modernEbpf.cpusForEachBuffer (variable falco_driver_cpus_per_buffer).",
    "falco.syscall_drop_failed_exit": "Use driver.modernEbpf.dropFailedExit.",
    "falco.metadata_download": _K8S_CLIENT,
    "falco.outputs": "The rate limiter is gone since Falco 0.33. Limit in Falcosidekick's outputs or in the rules.",
    "falco.programOutput": "Use falco.program_output.",
    "falco.httpOutput": "Use falco.http_output.",
    "falco.fileOutput": "Use falco.file_output.",
    "falco.stdoutOutput": "Use falco.stdout_output.",
    "falco.syslogOutput": "Use falco.syslog_output.",
    "docker": _ENGINE,
    "containerd": _ENGINE,
    "crio": _ENGINE,
    "collectors.docker": _ENGINE,
    "collectors.containerd": _ENGINE,
    "collectors.crio": _ENGINE,
    "collectors.cri": _ENGINE,
    "kubernetesSupport": _K8S_CLIENT,
    "kubernetesNode": _K8S_CLIENT,
    "auditLog": "Audit events come from the plugin k8saudit (variable falco_plugins; falco_driver: none for it alone).",
    "daemonset": "Use controller.daemonset, podAnnotations and podLabels.",
    "integrations": "Its integrations are gone. Use Falcosidekick (variable falco_outputs).",
    "fakeEventGenerator": "Install the chart event-generator instead.",
    "podSecurityPolicy": "Gone since Kubernetes 1.25. Use namespace labels (variable falco_namespace_labels).",
    "priorityClassName": "Use podPriorityClassName (variable falco_priority_class).",
    "falcotalon": "Use falco-talon and responseActions.enabled.",
    "response_actions": "Use responseActions.",
    "falcoctl.indexes": "Use falcoctl.config.indexes.",
    "falcoctl.artifact.refs": "Use falcoctl.config.artifact.install.refs (variable falco_artifacts).",
    "falcosidekick.webui.redis.storageclass": "Use falcosidekick.webui.redis.storageClass (falco_redis_storage_class).",
}
#: Values of driver.kind that the chart refuses or only tolerates.
REPLACED_DRIVERS = {
    "ebpf": _DRIVER,
    "gvisor": _GVISOR,
    "module": "Its name is kmod now (variable falco_driver).",
    "modern-bpf": "Its name is modern_ebpf now (variable falco_driver).",
}


def find_replaced(values: Mapping[str, Any]) -> list[Problem]:
    """Values that the chart no longer has, with their replacements."""
    return [*_paths(values), *_driver(values), *_selectors(values, "")]


def _paths(values: Mapping[str, Any]) -> Iterator[Problem]:
    for path, replacement in REPLACED.items():
        node: Any = values
        for key in path.split("."):
            if not isinstance(node, Mapping) or key not in node:
                break
            node = node[key]
        else:
            yield Problem(path, "is a value of older charts.", replacement)


def _driver(values: Mapping[str, Any]) -> Iterator[Problem]:
    driver = values.get("driver")
    kind = driver.get("kind") if isinstance(driver, Mapping) else None
    if isinstance(kind, str) and kind in REPLACED_DRIVERS:
        yield Problem("driver.kind", f"{kind!r} is a value of older charts.", REPLACED_DRIVERS[kind])


def _selectors(node: Any, path: str) -> Iterator[Problem]:
    """Selectors by the label app=falco, which no pod carries since chart 2."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            where = f"{path}.{key}" if path else str(key)
            if key == "matchLabels" and isinstance(value, Mapping) and value.get("app") == "falco":
                yield Problem(where, "selects app: falco, which no pod has.", "Use app.kubernetes.io/name: falco.")
            elif key == "matchExpressions" and isinstance(value, list):
                for expression in value:
                    by_app = isinstance(expression, Mapping) and expression.get("key") == "app"
                    if by_app and "falco" in (expression.get("values") or []):
                        yield Problem(where, "selects app in (falco).", "Use app.kubernetes.io/name.")
            else:
                yield from _selectors(value, where)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _selectors(value, f"{path}[{index}]")
