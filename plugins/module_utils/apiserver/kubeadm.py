# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kubeadm's ClusterConfiguration: audit logging put in and taken out, so that `kubeadm upgrade` keeps it.

Source: https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/#kubeadm-k8s-io-v1beta4-APIServer;
v1beta3 has extraArgs as a mapping.
"""

from __future__ import annotations

from .entries import Entry, append, quoted, scalar, spans
from .errors import ApiServerError, ConflictError
from .flags import GROUPS
from .nodes import MappingNode, Node, is_flow, is_null, plain, text_of
from .source import ADDED, Source
from .wanted import FILES_VOLUME, LOG_VOLUME, Volume, Wanted

_MAPS = ("kubeadm.k8s.io/v1beta2", "kubeadm.k8s.io/v1beta3")
_LISTS = ("kubeadm.k8s.io/v1beta4",)
_OURS = frozenset((FILES_VOLUME, LOG_VOLUME))


class _Configuration:
    """A ClusterConfiguration with its extraArgs and extraVolumes of the API server."""

    def __init__(self, text: str, file: str) -> None:
        self.source = source = Source(text, file)
        if is_flow(source.root):
            raise ApiServerError(f"{source.place(source.root)}: must be written in lines, not in braces")
        kind, version = source.value(source.root, "kind"), source.value(source.root, "apiVersion")
        if kind is None or text_of(kind) != "ClusterConfiguration":
            raise ApiServerError(f"{source.place(kind or source.root)}: must be of kind ClusterConfiguration")
        if version is None or text_of(version) not in (*_MAPS, *_LISTS):
            raise ApiServerError(
                f"{source.place(version or source.root)}: apiVersion must be one of {', '.join((*_MAPS, *_LISTS))}"
            )
        self.as_map = text_of(version) in _MAPS
        server = source.value(source.root, "apiServer")
        if server is not None and not isinstance(server, MappingNode) and not is_null(server):
            raise ApiServerError(f"{source.place(server)}: apiServer must be a mapping")
        self.server = server if isinstance(server, MappingNode) else None

    def arguments(self) -> list[tuple[Node, str, str]]:
        """Node, name and value of each extra argument."""
        if self.server is None:
            return []
        if self.as_map:
            found = self.source.value(self.server, "extraArgs")
            if found is None or is_null(found):
                return []
            if not isinstance(found, MappingNode):
                raise ApiServerError(f"{self.source.place(found)}: extraArgs must be a mapping")
            return [(key, key.value, text_of(value)) for key, value in found.pairs]
        arguments = []
        for item in self.source.items(self.server, "extraArgs"):
            name, value = self.source.value(item, "name"), self.source.value(item, "value")
            arguments.append((item, text_of(name) if name else "", text_of(value) if value else ""))
        return arguments

    def volumes(self) -> list[Node]:
        """The collection's own volumes."""
        found = []
        for item in self.source.items(self.server, "extraVolumes") if self.server is not None else []:
            name = self.source.value(item, "name")
            if name is not None and text_of(name) in _OURS:
                found.append(item)
        return found

    def ours(self) -> set[str]:
        """Flags of the groups whose first flag is a path in one of the collection's own volumes."""
        folders = {str(values["name"]): str(values.get("hostPath")) for values in map(plain, self.volumes())}
        values = {name: value for _node, name, value in self.arguments()}
        found: set[str] = set()
        for group, flags in GROUPS.items():
            folder = folders.get(LOG_VOLUME if group == "log" else FILES_VOLUME)
            path = values.get(flags[0], "")
            if folder and path.rpartition("/")[0] == folder:
                found.update(flags)
        return found


def configuration_without_audit(text: str, file: str) -> str:
    """A ClusterConfiguration without all that the collection has put in.

    Raises:
        ApiServerError: it is none, or cannot be edited; with its place.
    """
    found = _Configuration(text, file)
    server = found.server
    if server is None:
        return text
    ours = found.ours()
    removed = spans(
        found.source, server, "extraArgs", [node for node, name, _value in found.arguments() if name in ours]
    )
    removed += spans(found.source, server, "extraVolumes", found.volumes())
    if not removed:
        return text
    text = found.source.without(removed)
    # Where apiServer itself was put in, nothing is below it now.
    source = Source(text, file)
    pair = source.pair(source.root, "apiServer")
    if pair and is_null(pair[1]):
        start = source.line_start(pair[0].start)
        end = source.after(pair[1])
        if text[start:end].rstrip().endswith(ADDED):
            text = source.without([(start, end)])
    return text


def configuration_with_audit(text: str, file: str, wanted: Wanted, replace: bool = False) -> str:
    """A ClusterConfiguration with audit logging as wanted, untouched if it has it already.

    Args:
        text: of the ClusterConfiguration.
        file: its name in messages.
        wanted: flags and volumes; the digest has no place here.
        replace: whether somebody else's values of these flags may go, for good.

    Raises:
        ConflictError: somebody else has configured audit logging, and replace does not hold.
        ApiServerError: it is none, or cannot be edited; with its place.
    """
    if _fulfils(_Configuration(text, file), wanted):
        return text
    text = configuration_without_audit(text, file)
    found = _Configuration(text, file)
    names = {name for group in wanted.flags for name in GROUPS[group]}
    foreign = [(node, name, value) for node, name, value in found.arguments() if name in names]
    if foreign and not replace:
        places = "; ".join(f"{found.source.place(node)}: {name}: {value}" for node, name, value in foreign)
        raise ConflictError(
            f"audit logging is configured already, by somebody else: {places}. Remove it, or set replace: true"
        )
    if foreign and found.server is not None:
        text = found.source.without(spans(found.source, found.server, "extraArgs", [node for node, *_rest in foreign]))
    arguments = [_argument(found.as_map, name, value) for name, value in wanted.all_flags.items()]
    for key, entries in (("extraArgs", arguments), ("extraVolumes", [_volume(one) for one in wanted.volumes])):
        text = _appended(_Configuration(text, file), key, entries)
    return text


def _fulfils(found: _Configuration, wanted: Wanted) -> bool:
    names = {name for group in wanted.flags for name in GROUPS[group]} | found.ours()
    here = [(name, value) for _node, name, value in found.arguments() if name in names]
    # kubeadm leaves out what is false.
    volumes = [{"readOnly": False, **plain(node)} for node in found.volumes()]
    expected = [_values(volume) for volume in wanted.volumes]
    return sorted(here) == sorted(wanted.all_flags.items()) and volumes == expected


def _appended(found: _Configuration, key: str, entries: list[Entry]) -> str:
    source = found.source
    if found.server is not None:
        return source.edited([append(source, found.server, key, entries)])
    # There is none: it comes with the key in it.
    inner = "" if entries[0].lines[0].startswith("- ") else "  "
    lines = [f"{key}: {ADDED}", *(inner + line for entry in entries for line in entry.lines)]
    return source.edited([append(source, source.root, "apiServer", [Entry(tuple(lines), "")])])


def _argument(as_map: bool, name: str, value: str) -> Entry:
    if as_map:
        line = f"{name}: {quoted(value)}"
        return Entry((line,), f"{quoted(name)}: {quoted(value)}")
    return Entry(
        (f"- name: {name}", f"  value: {quoted(value)}"),
        f"{{{quoted('name')}: {quoted(name)}, {quoted('value')}: {quoted(value)}}}",
    )


def _values(volume: Volume) -> dict[str, object]:
    return {
        "name": volume.name,
        "hostPath": volume.path,
        "mountPath": volume.path,
        "readOnly": volume.read_only,
        "pathType": volume.kind,
    }


def _volume(volume: Volume) -> Entry:
    values = {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in _values(volume).items()
    }
    lines = [f"{name}: {value if name == 'readOnly' else scalar(value)}" for name, value in values.items()]
    flow = ", ".join(f"{name}: {value if name == 'readOnly' else quoted(value)}" for name, value in values.items())
    return Entry(tuple(("- " if number == 0 else "  ") + line for number, line in enumerate(lines)), f"{{{flow}}}")
