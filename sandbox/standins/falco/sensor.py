"""The source of system calls: a child, `falco-sensor`, that tells what the kernel sees of this node.

It speaks lines of JSON. First `{"types": [...]}`, the event types that it knows. It is told which it shall tell of, as
`{"openat": ["fd.name", ...], ...}`, and answers `{"wanted": N}`, N counting from 1, before the first event that is
told in this way. An event is `["openat", nanoseconds since 1970, values of the fields in their order ...]`. Each second
comes `{"seen": events, "dropped": events}`. It ends when its standard input does.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import SYSCALL, Event, FieldMap
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.times import TIME_FIELDS

FOLLOWING = frozenset(
    {
        *("evt.type", "evt.num", "evt.hostname", "evt.source", "evt.is_async", "evt.dir"),
        *("evt.rawtime", "evt.rawtime.s", "evt.rawtime.ns", *TIME_FIELDS),
    }
)
"""Fields that follow from an event's type and time: the sensor is not asked for them."""
_SECOND_NS = 1_000_000_000
Wanted = Mapping[str, Sequence[str]]


class SensorError(Exception):
    """The sensor did not start, or ended; its own words are in the log."""


class SensorFields(FieldMap):
    """Fields of one event: those that were told, and those that follow from its time and its type."""

    __slots__ = ("event_type", "hostname", "number", "time_ns")

    def __init__(self, told: Any, event_type: str, time_ns: int, number: int, hostname: str) -> None:
        super().__init__(told)
        self.event_type = event_type
        self.time_ns = time_ns
        self.number = number
        self.hostname = hostname

    def __missing__(self, key: str) -> Any:
        if key not in FOLLOWING:
            return super().__missing__(key)
        value: Any = self.time_ns
        if key == "evt.type":
            value = self.event_type
        elif key == "evt.num":
            value = self.number
        elif key == "evt.hostname":
            value = self.hostname
        elif key == "evt.source":
            value = SYSCALL
        elif key == "evt.is_async":
            value = False
        elif key == "evt.dir":
            value = "<"
        elif key == "evt.rawtime.s":
            value = self.time_ns // _SECOND_NS
        elif key == "evt.rawtime.ns":
            value = self.time_ns % _SECOND_NS
        self[key] = value
        return value


class Sensor:
    """A sensor that runs.

    Attributes:
        types: the event types that it knows.
        seen, dropped: events up to a second ago: told by the kernel, and lost in it.
    """

    def __init__(self, argv: Sequence[str], hostname: str) -> None:
        """Start it; it attaches its programs before it says what it knows.

        Raises:
            SensorError: it ended instead.
        """
        self._hostname = hostname
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._lock = threading.Lock()
        self._asked = 0
        self.seen = self.dropped = 0
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        first = self._output.readline()
        if not first:
            raise SensorError(f"the sensor ended with code {self._process.wait()} instead of starting")
        self.types: list[str] = json.loads(first)["types"]

    def want(self, fields: Wanted) -> int:
        """Say what shall be told of, from now on.

        Args:
            fields: names of fields by event type, those that are FOLLOWING not among them.

        Returns:
            The number by which `events` announces the first event of this kind.
        """
        with self._lock:
            self._input.write(json.dumps(fields).encode() + b"\n")
            self._input.flush()
            self._asked += 1
            return self._asked

    def events(self, wanted: Callable[[int], Wanted], handle: Callable[[Event], None]) -> None:
        """Hand over each event, until the sensor ends.

        Args:
            wanted: called with the number that `want` returned, before the first event of this kind; gives its fields.
            handle: gets each event.
        """
        names: Wanted = {}
        number = 0
        for line in self._output:
            told = json.loads(line)
            if told.__class__ is list:
                number += 1
                event_type, time_ns = told[0], told[1]
                pairs = zip(names[event_type], told[2:], strict=True)
                fields = SensorFields(pairs, event_type, time_ns, number, self._hostname)
                handle(Event(SYSCALL, fields, number, time_ns=time_ns))
            elif "wanted" in told:
                names = wanted(told["wanted"])
            else:
                self.seen, self.dropped = told["seen"], told["dropped"]

    def close(self) -> int:
        """End it; its exit code."""
        self._input.close()
        return self._process.wait(timeout=10)
