# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audit logging of a kubeadm control-plane node: what is to change, shown, and done."""

from __future__ import annotations

import difflib
import hashlib
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..apiserver.errors import ApiServerError
from ..apiserver.kubeadm import configuration_with_audit, configuration_without_audit
from ..apiserver.kubeconfig import shown
from ..apiserver.managed import no_control_plane
from ..apiserver.manifest import Manifest, with_audit, without_audit
from ..apiserver.rancher import Distribution, check_settings, settings_text
from ..apiserver.wanted import POLICY_FILE, WEBHOOK_FILE, Settings, Wanted, wanted
from . import journal as notes
from .change import Place, carry_out, check_running, manifest_of, remove_those
from .cluster_configuration import NAME, Stored, store, stored
from .processes import processes

ORIGINAL = "kube-apiserver.yaml"
"""Name of the backup: the manifest as it was before the first change."""


@dataclass(frozen=True)
class Request:
    """What the user says.

    Attributes:
        place: where things are.
        settings: flags and folder; None takes audit logging out.
        folder: of the policy and the kubeconfig.
        policy: text of the audit policy.
        kubeconfig: text of the webhook's kubeconfig, or nothing.
        replace: whether somebody else's settings may be put out of use.
        admin_kubeconfig: path, by which kubeadm's ClusterConfiguration is reached; nothing leaves it alone.
    """

    place: Place
    settings: Settings | None
    folder: str
    policy: str = ""
    kubeconfig: str = ""
    replace: bool = False
    admin_kubeconfig: str = ""

    @property
    def policy_path(self) -> str:
        """Where the policy lies."""
        return posixpath.join(self.folder, POLICY_FILE)

    @property
    def kubeconfig_path(self) -> str:
        """Where the webhook's kubeconfig lies."""
        return posixpath.join(self.folder, WEBHOOK_FILE)


@dataclass(frozen=True)
class Plan:
    """What is to change.

    Attributes:
        files: path to content, None for one that is to be away; only those that change.
        before: what they hold now.
        configuration: the ClusterConfiguration that the cluster holds, None where it has none or is not asked.
        text: what it is to hold.
    """

    files: Mapping[str, bytes | None]
    before: Mapping[str, bytes | None]
    configuration: Stored | None = None
    text: str = ""
    secret: frozenset[str] = field(default_factory=frozenset)

    @property
    def configuration_changes(self) -> bool:
        """Whether the ClusterConfiguration is to change."""
        return self.configuration is not None and self.text != self.configuration.text

    @property
    def changed(self) -> bool:
        """Whether anything is to change."""
        return bool(self.files) or self.configuration_changes

    def diff(self) -> str:
        """The change for people, without secrets."""
        pieces = []
        for path, content in self.files.items():
            texts = [_shown(one, path in self.secret) for one in (self.before[path], content)]
            pieces.append(_unified(path, *texts))
        if self.configuration is not None and self.configuration_changes:
            pieces.append(_unified(f"kube-system/{NAME}", self.configuration.text, self.text))
        return "".join(pieces)


def _shown(content: bytes | None, secret: bool) -> str:
    text = (content or b"").decode(errors="replace")
    return shown(text) if secret else text


def _unified(name: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"before: {name}", f"after: {name}", lineterm=""
    )
    return "".join(f"{line}\n" for line in lines)


def check_places(request: Request) -> None:
    """That nothing but the manifest comes into the manifests' folder, and that there is a manifest.

    Raises:
        ApiServerError: with what would be right.
    """
    distribution = request.place.distribution
    manifests = posixpath.dirname(request.place.manifest)
    reader = f"{distribution.service} reads" if distribution else "the kubelet starts"
    for option, path in (("directory", request.folder), ("backup_directory", request.place.notes)):
        if not path.startswith("/") or posixpath.normpath(path) != path:
            raise ApiServerError(
                f"{option} is {path}: it must be an absolute path, written without . and .. and extra /"
            )
        if path == manifests or path.startswith(manifests + "/"):
            raise ApiServerError(f"{option} is {path}: {reader} what lies in {manifests}; choose another one")
    if request.folder == request.place.notes:
        raise ApiServerError(f"directory and backup_directory are both {request.folder}; choose two")
    if distribution is not None and not Path(distribution.folder).is_dir():
        raise ApiServerError(
            f"there is no {distribution.folder}: no server of {distribution.name} has run on this node"
        )
    if distribution is None and not Path(request.place.manifest).exists():
        command_lines = [" ".join(process.argv) for process in processes("kubelet")]
        raise ApiServerError(no_control_plane(request.place.manifest, command_lines))


def plan(request: Request) -> Plan:
    """What is to change on this node and in the cluster.

    Raises:
        ApiServerError: a file cannot be edited, somebody else has configured audit logging, or the cluster does not
            answer.
    """
    contents: dict[str, bytes | None] = {
        request.policy_path: request.policy.encode() or None,
        request.kubeconfig_path: request.kubeconfig.encode() or None,
    }
    before = {path: notes.read(path) for path in contents}
    drifted = any(content is not None and content != before[path] for path, content in contents.items())
    aim = wanted(request.settings, _digest(contents)) if request.settings is not None else None
    if request.place.distribution is not None:
        return _plan_settings(request, request.place.distribution, aim, contents, drifted)
    manifest = manifest_of(request.place)
    file = request.place.manifest
    if aim is None:
        text = without_audit(manifest.source.text, file)
    else:
        aim = _aim_of(manifest, aim, drifted)
        text = with_audit(manifest.source.text, file, aim, request.replace)
    before[file] = manifest.source.text.encode()
    files = {file: text.encode(), **contents}
    changes = {path: content for path, content in files.items() if content != before[path]}
    configuration = stored(request.admin_kubeconfig) if request.admin_kubeconfig else None
    return Plan(
        files=changes,
        before=before,
        configuration=configuration,
        text=_configuration(configuration, aim, request.replace) if configuration else "",
        secret=frozenset((request.kubeconfig_path,)),
    )


def _plan_settings(
    request: Request,
    distribution: Distribution,
    aim: Wanted | None,
    contents: Mapping[str, bytes | None],
    drifted: bool,
) -> Plan:
    own = request.place.manifest
    before = {path: notes.read(path) for path in (own, *contents)}
    text = None
    if aim is not None:
        check_settings(aim, _other_settings(distribution))
        first, again = (settings_text(distribution, one).encode() for one in (aim, aim.again()))
        # As with the annotation of a manifest: a file that was put right has to be read again.
        text = again if (before[own] == first) == drifted and before[own] in (first, again) else first
    files = {own: text, **contents}
    changes = {path: content for path, content in files.items() if content != before[path]}
    return Plan(files=changes, before=before, secret=frozenset((request.kubeconfig_path,)))


def _other_settings(distribution: Distribution) -> dict[str, str]:
    paths = [distribution.config, *(str(path) for path in sorted(Path(distribution.drop_ins).glob("*.yaml")))]
    found = {}
    for path in paths:
        content = notes.read(path)
        if content is not None and path != distribution.own:
            found[path] = content.decode(errors="replace")
    return found


def _aim_of(manifest: Manifest, aim: Wanted, drifted: bool) -> Wanted:
    """The aim with the annotation that starts the pod again if a file is written that the manifest already names."""
    here = manifest.annotation()
    if here == aim.again().digest:
        return aim if drifted else aim.again()
    return aim.again() if drifted and here == aim.digest else aim


def _digest(contents: Mapping[str, bytes | None]) -> str:
    whole = hashlib.sha256()
    for content in contents.values():
        whole.update(hashlib.sha256(content or b"").digest())
    return f"sha256:{whole.hexdigest()}"


def _configuration(before: Stored, aim: Wanted | None, replace: bool) -> str:
    name = f"kube-system/{NAME}"
    if aim is None:
        return configuration_without_audit(before.text, name)
    return configuration_with_audit(before.text, name, aim, replace)


def change(request: Request, found: Plan) -> None:
    """Do what was planned, prove it, and say where it failed.

    Raises:
        ApiServerError: the API server does not come back with it, in which case the old manifest is back.
    """
    backup = Path(request.place.notes) / ORIGINAL
    if request.place.manifest in found.files:
        _prepare(request, backup)
        carry_out(request.place, found.files)
    else:
        check_running(request.place)
        remove_those(found.files)
    if found.configuration is not None and found.configuration_changes:
        store(request.admin_kubeconfig, found.configuration, found.text)
    if request.settings is None:
        _clean_up(request, backup)


def _prepare(request: Request, backup: Path) -> None:
    """What must be there before the change: the backup of a manifest, the log's folder where no kubelet makes it."""
    if request.settings is None:
        return
    if request.place.distribution is not None:
        if request.settings.log is not None:
            Path(request.settings.log["path"]).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    manifest = manifest_of(request.place)
    if not manifest.ours():
        backup.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        notes.write(str(backup), manifest.source.text.encode())


def _clean_up(request: Request, backup: Path) -> None:
    """Folders away that hold nothing any more; the backup stays where the manifest is not what it was."""
    if notes.read(str(backup)) == notes.read(request.place.manifest):
        notes.remove(str(backup))
    for folder in (request.folder, request.place.notes):
        path = Path(folder)
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
