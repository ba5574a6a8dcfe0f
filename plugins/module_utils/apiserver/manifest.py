# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audit logging in the manifest of a kube-apiserver that runs as a static pod: put in, taken out, looked for."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .entries import Entry, append, quoted, scalar, spans
from .errors import ApiServerError, ConflictError
from .flags import GROUPS, Flag, audit_flags
from .nodes import MappingNode, Node, ScalarNode, is_flow, plain, text_of
from .source import REPLACED, Edit, Source
from .wanted import FILES_VOLUME, LOG_VOLUME, Volume, Wanted

ANNOTATION = "falconet.k8s/audit-files"
"""Annotation of the pod with the digest of the files: the kubelet starts the pod again when it changes."""
CONTAINER = "kube-apiserver"
_SHELLS = frozenset(("sh", "ash", "bash", "dash"))
_LISTS = ("command", "args")


@dataclass(frozen=True)
class _Argument:
    """One argument of the container: the list that it is in, its node and its text."""

    place: str
    node: Node
    text: str


class Manifest:
    """The manifest of a static pod with a kube-apiserver.

    Args:
        text: of the file.
        file: its name in messages.

    Raises:
        ApiServerError: it is no such manifest, or written in a way in which it cannot be edited; with its place.
    """

    def __init__(self, text: str, file: str) -> None:
        self.source = source = Source(text, file)
        kind = source.value(source.root, "kind")
        if kind is None or text_of(kind) != "Pod":
            raise ApiServerError(f"{source.place(kind or source.root)}: must be a manifest of kind Pod")
        self.spec = self._needed(source.root, "spec")
        self.metadata = self._needed(source.root, "metadata")
        self.container = self._find_container()
        self.arguments = [
            _Argument(place, node, node.value)
            for place in _LISTS
            for node in self._scalars(source.items(self.container, place), place)
        ]
        self._check_arguments()
        self.flags = audit_flags(self.argv)

    @property
    def argv(self) -> list[str]:
        """The arguments of the process, its program first."""
        return [argument.text for argument in self.arguments]

    def _needed(self, mapping: Node, key: str) -> Node:
        found = self.source.value(mapping, key)
        if found is None or not isinstance(found, MappingNode):
            raise ApiServerError(f"{self.source.place(found or mapping)}: must have a mapping {key}")
        return found

    def _find_container(self) -> Node:
        containers = self.source.items(self.spec, "containers")
        names = []
        for container in containers:
            name = self.source.value(container, "name")
            names.append(text_of(name) if name else "without a name")
            if names[-1] == CONTAINER:
                return container
        raise ApiServerError(
            f"{self.source.place(self.spec)}: must have a container {CONTAINER}; there is {', '.join(names) or 'none'}"
        )

    def _scalars(self, nodes: Sequence[Node], place: str) -> list[ScalarNode]:
        found = []
        for node in nodes:
            if not isinstance(node, ScalarNode) or node.style in {"|", ">"}:
                raise ApiServerError(f"{self.source.place(node)}: an item of {place} must be a text on one line")
            found.append(node)
        return found

    def _check_arguments(self) -> None:
        if not self.arguments:
            raise ApiServerError(
                f"{self.source.place(self.container)}: the container has neither command nor args to add flags to"
            )
        first = self.arguments[0]
        if posixpath.basename(first.text) in _SHELLS:
            raise ApiServerError(
                f"{self.source.place(first.node)}: a shell starts the API server, so its flags are not seen; "
                f"start {CONTAINER} itself"
            )
        for argument in self.arguments:
            if argument.text == "--":
                raise ApiServerError(f"{self.source.place(argument.node)}: no flag is read after --; remove it")

    def ours(self) -> set[str]:
        """Groups of flags that the collection has set, told by the volumes that their paths are in."""
        folders = {name: self._folder(name) for name in (FILES_VOLUME, LOG_VOLUME)}
        found = set()
        for group, flags in GROUPS.items():
            folder = folders[LOG_VOLUME if group == "log" else FILES_VOLUME]
            value = next((flag.value for flag in self.flags if flag.name == flags[0]), None)
            if folder is not None and value is not None and posixpath.dirname(value) == folder:
                found.add(group)
        return found

    def _folder(self, volume: str) -> str | None:
        node = self._named("volumes", volume)
        if node is None:
            return None
        found = plain(node)
        path = found.get("hostPath") if isinstance(found, dict) else None
        return str(path.get("path")) if isinstance(path, dict) else None

    def _named(self, place: str, name: str) -> Node | None:
        for node in self.source.items(self._holder(place), place):
            found = self.source.value(node, "name")
            if found is not None and text_of(found) == name:
                return node
        return None

    def _holder(self, place: str) -> Node:
        return self.spec if place == "volumes" else self.container

    def annotation(self) -> str:
        """The digest that the annotation holds, or nothing."""
        found = self.source.value(self.metadata, "annotations")
        if found is None or not isinstance(found, MappingNode):
            return ""
        value = self.source.value(found, ANNOTATION)
        return text_of(value) if value is not None else ""

    def fulfils(self, wanted: Wanted) -> bool:
        """Whether all that is wanted is there, however it is written, and nothing more of the collection's."""
        ours = self.ours()
        for group in GROUPS:
            here = [(flag.name, flag.value) for flag in self.flags if flag.name in GROUPS[group]]
            if group in wanted.flags:
                if sorted(here) != sorted(wanted.flags[group].items()):
                    return False
            elif group in ours:
                return False
        expected = {volume.name: volume for volume in wanted.volumes}
        for name in (FILES_VOLUME, LOG_VOLUME):
            found = [self._named(place, name) for place in ("volumes", "volumeMounts")]
            values = [plain(node) if node is not None else None for node in found]
            volume = expected.get(name)
            if values != ([None, None] if volume is None else [_volume(volume), _mount(volume)]):
                return False
        return self.annotation() == wanted.digest

    def without(self) -> str:
        """The text without all that the collection has put in, and with what it has put out of use."""
        source = self.source
        ours = self.ours()
        gone = {
            number
            for flag in self.flags
            if any(flag.name in GROUPS[group] for group in ours)
            for number in range(flag.first, flag.last + 1)
        }
        removed = []
        for place in _LISTS:
            chosen = [a.node for number, a in enumerate(self.arguments) if number in gone and a.place == place]
            removed += spans(source, self.container, place, chosen)
        for place in ("volumeMounts", "volumes"):
            nodes = [self._named(place, name) for name in (FILES_VOLUME, LOG_VOLUME)]
            removed += spans(source, self._holder(place), place, [node for node in nodes if node is not None])
        annotations = source.value(self.metadata, "annotations")
        if isinstance(annotations, MappingNode):
            found = source.pair(annotations, ANNOTATION)
            removed += spans(source, self.metadata, "annotations", [found[0]] if found else [])
        # A line that was put out of use stands among those that are taken out now, never within one of them.
        lines = source.without(removed).split("\n")
        return "\n".join(_brought_back(line) for line in lines)

    def conflicts(self, wanted: Wanted) -> list[Flag]:
        """Flags of the wanted groups; asked of a manifest without the collection's own."""
        return [flag for flag in self.flags if any(flag.name in GROUPS[group] for group in wanted.flags)]

    def place_of(self, flag: Flag) -> str:
        """File, line and column of a flag."""
        return self.source.place(self.arguments[flag.first].node)

    def with_(self, wanted: Wanted, replace: bool) -> str:
        """The text with all that is wanted; asked of a manifest without the collection's own.

        Args:
            wanted: flags, volumes and digest.
            replace: whether flags that somebody else has set may be put out of use.

        Raises:
            ConflictError: they are there and may not, or a directory is mounted already.
            ApiServerError: the manifest is written in a way in which it cannot be edited.
        """
        foreign = self.conflicts(wanted)
        if foreign and not replace:
            raise ConflictError(
                "audit logging is configured already, by somebody else: "
                + "; ".join(f"{self.place_of(flag)}: --{flag.name}={flag.value}" for flag in foreign)
                + ". Remove these flags, or set replace: true, which keeps them as comments and brings them back on "
                "removal."
            )
        self._check_mounts(wanted)
        edits = self._put_out_of_use(foreign)
        place = "args" if self.source.items(self.container, "args") else "command"
        flags = [f"--{name}={value}" for name, value in wanted.all_flags.items()]
        edits.append(
            append(self.source, self.container, place, [Entry((f"- {scalar(flag)}",), quoted(flag)) for flag in flags])
        )
        mounts = [_entry(_mount(volume)) for volume in wanted.volumes]
        edits.append(append(self.source, self.container, "volumeMounts", mounts))
        edits.append(append(self.source, self.spec, "volumes", [_entry(_volume(volume)) for volume in wanted.volumes]))
        if wanted.digest:
            line = f"{ANNOTATION}: {quoted(wanted.digest)}"
            edits.append(append(self.source, self.metadata, "annotations", [Entry((line,), line)]))
        return self.source.edited(edits)

    def _check_mounts(self, wanted: Wanted) -> None:
        for node in self.source.items(self.container, "volumeMounts"):
            path = self.source.value(node, "mountPath")
            for volume in wanted.volumes:
                if path is not None and text_of(path).rstrip("/") == volume.path:
                    raise ConflictError(
                        f"{self.source.place(node)}: something is mounted at {volume.path} already; choose another "
                        "directory"
                    )

    def _put_out_of_use(self, foreign: Sequence[Flag]) -> list[Edit]:
        edits = []
        for flag in foreign:
            for argument in self.arguments[flag.first : flag.last + 1]:
                holder = self.source.value(self.container, argument.place)
                if holder is None or is_flow(holder):
                    raise ApiServerError(
                        f"{self.place_of(flag)}: --{flag.name} stands in a list in brackets, where it cannot be kept "
                        "as a comment; write the list in lines"
                    )
                [(start, end)] = spans(self.source, self.container, argument.place, [argument.node])
                for line in self.source.text[start:end].rstrip("\n").split("\n"):
                    index = start + len(line) - len(line.lstrip())
                    edits.append(Edit(index, index, REPLACED))
                    start += len(line) + 1
        return edits


def without_audit(text: str, file: str) -> str:
    """The text of a manifest without all that the collection has put in.

    Raises:
        ApiServerError: it is no manifest of an API server, or cannot be edited; with its place.
    """
    return Manifest(text, file).without()


def with_audit(text: str, file: str, wanted: Wanted, replace: bool = False) -> str:
    """The text of a manifest with audit logging as wanted, untouched if it has it already.

    Args:
        text: of the manifest.
        file: its name in messages.
        wanted: flags, volumes and digest.
        replace: whether flags that somebody else has set may be put out of use.

    Raises:
        ConflictError: somebody else has configured audit logging, and replace does not hold.
        ApiServerError: it is no manifest of an API server, or cannot be edited; with its place.
    """
    manifest = Manifest(text, file)
    if manifest.fulfils(wanted):
        return text
    return Manifest(manifest.without(), file).with_(wanted, replace)


def _volume(volume: Volume) -> dict[str, Any]:
    return {"name": volume.name, "hostPath": {"path": volume.path, "type": volume.kind}}


def _mount(volume: Volume) -> dict[str, Any]:
    return {"name": volume.name, "mountPath": volume.path, "readOnly": volume.read_only}


def _entry(values: dict[str, Any]) -> Entry:
    lines: list[str] = []
    for name, value in values.items():
        if isinstance(value, dict):
            lines += [f"{name}:", *(f"  {inner}: {scalar(text)}" for inner, text in value.items())]
        else:
            lines.append(f"{name}: {_text(value, scalar(str(value)))}")
    return Entry(tuple(("- " if number == 0 else "  ") + line for number, line in enumerate(lines)), _flow(values))


def _flow(values: dict[str, Any]) -> str:
    pairs = (
        f"{name}: {_flow(value) if isinstance(value, dict) else _text(value, quoted(str(value)))}"
        for name, value in values.items()
    )
    return "{" + ", ".join(pairs) + "}"


def _text(value: Any, text: str) -> str:
    return str(value).lower() if isinstance(value, bool) else text


def _brought_back(line: str) -> str:
    bare = line.lstrip()
    if not bare.startswith(REPLACED):
        return line
    return line[: len(line) - len(bare)] + bare[len(REPLACED) :]
