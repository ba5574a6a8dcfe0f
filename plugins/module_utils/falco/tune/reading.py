# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts in lines of JSON, as Falco, Falcosidekick, Loki and Elasticsearch write and export them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..evaluate.events import SYSCALL


class Alert(NamedTuple):
    """An alert as far as tuning needs it."""

    rule: str
    source: str
    fields: Mapping[str, Any]


class Lines:
    """Reads alerts and counts what is none.

    Attributes:
        skipped: lines without an alert, such as what Falco's log says at its start.
        first_skipped: the number of the first of them, or None.
    """

    def __init__(self, names: Iterable[str]) -> None:
        """Args:
        names: fields that are known; Falcosidekick may write them with underscores in the place of dots.
        """
        self.skipped = 0
        self.first_skipped: int | None = None
        self._dotted = {name.replace(".", "_"): name for name in names}

    def read(self, lines: Iterable[bytes]) -> Iterator[Alert]:
        """The alerts of some lines, in order; blank lines are passed over."""
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            found = False
            for value in _objects(line):
                alert = self._alert(value)
                if alert is not None:
                    found = True
                    yield alert
            if not found:
                self.skipped += 1
                self.first_skipped = self.first_skipped or number

    def _alert(self, value: Mapping[str, Any]) -> Alert | None:
        rule, fields = value.get("rule"), value.get("output_fields")
        if not isinstance(rule, str) or not isinstance(fields, Mapping):
            return None
        named = {str(key if "." in key else self._dotted.get(key, key)): field for key, field in fields.items()}
        source = value.get("source")
        return Alert(rule, source if isinstance(source, str) else SYSCALL, named)


def _objects(line: bytes) -> Iterator[Mapping[str, Any]]:
    """What may be an alert in a line; a container runtime may have put its own words before it."""
    text = line.decode("utf-8", "replace")
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    for begin in dict.fromkeys((start, text.find("{"))):
        if begin < 0:
            continue
        try:
            found = list(_within(json.loads(text[begin:], strict=False)))
        except (ValueError, RecursionError):  # the latter: nested too deeply to be an alert
            continue
        yield from found
        return


def _within(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _within(item)
    if not isinstance(value, Mapping):
        return
    if "output_fields" in value:
        yield value
    elif isinstance(value.get("_source"), Mapping):  # a document of Elasticsearch
        yield from _within(value["_source"])
    elif isinstance(value.get("hits"), Mapping):  # the answer to a search there
        yield from _within(value["hits"].get("hits"))
    elif isinstance(value.get("line"), str):  # logcli --output=jsonl
        yield from _objects(value["line"].encode())
    elif isinstance(value.get("data"), Mapping):  # the answer to a query of Loki
        for stream in value["data"].get("result") or ():
            for entry in stream.get("values") or ():
                yield from _objects(str(entry[1]).encode())
    elif isinstance(value.get("log"), str):  # the runtime's own log in JSON
        yield from _objects(value["log"].encode())
