# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""Outputs, compiled: an alert's text and its `output_fields`.

Source: `userspace/libsinsp/eventformatter.cpp`, `rawval_to_string` of `sinsp_filtercheck.cpp` in falcosecurity/libs,
`userspace/engine/formats.cpp` in falcosecurity/falco.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from ..catalogue.catalogue import FieldInfo
from ..catalogue.fields import FieldTable
from ..condition.checks import operand as checked_operand
from ..condition.nodes import Field, Node, walk
from ..load.output import output_tokens
from .constants import STRING_TYPES, octets
from .operands import HEXADECIMAL, Fields, as_text, compile_operand, cut, texts
from .special import ancestors_text
from .times import time_text

MISSING = "<NA>"
MAX_LIST_BYTES = 1023
"""Falco's bound on a list in an output."""
_PADDED = ("evt.rawtime.ns", "evt.reltime", "evt.reltime.ns", "evt.latency.ns", "evt.deltatime.ns")

_COUNTED_TEXTS = ("fd.type", "fd.typechar", "fd.types", "evt.res", "fdlist.nums", "fdlist.cports", "fdlist.sports")
_OF_ANCESTORS = ("proc.aname", "proc.aexe", "proc.aexepath", "proc.acmdline", "proc.apid")

Render = Callable[[Fields], str]


class CompiledOutput:
    """A rule's output.

    Attributes:
        fields: texts of the fields that it names, in order.
    """

    def __init__(self, table: FieldTable, output: str) -> None:
        text = output[1:] if output.startswith("*") else output
        shift = len(output) - len(text)
        self._pieces: list[str | Render] = []
        self.fields: list[str] = []
        position = 0
        for percent, node in output_tokens(table, output):
            start = percent - shift
            if start > position:
                self._pieces.append(text[position:start])
            after = start + 1
            while text[after].isdigit() and text[after].isascii():
                after += 1
            digits = text[start + 1 : after]
            position = after + node.end
            self._pieces.append(_sized(renderer(table, node), int(digits) if digits else 0))
            self.fields.extend(part.text for part in walk(node) if isinstance(part, Field))
        if position < len(text):
            self._pieces.append(text[position:])
        self.fields = list(dict.fromkeys(self.fields))

    def text(self, fields: Fields) -> str:
        """The output on an event; `<NA>` stands for what has no value."""
        return "".join(piece if isinstance(piece, str) else piece(fields) for piece in self._pieces)

    def values(self, fields: Fields) -> dict[str, Any]:
        """`output_fields`: the fields that the output names, those inside transformers included."""
        return {key: _printed(fields, key) for key in self.fields}


def _printed(fields: Fields, key: str) -> Any:
    """A recorded value; of ancestors without a number all of them, and of their ids the process's own."""
    value = fields[key]
    if value is None and key in _OF_ANCESTORS:
        return fields["proc.pid"] if key == "proc.apid" else ancestors_text(fields, key)
    return value


def _sized(render: Render, size: int) -> Render:
    """Cut or fill up to a number of bytes, as in `%10proc.name`."""
    if not size:
        return render
    return lambda fields: texts(octets(render(fields))[:size].ljust(size))


def renderer(table: FieldTable, node: Node) -> Render:
    """What prints a field or a transformer."""
    operand = compile_operand(table, node)
    name = operand.key.partition("[")[0]
    get = operand.get
    if operand.key in _OF_ANCESTORS:
        return lambda fields: _shown(_printed(fields, name))
    if name and operand.kind.endswith("net"):
        return lambda fields: MISSING if fields[operand.key] is None else "<IPNET>"
    if operand.kind == "uint64" and not name:
        if not _has_number_format(table, checked_operand(table, node).base):
            return lambda fields: MISSING
        return lambda fields: _shown(get(fields))
    if name == HEXADECIMAL:
        return lambda fields: MISSING if (value := get(fields)) is None else f"{value & 0xFFFFFFFF:X}"
    if name in _PADDED:
        return lambda fields: MISSING if (value := get(fields)) is None else f"{value:09d}"
    if operand.is_list:
        return lambda fields: _listed(get(fields))
    if name and operand.kind not in ("bool", "double", *STRING_TYPES):
        key = operand.key  # numbers and addresses are recorded as Falco prints them
        return lambda fields: _shown(fields[key])
    return lambda fields: _shown(get(fields))


def _has_number_format(table: FieldTable, base: FieldInfo) -> bool:
    """Whether a length can be printed: Falco takes the format of the field that it is the length of.

    A text has none for numbers, unless it is a plugin's, or one of a few.
    """
    if base.type not in (*STRING_TYPES, "bytebuf", "bool"):
        return True
    return base.name in _COUNTED_TEXTS or base.name in table.source.plugin


def _shown(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bytes):
        return str(ip_address(value)) if len(value) in (4, 16) else texts(value)
    if isinstance(value, float):
        return f"{value:.1f}"
    return cut(as_text(value) or "")


def _listed(values: Sequence[Any] | None) -> str:
    if values is None:
        return MISSING
    # Falco leaves the comma out as long as nothing but the parenthesis is there
    shown = "("
    for value in values:
        shown += ("," if len(shown) > 1 else "") + _shown(value)
    shown += ")"
    return texts(octets(shown)[:MAX_LIST_BYTES])


def prefix(time_ns: int | None, priority: str) -> str:
    """What Falco puts before an output."""
    return f"{MISSING if time_ns is None else time_text(time_ns)}: {priority} "


def extra_output(
    entries: Sequence[Mapping[str, Any]], suggested: Sequence[str], rule: str, source: str, tags: set[str]
) -> tuple[list[str], dict[str, str | None]]:
    """What `append_output` adds to a rule.

    Args:
        entries: as in falco.yaml.
        suggested: fields that the source's plugins suggest.
        rule, source, tags: of the rule.

    Returns:
        Texts to append to the output, and further output fields: a format by name, or None for the field itself.
    """
    appended: list[str] = []
    further: dict[str, str | None] = {}
    for entry in entries:
        match = entry.get("match") or {}
        wanted_tags = set(match.get("tags") or ())
        if (match.get("rule") or rule) != rule or (match.get("source") or source) != source or not wanted_tags <= tags:
            continue
        if entry.get("extra_output"):
            appended.append(str(entry["extra_output"]))
        if entry.get("suggested_output"):
            appended.extend(f"{name.replace('.', '_')}=%{name}" for name in suggested)
        for field in entry.get("extra_fields") or ():
            if isinstance(field, Mapping):
                further.update({str(key): str(value) for key, value in field.items()})
            else:
                further[str(field)] = None
    return appended, further
