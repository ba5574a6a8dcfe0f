#!/usr/bin/env python3
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read facts of a version out of its sources, as tables of tools/facts, on standard output.

Usage:
    python3 tools/read_facts.py events LIBS             LIBS: a checkout of falcosecurity/libs; > FALCO/events.tsv
    python3 tools/read_facts.py config SCHEMA           falco's config_json_schema.h; > FALCO/config-keys.tsv
    python3 tools/read_facts.py outputs CHART           falcosidekick's chart; > falcosidekick-outputs.tsv

Only facts are taken: names, types and flags.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml


def events(libs: Path) -> Iterator[tuple[str, ...]]:
    """The event table: code, name, and the parameters' names and types."""
    numbers = (libs / "driver" / "ppm_events_public.h").read_text(encoding="utf-8")
    codes = {name: int(number) for name, number in re.findall(r"\b(PPME_\w+)\s*=\s*(\d+)", numbers)}
    text = (libs / "driver" / "event_table.c").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    starts = list(re.finditer(r"\[(PPME_\w+)\]\s*=\s*\{\s*\"([^\"]+)\"", text))
    table: dict[int, tuple[str, str]] = {}
    for number, match in enumerate(starts):
        stop = starts[number + 1].start() if number + 1 < len(starts) else len(text)
        parameters = re.findall(r"\{\s*\"([^\"]+)\"\s*,\s*PT_(\w+)", text[match.end() : stop])
        table[codes[match.group(1)]] = (match.group(2), " ".join(f"{name}:{kind.lower()}" for name, kind in parameters))
    if sorted(table) != list(range(len(table))):
        sys.exit(f"{libs}: the event table has gaps")
    yield "code", "name", "parameters"
    for code in range(len(table)):
        yield (str(code), *table[code])


def config_keys(source: Path) -> Iterator[tuple[str, ...]]:
    """The keys of falco.yaml with their JSON types; nested ones are dotted."""
    text = source.read_text(encoding="utf-8")
    schema = json.loads(text[text.index("LONG_STRING_CONST(\n") + len("LONG_STRING_CONST(") : text.rindex(");")])

    def below(node: dict[str, Any], prefix: str) -> Iterator[tuple[str, ...]]:
        for key, reference in (node.get("properties") or {}).items():
            value = reference
            while "$ref" in value:
                value = schema["definitions"][value["$ref"].rsplit("/", 1)[-1]]
            if value.get("type") == "object" and value.get("properties"):
                yield from below(value, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", value.get("type", "any")

    yield "key", "type"
    yield from below(schema["definitions"]["FalcoConfig"], "")


def outputs(chart: Path) -> Iterator[tuple[str, ...]]:
    """Settings of Falcosidekick's outputs, and the variable that carries each."""
    version = yaml.safe_load((chart / "Chart.yaml").read_text(encoding="utf-8"))["version"]
    template = (chart / "templates" / "secrets.yaml").read_text(encoding="utf-8")
    found = re.findall(r'^\s*([A-Z0-9_]+):\s*"\{\{[-\s]*\.Values\.config\.([A-Za-z0-9_.]+)', template, re.M)
    yield "output", "setting", "variable", "chart"
    for variable, path in sorted(found, key=lambda pair: pair[1].partition(".")[0]):
        output, _, setting = path.partition(".")
        yield output, setting, variable, str(version)


READERS = {"events": events, "config": config_keys, "outputs": outputs}


def main(arguments: list[str]) -> int:
    """Entry point."""
    if len(arguments) != 2 or arguments[0] not in READERS:
        sys.stderr.write(__doc__ or "")
        return 2
    table: Iterable[tuple[str, ...]] = READERS[arguments[0]](Path(arguments[1]))
    for row in table:
        print("\t".join(row))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
