# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Older values: renamed to what the chart has now where that is the same, explained where it is not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..config_keys import CONFIG_KEYS
from ..replaced import find_replaced
from .taking import ABSENT, Taking, given

#: Old path to the new one; the value means the same.
_MOVED = {
    "leastPrivileged": "driver.modernEbpf.leastPrivileged",
    "driver.modern_ebpf": "driver.modernEbpf",
    "driver.modern_bpf": "driver.modernEbpf",
    "driver.modernBpf": "driver.modernEbpf",
    "driver.module": "driver.kmod",
    "extraVolumes": "mounts.volumes",
    "extraVolumeMounts": "mounts.volumeMounts",
    "extraInitContainers": "extra.initContainers",
    "extraArgs": "extra.args",
    "falco.rulesFile": "falco.rules_files",
    "falco.rules_file": "falco.rules_files",
    "priorityClassName": "podPriorityClassName",
    "falcoctl.indexes": "falcoctl.config.indexes",
    "falcoctl.artifact.refs": "falcoctl.config.artifact.install.refs",
    "falcosidekick.webui.redis.storageclass": "falcosidekick.webui.redis.storageClass",
    "response_actions": "responseActions",
    "falcotalon": "falco-talon",
}
#: Old sockets of the container engines, and the engine that the role calls them by.
_ENGINES = {"containerd": "containerd", "cri": "containerd", "crio": "crio", "docker": "docker"}


def take_old(taking: Taking) -> None:
    """Renames, translates or drops what newer charts do not have."""
    _rename_config(taking)
    _driver(taking)
    _engines(taking)
    for old, new in _MOVED.items():
        _move(taking, old, new)
    for problem in find_replaced(taking.rest):
        if taking.take(problem.path) is not ABSENT:
            taking.note(problem.path, problem.message + " It was left out.", problem.hint)
        elif "[" in problem.path:
            taking.note(problem.path, problem.message + " It was kept, since it is in a list.", problem.hint)


def _rename_config(taking: Taking) -> None:
    """falco.jsonOutput of charts before 2 is falco.json_output."""
    config = taking.look("falco")
    if not isinstance(config, dict):
        return
    _rename(config, CONFIG_KEYS)
    for key, known in CONFIG_KEYS.items():
        if isinstance(known, dict) and isinstance(config.get(key), dict):
            _rename(config[key], known)


def _rename(level: dict[str, Any], known: Mapping[str, Any]) -> None:
    plain = {key.replace("_", "").lower(): key for key in known}
    for key in list(level):
        wanted = plain.get(str(key).replace("_", "").lower())
        if wanted and wanted not in level:
            level[wanted] = level.pop(key)


def _driver(taking: Taking) -> None:
    if taking.look("ebpf.enabled") is True or taking.look("driver.kind") in ("ebpf", "modern-bpf"):
        old = "the legacy eBPF probe" if taking.look("driver.kind") != "modern-bpf" else ""
        taking.take("ebpf")
        _put(taking, "driver.kind", "modern_ebpf")
        if old:
            taking.note("driver.kind", f"was {old}, which is gone since Falco 0.44; it became modern_ebpf.")
        least = taking.take("driver.ebpf.leastPrivileged")
        if least is not ABSENT and taking.look("driver.modernEbpf.leastPrivileged") is ABSENT:
            _put(taking, "driver.modernEbpf.leastPrivileged", least)
    elif taking.look("driver.kind") == "module":
        _put(taking, "driver.kind", "kmod")
    elif taking.look("driver.kind") == "gvisor":
        taking.take("driver.kind")
        taking.note("driver.kind", "was gvisor, which is gone since Falco 0.44 and which nothing replaces.")
    for name in ("syscall_buf_size_preset", "syscallBufSizePreset", "syscallBufferSizePreset"):
        preset = taking.take(f"falco.{name}")
        if given(preset):
            _put(taking, "driver.modernEbpf.bufSizePreset", preset)
    cpus = taking.take("falco.modern_bpf.cpus_for_each_syscall_buffer")
    if cpus is not ABSENT:
        _put(taking, "driver.modernEbpf.cpusForEachBuffer", cpus)


def _engines(taking: Taking) -> None:
    """Charts before 6 had a collector for each engine; the nodes have one, with one socket."""
    on: dict[str, Any] = {}
    said = False
    for old, engine in _ENGINES.items():
        for prefix in ("collectors.", ""):
            enabled, socket = taking.look(f"{prefix}{old}.enabled"), taking.look(f"{prefix}{old}.socket")
            if enabled is ABSENT and socket is ABSENT:
                continue
            taking.take(f"{prefix}{old}")
            said = True
            if enabled is not False:
                on[engine] = socket if given(socket) else on.get(engine, "")
    if len(on) == 1:
        engine, socket = next(iter(on.items()))
        taking.set("falco_container_engine", engine)
        if socket:
            taking.set("falco_container_engine_socket", str(socket))
    elif said:
        taking.note("collectors", "does not say which one engine the nodes have.", "The role asks the nodes (auto).")


def _move(taking: Taking, old: str, new: str) -> None:
    value = taking.take(old)
    if value is ABSENT:
        return
    there = taking.look(new)
    if isinstance(value, dict) and isinstance(there, dict):
        for key, inner in value.items():
            there.setdefault(key, inner)
    elif there is ABSENT:
        _put(taking, new, value)
    else:
        taking.leave(old, value, f"is {new} in newer charts. That is given, too, and was taken.")
        return
    taking.note(old, f"is {new} in newer charts.")


def _put(taking: Taking, path: str, value: Any) -> None:
    node = taking.rest
    *parents, last = path.split(".")
    for key in parents:
        inner = node.get(key)
        if not isinstance(inner, dict):
            inner = node[key] = {}
        node = inner
    node[last] = value
