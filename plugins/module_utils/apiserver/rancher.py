# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""k3s and RKE2: audit logging as a file of settings of its own beside the user's, and whose settings stand in its way.

Both read config.yaml and then the files of config.yaml.d in alphabetical order; a plus behind a key adds to what
earlier files say. So nothing of the user's is edited. Sources: https://docs.rke2.io/reference/server_config and
https://docs.k3s.io/installation/configuration#multiple-config-files
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from .entries import quoted
from .errors import ApiServerError, ConflictError
from .flags import GROUP_OF
from .nodes import Node, ScalarNode, SequenceNode, is_null, text_of
from .source import Source
from .wanted import Wanted

DROP_IN = "zz-falconet-audit.yaml"
_ARGUMENTS = "kube-apiserver-arg"
_MOUNTS = "kube-apiserver-extra-mount"
_POLICY = "audit-policy-file"


@dataclass(frozen=True)
class Distribution:
    """One whose API server is configured by files of settings.

    Attributes:
        name: k3s or rke2.
        service: of systemd, which reads them when it starts.
        program: first word of the process in which the API server runs.
        folder: of the settings.
    """

    name: str
    service: str
    program: str
    folder: str

    @property
    def config(self) -> str:
        """The user's file of settings."""
        return posixpath.join(self.folder, "config.yaml")

    @property
    def drop_ins(self) -> str:
        """Folder of further files of settings."""
        return posixpath.join(self.folder, "config.yaml.d")

    @property
    def own(self) -> str:
        """The collection's file of settings."""
        return posixpath.join(self.drop_ins, DROP_IN)


K3S = Distribution("k3s", "k3s", "k3s", "/etc/rancher/k3s")
RKE2 = Distribution("rke2", "rke2-server", "kube-apiserver", "/etc/rancher/rke2")


def settings_text(distribution: Distribution, wanted: Wanted) -> str:
    """The collection's file of settings.

    Args:
        distribution: whose.
        wanted: flags, volumes and digest.
    """
    flags = dict(wanted.all_flags)
    lines = [f"# Written by falconet.k8s (kube_apiserver_audit); {wanted.digest}"]
    if distribution.name == RKE2.name:  # it sets this flag itself, and takes the file by a key of its own
        lines.append(f"{_POLICY}: {quoted(flags.pop(_POLICY))}")
    lines += [f"{_ARGUMENTS}+:", *(f"- {quoted(f'{name}={value}')}" for name, value in flags.items())]
    if distribution.name == RKE2.name:  # its API server runs in a container
        mounts = (f"{one.path}:{one.path}{':ro' if one.read_only else ''}" for one in wanted.volumes)
        lines += [f"{_MOUNTS}+:", *(f"- {quoted(mount)}" for mount in mounts)]
    return "\n".join(lines) + "\n"


def flags_of(text: str, file: str) -> list[str]:
    """The flags that the collection's file of settings gives to the API server, with their dashes.

    Raises:
        ApiServerError: it cannot be read; with the place.
    """
    source = Source(text, file)
    policy = source.value(source.root, _POLICY)
    arguments = [text_of(node) for node in _items(source, f"{_ARGUMENTS}+")]
    return [f"--{one}" for one in ([f"{_POLICY}={text_of(policy)}"] if policy is not None else []) + arguments]


def check_settings(wanted: Wanted, texts: Mapping[str, str]) -> None:
    """That no other file of settings has flags of the wanted groups, or would put the collection's out of use.

    Args:
        wanted: flags.
        texts: path to text of all other files, in the order in which they are read.

    Raises:
        ConflictError: one has.
        ApiServerError: one cannot be read; with the place.
    """
    found = []
    for file, text in texts.items():
        if not text.strip():
            continue
        source = Source(text, file)
        for key in (_ARGUMENTS, f"{_ARGUMENTS}+"):
            for node in _items(source, key):
                name = text_of(node).partition("=")[0].lstrip("-").replace("_", "-")
                if GROUP_OF.get(name) in wanted.flags:
                    found.append(f"{source.place(node)}: {text_of(node)}")
        own = source.value(source.root, _POLICY)
        if own is not None:
            found.append(f"{source.place(own)}: {_POLICY}: {text_of(own)}")
        later = posixpath.basename(file) > DROP_IN
        overridden = source.pair(source.root, _ARGUMENTS)
        if later and overridden is not None:
            raise ConflictError(
                f"{source.place(overridden[0])}: {_ARGUMENTS} here takes all earlier ones away; write {_ARGUMENTS}+, "
                f"or rename the file so that it comes before {DROP_IN}"
            )
    if found:
        raise ConflictError(
            "audit logging is configured already, by somebody else: " + "; ".join(found) + ". Remove it there"
        )


def _items(source: Source, key: str) -> list[Node]:
    node = source.value(source.root, key)
    if node is None or is_null(node):
        return []
    if isinstance(node, ScalarNode):
        return [node]
    if not isinstance(node, SequenceNode):
        raise ApiServerError(f"{source.place(node)}: {key} must be a list or a text")
    return list(node.items)
