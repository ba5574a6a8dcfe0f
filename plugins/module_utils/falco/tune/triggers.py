# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The events of triggers: what Falco sees when `verify` does that on which a rule must alert.

What is known of a trigger is its pod: image, namespace, names, the command and the shell that starts it. What else the
rule asks for (a system call, a file) is taken from its condition, by solving it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ..evaluate.events import Event
from ..testing.run import Ruleset
from ..testing.solve import Solver

CONTAINER = "trigger"
"""Name of the container in a trigger's pod."""
SHELL = "sh"
"""What starts a trigger's command."""
WAYS = 50
"""Ways of a condition that are tried."""


def events_of(trigger: Mapping[str, Any], image: str, ruleset: Ruleset) -> list[Event]:
    """Events that a trigger may be seen as, on each of which its rule fires.

    Args:
        trigger: with `rule`, `namespace` and `command`, as the variable `verify_triggers` has it.
        image: of its pod.
        ruleset: the rules.

    Returns:
        One event for each program that the rule may fire on; none where the rules do not have the rule, or where no
        event was found.
    """
    compiler = ruleset.loaded.compiler
    compiled = compiler.rules.get(str(trigger["rule"]))
    rule = ruleset.engine().rules.get(str(trigger["rule"]))
    if compiled is None or rule is None:
        return []
    table = compiler.tables[compiled.rule.source]
    place = {
        "container.image.repository": _repository(image),
        "k8s.ns.name": str(trigger["namespace"]),
        "container.name": CONTAINER,
    }
    place = {name: value for name, value in place.items() if table.find(name) is not None}
    solver = Solver(table, compiler)
    found: dict[tuple[Any, ...], Event] = {}
    for program, parent in _programs(trigger["command"]):
        for known in ({"proc.name": program, "proc.pname": parent}, {"proc.name": program}, {}):
            event = next(
                (
                    one
                    for one in islice(solver.solutions(compiled.node, known={**place, **known}), WAYS)
                    if rule.test(Event(compiled.rule.source, dict(one)).fields)
                ),
                None,
            )
            if event is not None:
                full = Event(compiled.rule.source, {"user.name": "root", **event})
                if not rule.test(full.fields):
                    full = Event(compiled.rule.source, event)
                found.setdefault(tuple(sorted((name, repr(value)) for name, value in event.items())), full)
                break
    return list(found.values())


def _programs(command: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Programs that a command may be seen as, each with what started it."""
    words = [str(word) for word in command]
    if not words:
        return
    program = posixpath.basename(words[0])
    yield program, SHELL
    if "-c" in words[1:-1]:
        for part in words[words.index("-c") + 1].replace("&&", ";").replace("|", ";").split(";"):
            if part.split():
                yield posixpath.basename(part.split()[0]), program


def _repository(image: str) -> str:
    """An image without its tag and digest."""
    name = image.partition("@")[0]
    head, slash, tail = name.rpartition("/")
    return f"{head}{slash}{tail.partition(':')[0]}"
