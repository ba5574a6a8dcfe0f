"""What the loaded rules ask of events: of which types, and which of their fields.

Fields that Falco makes up of others, such as `fd.ip`, are resolved to these, and all ancestors of a process to the list
that the evaluator keeps them in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.nodes import Field, walk
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.conditions import CHECK, Part
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import CompiledRule, Engine
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import SYSCALL, Event, FieldMap

from .sensor import FOLLOWING

ALL_ANCESTORS = "[*]"
"""After a field's name: a list of what all ancestors have, nearest first."""
_DESCRIPTOR = ("fd.name", "fd.num", "fd.type", "fd.typechar")
_ENDS = ("fd.cip", "fd.sip", "fd.lip", "fd.rip")
_PORTS = ("fd.cport", "fd.sport", "fd.lport", "fd.rport")
_ANCESTORS = ("proc.aname", "proc.aexe", "proc.aexepath", "proc.acmdline", "proc.apid")
_MADE_OF = {
    "fd.ip": (*_DESCRIPTOR, *_ENDS),
    "fd.net": (*_DESCRIPTOR, *_ENDS),
    "fd.port": (*_DESCRIPTOR, *_PORTS),
    "fd.proto": (*_DESCRIPTOR, *_PORTS),
    **{f"fd.{end}net": (f"fd.{end}ip",) for end in "cslr"},
    **{name: (name + ALL_ANCESTORS,) for name in _ANCESTORS},
}


class _Asked(FieldMap):
    """Fields without a value, which remember that they were asked for."""

    def __missing__(self, key: str) -> Any:
        self[key] = None
        return None


def wanted(engine: Engine, types: Iterable[str]) -> dict[str, list[str]]:
    """The fields that the sensor is asked for by type of system call; of a type that no rule can hold for nothing is.

    Args:
        engine: the rules.
        types: those that can be told of.
    """
    of_rule: dict[str, set[str]] = {}
    found: dict[str, list[str]] = {}
    for event_type in types:
        candidates = engine.candidates(SYSCALL, event_type)
        if not candidates:
            continue
        names: set[str] = set()
        for rule in candidates:
            if rule.name not in of_rule:
                of_rule[rule.name] = set(_fields_of(rule))
            names |= of_rule[rule.name]
        found[event_type] = sorted(names - FOLLOWING)
    return found


def _fields_of(rule: CompiledRule) -> Iterator[str]:
    asked = _Asked()
    rule.alert(Event(SYSCALL, asked))
    for name in (*asked, *_in_condition(rule.part)):
        yield from _MADE_OF.get(name, (name,))


def _in_condition(part: Part) -> Iterator[str]:
    if part.kind == CHECK:
        for node in walk(part.node):
            if isinstance(node, Field):
                yield node.text
    for inner in part.parts:
        yield from _in_condition(inner)
