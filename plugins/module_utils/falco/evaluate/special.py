# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""Fields that Falco compares in ways of their own: both ends of a connection, all ancestors, times around.

They have no value that could be recorded, so they are made up of fields that have: `fd.ip` of `fd.name`, or of
`fd.cip`, `fd.sip`, `fd.lip` and `fd.rip`; `proc.aname` of `proc.aname[1]`, `proc.aname[2]` and so on.
Kept as Falco has it: `fd.ip in (...)` and `proc.apid in (...)` never hold, `fd.net` looks at the first network only and
knows `intersects` of listening sockets alone, a modifier on them looks at the first value only.
Source: `compare_ip`, `compare_net`, `compare_port` of `userspace/libsinsp/sinsp_filtercheck_fd.cpp`,
`compare_full_*` of `sinsp_filtercheck_thread.cpp`, `compare_nocache` of `sinsp_filtercheck_event.cpp` in libs.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from ..catalogue.fields import FieldTable
from ..condition.nodes import Compare, Exists, Field, Node, Value, ValueList
from .constants import STRING_TYPES, address, number
from .operands import Fields, converter
from .predicates import Predicate, constant_test, set_test, value_test

Test = Callable[[Fields], bool]
Ends = Callable[[Fields], "tuple[Any, ...]"]

_ANCESTORS = ("proc.aname", "proc.apid", "proc.aexe", "proc.aexepath", "proc.acmdline", "proc.aenv")
_OF_NETS = {"fd.cnet": "fd.cip", "fd.snet": "fd.sip", "fd.lnet": "fd.lip", "fd.rnet": "fd.rip"}
MAX_ANCESTORS = 256


def special_test(table: FieldTable, node: Exists | Compare) -> Test | None:
    """The comparison, when its field is one of these without an argument; else None."""
    field = node.left
    if not isinstance(field, Field):
        return None
    name = field.name
    if name in ("fd.ip", "fd.net"):
        return _both_ends(node, addresses, _exists_fd, "ipaddr" if name == "fd.ip" else "ipnet")
    if name in ("fd.port", "fd.proto"):
        return _both_ends(node, ports, _exists_fd, "port")
    if name in _OF_NETS and field.arg is None:
        return _of_net(node, name, _OF_NETS[name])
    if name in _ANCESTORS and field.arg is None:
        return _of_ancestors(table, node, name)
    if name == "evt.around" and isinstance(node, Compare):
        return _around(node, field.arg or "")
    return None


def _constants(right: Node) -> tuple[str, ...]:
    return right.values if isinstance(right, ValueList) else (right.text,) if isinstance(right, Value) else ()


def addresses(fields: Fields) -> tuple[bytes, ...]:
    """The addresses of both ends of the event's connection, as far as they are known."""
    found = _known_ends(fields, 0, ("fd.cip", "fd.sip", "fd.lip", "fd.rip"), converter("ipaddr"))
    if found or fields["fd.name"] is None:
        return found
    family = fields["fd.type"]
    return (bytes(4),) if family == "ipv4" else (bytes(16),) if family == "ipv6" else ()


def ports(fields: Fields) -> tuple[int, ...]:
    """The ports of both ends of the event's connection, as far as they are known."""
    found = _known_ends(fields, 1, ("fd.cport", "fd.sport", "fd.lport", "fd.rport"), converter("port"))
    if found or fields["fd.name"] is None or fields["fd.type"] not in ("ipv4", "ipv6"):
        return found
    return (0,)


def _known_ends(fields: Fields, half: int, keys: tuple[str, ...], convert: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Of a connection by its name, else of what is recorded, else of a socket that waits for connections.

    A socket without any of these has zeros for both ends, as one that is new.
    """
    named = _ends_in_name(fields)
    ends: list[Any] = [end[half] for end in named] if len(named) == 2 else []
    ends = ends or [fields[key] for key in keys if fields[key] is not None]
    if not ends and named and named[0][1] != "0":
        ends = [named[0][half]]
    converted = (convert(end) for end in ends)
    return tuple(dict.fromkeys(end for end in converted if end is not None))


def _ends_in_name(fields: Fields) -> list[tuple[str, str]]:
    """Addresses and ports in `fd.name`, `address:port->address:port` or one of them; none when it is no such name."""
    name = fields["fd.name"]
    if not isinstance(name, str) or fields["fd.type"] not in ("ipv4", "ipv6", None) or ":" not in name:
        return []
    ends = [(end.rpartition(":")[0], end.rpartition(":")[2]) for end in name.split("->")]
    return ends if len(ends) <= 2 and all(address(host) and port.isdigit() for host, port in ends) else []


def _exists_fd(fields: Fields) -> bool:
    """Whether the event has a file descriptor that Falco knows.

    Falco has a number, a name and a letter for others, too, as of a file that could not be opened, but no type.
    """
    if fields["fd.type"] is not None:
        return True
    number = fields["fd.num"]
    if fields["fd.typechar"] == "o" or (isinstance(number, int) and number < 0):
        return False
    return any(fields[key] is not None for key in ("fd.num", "fd.typechar", "fd.name", "fd.types"))


def seen_value(fields: Fields, field: Field) -> Any:
    """What a comparison of a field looks at: its value, or for these fields what it is made up of."""
    if field.name in ("fd.ip", "fd.net"):
        return [str(ip_address(end)) for end in addresses(fields)] or None
    if field.name in ("fd.port", "fd.proto"):
        return list(ports(fields)) or None
    if field.arg is None and field.name in _OF_NETS:
        return fields[_OF_NETS[field.name]]
    if field.arg is None and field.name in _ANCESTORS:
        return ancestors(fields, field.name) or None
    return fields[field.text]


def ancestors_text(fields: Fields, name: str) -> str | None:
    """What an output shows of all ancestors."""
    return " ".join(map(str, ancestors(fields, name))) or None


def _both_ends(node: Exists | Compare, ends: Ends, exists: Test, kind: str) -> Test:
    if isinstance(node, Exists):
        return exists
    op = node.operator.split(" ")[0]
    values = _constants(node.right)
    if op == "intersects" and kind == "ipnet" and values:
        holds = value_test(op, kind, values[0])
        return lambda fields: _listens(fields) and any(map(holds, ends(fields)))
    if op == "intersects" or not values or (op == "in" and kind == "ipaddr"):
        return lambda fields: False
    predicate = set_test("in", kind, values) if op == "in" and kind == "port" else value_test(op, kind, values[0])
    if op == "!=":

        def both(fields: Fields) -> bool:
            found = ends(fields)
            return bool(found) and all(map(predicate, found))

        return both
    return lambda fields: any(map(predicate, ends(fields)))


def _listens(fields: Fields) -> bool:
    """Whether the event is about a socket that waits for connections: it has a name, of one end and a port."""
    named = _ends_in_name(fields)
    return len(named) == 1 and named[0][1] != "0"


def _of_net(node: Exists | Compare, name: str, key: str) -> Test:
    """Networks are recorded without the address, so the field of the address is looked at."""
    if isinstance(node, Exists):
        return lambda fields: fields[name] is not None or fields[key] is not None
    predicate = constant_test(node.operator, "ipnet", _constants(node.right))
    to_address = converter("ipaddr")

    def test(fields: Fields) -> bool:
        packed = to_address(fields[key])
        return packed is not None and predicate(packed)

    return test


def ancestors(fields: Fields, name: str) -> list[Any]:
    """What is recorded of the ancestors, nearest first."""
    known = f"{name}[*]"  # no field has this name
    found: list[Any] | None = fields[known]
    if found is None:
        found = fields[known] = []
        for depth in range(1, MAX_ANCESTORS):
            value = fields[f"{name}[{depth}]"]
            if value is None:
                break
            found.append(value)
    return found


def _of_ancestors(table: FieldTable, node: Exists | Compare, name: str) -> Test:
    if isinstance(node, Exists):
        return lambda fields: bool(ancestors(fields, name))
    kind = table.need(name).type
    op = node.operator.split(" ")[0]
    convert = converter(kind)
    values = _constants(node.right)
    if op in ("in", "intersects") and kind not in STRING_TYPES:
        return lambda fields: False  # Falco looks a number of no length up
    if op in ("in", "intersects", "pmatch"):
        predicate: Predicate = set_test(op, kind, values)
    elif values:
        predicate = value_test(op, kind, values[0])
    else:
        return lambda fields: False
    return lambda fields: any(predicate(value) for value in map(convert, ancestors(fields, name)) if value is not None)


def _around(node: Compare, argument: str) -> Test:
    """`evt.around[T] = M`: within M milliseconds of the time T, in nanoseconds."""
    moment = number(argument, 64, False) if argument.strip().lstrip("+-").isdigit() else 0
    span = number(_constants(node.right)[0], 64, False) * 1_000_000
    to_int = converter("abstime")

    def test(fields: Fields) -> bool:
        time = to_int(fields["evt.rawtime"] if fields["evt.rawtime"] is not None else fields["evt.time"])
        return time is not None and (time - span) % (1 << 64) <= moment <= (time + span) % (1 << 64)

    return test
