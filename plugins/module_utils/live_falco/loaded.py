# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a running Falco loads before a site's own rules: the text of its rules files, and how it matches rules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..common.yaml_text import YamlTextError, read_one
from ..falco_chart.diagnosis import is_ready
from ..kube.client import Client
from ..kube.errors import ExecError
from ..kube.exec import Command, run
from .rollout import Wanted, falco_reports
from .rules import falco_pods

CONFIG = ("/etc/falco/falco.yaml", "/etc/falco/config.d")
#: Each file as a line with its size in bytes and its path, then its bytes; a directory stands for its files.
_SCRIPT = """
show() { if [ -f "$1" ]; then printf '%s %s\\n' "$(wc -c < "$1")" "$1"; cat "$1"; fi; }
for path; do
  if [ -d "$path" ]; then for inner in "$path"/*; do show "$inner"; done; else show "$path"; fi
done
"""


@dataclass(frozen=True)
class LoadedFile:
    """A rules file in Falco's container."""

    path: str
    text: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class FalcoLoad:
    """What one Falco has.

    Attributes:
        pod, node: which one was asked.
        rule_matching: `first` or `all`.
        priority: rules below it are not loaded.
        files: loaded before the site's own, in Falco's order.
        later: paths that Falco loads after the site's own.
        differing: pods that run other bytes of these files, in words.
    """

    pod: str
    node: str
    rule_matching: str
    priority: str
    files: tuple[LoadedFile, ...]
    later: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()


def read_load(client: Client, wanted: Wanted, config_maps: Sequence[str]) -> FalcoLoad:
    """Ask a ready Falco pod for its configuration and rules files, and every pod whether it runs the same bytes.

    Args:
        wanted: namespace, workload, container and port.
        config_maps: those that hold the site's own rules; where they are mounted is not read.

    Raises:
        ExecError: no pod is ready, it has no shell, or what it said makes no sense.
        ForbiddenError: RBAC does not allow C(pods/exec) or C(pods/proxy).
    """
    pods = [pod for pod in falco_pods(client, wanted) if is_ready(pod)]
    if not pods:
        raise ExecError("no Falco pod is ready")
    pod = min(pods, key=lambda one: str(one["metadata"]["name"]))
    name = str(pod["metadata"]["name"])
    settings = merged(_documents(_read(client, wanted, name, CONFIG)), _overrides(pod, wanted.container))
    own = own_directories(pod, wanted.container, config_maps)
    listed = [str(path).rstrip("/") for path in _listed(settings.get("rules_files") or settings.get("rules_file"))]
    place = next((number for number, path in enumerate(listed) if path in own), len(listed))
    before = [path for path in listed[:place] if path not in own]
    found = _read(client, wanted, name, before) if before else []
    files = tuple(LoadedFile(path, text) for entry in before for path, text in _below(entry, found))
    digests = {file.name: file.sha256 for file in files}
    reports = falco_reports(client, replace(wanted, digests=digests), pods)
    differing = [f"pod {one['name']} on {one['node']} {text}" for one in reports for text in one["differs"]]
    return FalcoLoad(
        pod=name,
        node=str(pod.get("spec", {}).get("nodeName", "")),
        rule_matching=str(settings.get("rule_matching") or "first"),
        priority=str(settings.get("priority") or "debug"),
        files=files,
        later=tuple(path for path in listed[place:] if path not in own),
        differing=tuple(differing),
    )


def own_directories(pod: Mapping[str, Any], container: str, config_maps: Sequence[str]) -> set[str]:
    """Where a pod mounts the site's own rules."""
    volumes = {
        volume["name"] for volume in pod["spec"].get("volumes") or [] if set(_maps_of(volume)) & set(config_maps)
    }
    found = [one for one in pod["spec"].get("containers") or [] if one["name"] == container]
    mounts = [mount for one in found for mount in one.get("volumeMounts") or []]
    return {str(mount["mountPath"]).rstrip("/") for mount in mounts if mount["name"] in volumes}


def _maps_of(volume: Mapping[str, Any]) -> list[str]:
    """Names of the ConfigMaps in a volume."""
    sources = [volume, *((volume.get("projected") or {}).get("sources") or [])]
    return [str(source["configMap"]["name"]) for source in sources if source.get("configMap")]


def merged(documents: Iterable[Mapping[str, Any]], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Falco's configuration as far as it matters here: later scalars win, lists are joined, command line last."""
    settings: dict[str, Any] = {}
    for document in documents:
        for key, value in document.items():
            if isinstance(value, list) and isinstance(settings.get(key), list):
                settings[key] = [*settings[key], *value]
            else:
                settings[key] = value
    return {**settings, **overrides}


def _overrides(pod: Mapping[str, Any], container: str) -> dict[str, str]:
    """Settings of the command line (`-o key=value`) that are plain keys."""
    found = [one for one in pod["spec"].get("containers") or [] if one["name"] == container]
    words = [str(word) for one in found for word in (one.get("command") or []) + (one.get("args") or [])]
    pairs = [words[number + 1] for number, word in enumerate(words[:-1]) if word in ("-o", "--option")]
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def _documents(files: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    documents = []
    for path, text in sorted(files, key=lambda file: (file[0] != CONFIG[0], file[0])):
        if not path.endswith((".yaml", ".yml")):
            continue
        try:
            document = read_one(text)
        except YamlTextError as error:
            raise ExecError(f"{path} in Falco's container is no YAML: {error}") from error
        if isinstance(document, dict):
            documents.append(document)
    if not documents:
        raise ExecError(f"there is no {CONFIG[0]} in Falco's container")
    return documents


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _below(entry: str, files: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """A listed file, or the files of a listed directory by name."""
    return sorted((path, text) for path, text in files if path == entry or path.rpartition("/")[0] == entry)


def _read(client: Client, wanted: Wanted, pod: str, paths: Sequence[str]) -> list[tuple[str, str]]:
    """Path and text of files in Falco's container; those that do not exist are left out."""
    argv = ("sh", "-c", _SCRIPT, "sh", *paths)
    answer = run(client, Command(wanted.namespace, pod, wanted.container, argv, timeout_seconds=30.0))
    if answer.exit_code:
        raise ExecError(f"pod {pod} does not show its files: {' '.join(answer.stderr.split())[:400]}")
    return parse_shown(answer.stdout)


def parse_shown(output: str) -> list[tuple[str, str]]:
    """The files in the output of the script.

    Raises:
        ExecError: the output is cut, or a file is not UTF-8.
    """
    rest = output.encode()
    files: list[tuple[str, str]] = []
    while rest:
        head, _newline, rest = rest.partition(b"\n")
        size, _blank, path = head.partition(b" ")
        if not size.isdigit() or len(rest) < int(size):
            raise ExecError("a file in Falco's container is not UTF-8, or was cut on its way")
        files.append((path.decode(), rest[: int(size)].decode("utf-8", "replace")))
        rest = rest[int(size) :]
    return files
