# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a kube-apiserver gets so that it audits: flags by group, volumes, and the digest of the files that it reads."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .errors import ApiServerError
from .flags import GROUPS

FILES_VOLUME = "falconet-audit"
LOG_VOLUME = "falconet-audit-log"
AGAIN = ".again"
"""Behind the digest of files that had been changed by hand while the manifest had been left alone."""
POLICY_FILE = "policy.yaml"
WEBHOOK_FILE = "webhook.kubeconfig"


@dataclass(frozen=True)
class Volume:
    """A directory of the node that the container sees under the same path.

    Attributes:
        name: of the volume.
        path: on the node and in the container.
        read_only: for the container.
        kind: the type of a hostPath volume.
    """

    name: str
    path: str
    read_only: bool
    kind: str


@dataclass(frozen=True)
class Wanted:
    """All that is to be in a manifest.

    Attributes:
        flags: group to flag to value.
        volumes: to be mounted.
        digest: of the policy and of the webhook's kubeconfig, since the API server reads them when it starts only.
    """

    flags: Mapping[str, Mapping[str, str]]
    volumes: tuple[Volume, ...]
    digest: str = ""

    def again(self) -> Wanted:
        """The same with another annotation, by which the kubelet starts the pod again."""
        return replace(self, digest=self.digest + AGAIN)

    @property
    def all_flags(self) -> dict[str, str]:
        """Flag to value, in the order of GROUPS."""
        return {name: value for group in self.flags.values() for name, value in group.items()}


@dataclass(frozen=True)
class Settings:
    """What the user says.

    Attributes:
        folder: absolute path of the directory with the policy and the kubeconfig.
        webhook: settings of the webhook by the rest of the flag's name, such as batch-max-size; None switches it off.
        log: settings of the log by the rest of the flag's name, with path; None switches it off.
    """

    folder: str
    webhook: Mapping[str, str] | None = None
    log: Mapping[str, str] | None = field(default=None)


def wanted(settings: Settings, digest: str = "") -> Wanted:
    """What a manifest gets.

    Raises:
        ApiServerError: neither webhook nor log are wanted, a path is not absolute, or both want the same directory.
    """
    folder = settings.folder
    _absolute("folder", folder)
    if settings.webhook is None and settings.log is None:
        raise ApiServerError("neither webhook nor log is set: events would be recorded for nobody; set one of them")
    flags: dict[str, dict[str, str]] = {"policy": {"audit-policy-file": posixpath.join(folder, POLICY_FILE)}}
    volumes = [Volume(FILES_VOLUME, folder, read_only=True, kind="Directory")]
    if settings.webhook is not None:
        known = {"config-file": posixpath.join(folder, WEBHOOK_FILE), **settings.webhook}
        flags["webhook"] = _in_order("webhook", "audit-webhook-", known)
    if settings.log is not None:
        path = settings.log["path"]
        _absolute("log.path", path)
        directory = posixpath.dirname(path)
        if directory in {"/", folder}:
            raise ApiServerError(f"log.path is {path}: the log needs a directory of its own, not {directory}")
        flags["log"] = _in_order("log", "audit-log-", settings.log)
        volumes.append(Volume(LOG_VOLUME, directory, read_only=False, kind="DirectoryOrCreate"))
    return Wanted(flags, tuple(volumes), digest)


def _absolute(option: str, path: str) -> None:
    # POSIX leaves two slashes at the beginning as they are, and so does normpath.
    if posixpath.normpath("/" + path.lstrip("/")) != path or path == "/":
        raise ApiServerError(f"{option} is {path}: it must be an absolute path, written without . and .. and extra /")


def _in_order(group: str, prefix: str, given: Mapping[str, str]) -> dict[str, str]:
    found = {prefix + name: value for name, value in given.items()}
    return {name: found[name] for name in GROUPS[group] if name in found}
