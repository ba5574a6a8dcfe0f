#!/usr/bin/env python3
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the catalogue of fields, event types and plugins of one Falco version as a Python module.

Usage:
    python3 tools/falco_catalogue.py --facts FACTS --libs LIBS --falco 0.44 --engine 0.63.0 [--output FILE]

FACTS holds the tables `fields-syscall.tsv`, `fields-plugins.tsv` and `event-types.tsv` (columns named in
their first line); LIBS is a checkout of falcosecurity/libs of the same version, of which only
`driver/event_table.c` and `driver/ppm_events_public.h` are read: how many event codes a name stands for
and which parameters events have is in no table that Falco prints.

Only facts are taken: names, types and flags. A plugin that is not in the tables is added by its author:
see `docs/rules.md`, "Another plugin's fields".
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from pathlib import Path

# What each plugin brings besides fields: its version, the source it produces events for, the sources it
# extracts fields for (none means all), the names of its asynchronous events, and the fields that Falco
# appends to every output of those sources when `append_output.suggested_output` is on, as it is by default.
PLUGINS: dict[str, dict[str, object]] = {
    "container": {
        "version": "0.7.1",
        "source": None,
        "extracts": ("syscall",),
        "events": ("container", "container_removed"),
        "suggested": (
            "container.id",
            "container.name",
            "container.image.repository",
            "container.image.tag",
            "k8s.pod.name",
            "k8s.ns.name",
        ),
    },
    "k8smeta": {
        "version": "0.4.1",
        "source": None,
        "extracts": ("syscall",),
        "events": ("k8s",),
        "suggested": ("k8smeta.pod.name", "k8smeta.ns.name"),
    },
    "json": {"version": "0.7.4", "source": None, "extracts": (), "events": (), "suggested": ()},
    "k8saudit": {"version": "0.18.0", "source": "k8s_audit", "extracts": ("k8s_audit",), "events": (), "suggested": ()},
}

# Known to the engine, yet in no table because `falco --list` does not print it.
UNLISTED_FIELDS = [("evt.around", "uint64", "required", "filter_only no_rhs no_transformer", "event")]

# The k8saudit plugin makes these in a loop, so that a table made from its source text lacks them.
POD_LISTS = {"initContainers": ["host_port"], "ephemeralContainers": []}
POD_FIELDS = [
    "name",
    "image",
    "image.repository",
    "command",
    "args",
    "privileged",
    "allow_privilege_escalation",
    "read_only_fs",
    "run_as_user",
    "eff_run_as_user",
    "run_as_group",
    "eff_run_as_group",
    "proc_mount",
    "add_capabilities",
]
UNLISTED_PLUGIN_FIELDS = [
    ("ka.req.role.rules.apiGroups", "charbuf", "optional", "is_list index", "k8saudit"),
    ("ka.req.role.rules.nonResourceURLs", "charbuf", "optional", "is_list index", "k8saudit"),
    *(
        (f"ka.req.pod.{kind}.{name}", "charbuf", "optional", "is_list index", "k8saudit")
        for kind, more in POD_LISTS.items()
        for name in [*POD_FIELDS, *more]
    ),
]

HEADER = '''# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields, event types and plugins of Falco {falco}, engine {engine}. By tools/falco_catalogue.py; do not edit."""

from __future__ import annotations

'''


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def event_codes(libs: Path) -> dict[str, int]:
    """Read the numbers of the event codes."""
    text = (libs / "driver" / "ppm_events_public.h").read_text(encoding="utf-8")
    return {name: int(number) for name, number in re.findall(r"\b(PPME_\w+)\s*=\s*(\d+)", text)}


def event_table(libs: Path) -> list[tuple[str, list[tuple[str, str]]]]:
    """Read the event table: by code, the event's name and its parameters' names and types."""
    text = (libs / "driver" / "event_table.c").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    codes = event_codes(libs)
    starts = list(re.finditer(r"\[(PPME_\w+)\]\s*=\s*\{\s*\"([^\"]+)\"", text))
    table: dict[int, tuple[str, list[tuple[str, str]]]] = {}
    for number, match in enumerate(starts):
        stop = starts[number + 1].start() if number + 1 < len(starts) else len(text)
        params = [
            (name, kind.lower())
            for name, kind in re.findall(r"\{\s*\"([^\"]+)\"\s*,\s*PT_(\w+)", text[match.end() : stop])
        ]
        table[codes[match.group(1)]] = (match.group(2), params)
    if sorted(table) != list(range(len(table))):
        sys.exit(f"{libs}: the event table has gaps")
    return [table[code] for code in range(len(table))]


def literal(name: str, values: list[str], comment: str) -> str:
    body = "".join(f"    {value},\n" for value in values)
    return f"# {comment}\n{name} = (\n{body})\n\n"


def catalogue(facts: Path, libs: Path, falco: str, engine: str) -> str:
    events = event_table(libs)
    params: dict[str, str] = {}
    for _, parameters in events:
        for name, kind in parameters:
            params.setdefault(name, kind)
    event_names = {name for name, _ in events}
    syscalls = sorted({row["name"] for row in rows(facts / "event-types.tsv")} - event_names)
    syscall_fields = [
        (
            row["name"],
            row["type"],
            row["argument"],
            " ".join(filter(None, (row["argument_kind"], row["flags"]))),
            row["class"],
        )
        for row in rows(facts / "fields-syscall.tsv")
    ] + UNLISTED_FIELDS
    plugin_fields = []
    for row in rows(facts / "fields-plugins.tsv"):
        kind = "charbuf" if row["type"].startswith("string") else row["type"]
        flags = ["is_list"] if "(list)" in row["type"] else []
        words = [word.strip().lower() for word in row["argument"].split(",")]
        argument = "required" if "required" in words else "none" if words == ["none"] else "optional"
        flags += [word for word in words if word in ("index", "key")]
        plugin_fields.append((row["name"], kind, argument, " ".join(flags), row["plugin"]))
    listed = {field[0] for field in plugin_fields}
    plugin_fields += [field for field in UNLISTED_PLUGIN_FIELDS if field[0] not in listed]
    notes = {row["name"]: row["notes"] for row in rows(facts / "event-types.tsv")}
    obsolete = sorted(name for name, note in notes.items() if "obsolete" in note.split())

    out = HEADER.format(falco=falco, engine=engine)
    out += f'FALCO = "{falco}"\nENGINE = "{engine}"\n\n'
    out += literal(
        "FIELDS",
        [repr(field).replace("'", '"') for field in sorted(syscall_fields, key=lambda field: (field[4], field[0]))],
        "name, type, argument (none, optional, required), flags, class",
    )
    out += literal(
        "PLUGIN_FIELDS",
        [repr(field).replace("'", '"') for field in plugin_fields],
        "each: name, type, argument, flags (any of is_list, index, key), plugin",
    )
    plugins = [
        repr((name, p["version"], p["source"], p["extracts"], p["events"], p["suggested"])).replace("'", '"')
        for name, p in PLUGINS.items()
    ]
    out += literal(
        "PLUGINS",
        plugins,
        "name, version, event source, sources it extracts for, asynchronous events, suggested output",
    )
    out += literal("EVENTS", [f'"{name}"' for name, _ in events], "the event's name by event code")
    out += literal(
        "SYSCALLS", [f'"{name}"' for name in syscalls], "names of system calls that share the generic events"
    )
    out += literal("OBSOLETE_EVENTS", [f'"{name}"' for name in obsolete], "event names that no driver sends any more")
    out += literal(
        "PARAMETERS",
        [repr(item).replace("'", '"') for item in params.items()],
        "an event parameter's name and its type, in the order in which evt.arg.NAME is looked up",
    )
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--facts", type=Path, required=True)
    parser.add_argument("--libs", type=Path, required=True)
    parser.add_argument("--falco", required=True)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    text = catalogue(options.facts, options.libs, options.falco, options.engine)
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
