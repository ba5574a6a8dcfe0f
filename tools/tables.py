#!/usr/bin/env python3
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the tables of module_utils from the facts of tools/facts.

Usage:
    python3 tools/tables.py            write every table
    python3 tools/tables.py --check    write nothing; exit 1 and name the tables that differ from their facts

The newest version of Falco is written whole, each older one as what differs from the next newer. What each file of
facts holds, and where its rows come from, says tools/facts/README.md; `tools/read_facts.py` reads some of them.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FACTS = ROOT / "tools" / "facts"
UTILS = ROOT / "plugins" / "module_utils"
CATALOGUE = UTILS / "falco" / "catalogue"

HEADER = '''# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""{subject} By tools/tables.py; do not edit."""

from __future__ import annotations

'''

#: The tables of a version's catalogue, in the order in which they are written, and what a row is.
TABLES = {
    "FIELDS": "name, type, argument (none, optional, required), flags, class",
    "PLUGIN_FIELDS": "each: name, type, argument, flags (any of is_list, index, key), plugin",
    "PLUGINS": "name, version, event source, sources it extracts for, asynchronous events, suggested output",
    "EVENTS": "the event's name by event code",
    "SYSCALLS": "names of system calls that share the generic events",
    "OBSOLETE_EVENTS": "event names that no driver sends any more",
    "PARAMETERS": "an event parameter's name and its type, in the order in which evt.arg.NAME is looked up",
}

Table = list[Any]


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of one table of facts, whose first line names the columns."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def versions(facts: Path) -> list[dict[str, str]]:
    """The versions of Falco with facts, oldest first."""
    return rows(facts / "versions.tsv")


def tables_of(facts: Path, minor: str) -> dict[str, Table]:
    """The tables of one version's catalogue."""
    folder = facts / minor
    events = rows(folder / "events.tsv")
    if [int(row["code"]) for row in events] != list(range(len(events))):
        sys.exit(f"{folder / 'events.tsv'}: the codes have gaps")
    parameters: dict[str, str] = {}
    for row in events:
        for parameter in row["parameters"].split():
            name, kind = parameter.split(":")
            parameters.setdefault(name, kind)
    types = rows(folder / "event-types.tsv")
    columns = ("name", "type", "argument", "flags")
    return {
        "FIELDS": sorted(
            (tuple(row[name] for name in (*columns, "class")) for row in rows(folder / "fields.tsv")),
            key=lambda field: (field[4], field[0]),
        ),
        "PLUGIN_FIELDS": [
            tuple(row[name] for name in (*columns, "plugin")) for row in rows(facts / "plugin-fields.tsv")
        ],
        "PLUGINS": [
            (
                row["name"],
                row["version"],
                row["source"] or None,
                *(tuple(row[name].split()) for name in ("extracts", "events", "suggested_output")),
            )
            for row in rows(folder / "plugins.tsv")
        ],
        "EVENTS": [row["name"] for row in events],
        "SYSCALLS": sorted({row["name"] for row in types} - {row["name"] for row in events}),
        "OBSOLETE_EVENTS": sorted(row["name"] for row in types if "obsolete" in row["notes"].split()),
        "PARAMETERS": list(parameters.items()),
    }


def differences(newer: Table, older: Table) -> list[tuple[int, int, tuple[Any, ...]]]:
    """What makes the newer table the older one: start and stop of rows to replace, and the rows in their place."""
    matcher = difflib.SequenceMatcher(a=newer, b=older, autojunk=False)
    return [
        (start, stop, tuple(older[first:last]))
        for operation, start, stop, first, last in matcher.get_opcodes()
        if operation != "equal"
    ]


def _literal(name: str, values: Iterable[Any], comment: str) -> str:
    body = "".join(f"    {value!r},\n" for value in values)
    return f"# {comment}\n{name} = (\n{body})\n\n"


def catalogue_texts(facts: Path) -> dict[Path, str]:
    """The modules of all versions' catalogues."""
    texts: dict[Path, str] = {}
    newer: dict[str, Table] = {}
    newer_minor = ""
    for version in reversed(versions(facts)):
        minor, engine = version["falco"], version["engine"]
        tables = tables_of(facts, minor)
        what = "Fields, event types and plugins of" if not newer else f"What differs from Falco {newer_minor} in"
        out = HEADER.format(subject=f"{what} Falco {minor}, engine {engine}.")
        out += f'FALCO = "{minor}"\nENGINE = "{engine}"\n'
        if not newer:
            out += "\n" + "".join(_literal(name, tables[name], comment) for name, comment in TABLES.items())
        else:
            out += f'NEWER = "{newer_minor}"\n\n'
            out += "# table: (start, stop, rows in place of the newer table's rows from start to before stop), ...\n"
            changes = {name: tuple(differences(newer[name], tables[name])) for name in TABLES}
            out += f"DIFFERENCES = { ({name: change for name, change in changes.items() if change})!r}\n"
        texts[CATALOGUE / f"falco_{minor.replace('.', '_')}.py"] = out
        newer, newer_minor = tables, minor
    return texts


def language_text(facts: Path) -> str:
    """The module of what the rule language was in which version, and what became of fields."""
    out = HEADER.format(subject="Since when and until when Falco's rule language has what, and fields that went.")
    columns = ("kind", "name", "since", "until")
    out += _literal(
        "LANGUAGE",
        (tuple(row[name] for name in columns) for row in rows(facts / "language.tsv")),
        "kind, name, since (empty: always), until (exclusive; empty: still)",
    )
    columns = ("field", "deprecated", "gone", "replacement")
    out += _literal(
        "CHANGED_FIELDS",
        (tuple(row[name] for name in columns) for row in rows(facts / "field-changes.tsv")),
        "field, deprecated since, gone from the built-in ones since, what replaces it",
    )
    return out


def further_plugins_text(facts: Path) -> str:
    """The module of plugins that Falco does not ship with."""
    out = HEADER.format(subject="Plugins that Falco's image does not load, as rules see them.")
    columns = ("name", "type", "argument", "flags", "plugin")
    out += _literal(
        "PLUGIN_FIELDS",
        (tuple(row[name] for name in columns) for row in rows(facts / "further-plugin-fields.tsv")),
        TABLES["PLUGIN_FIELDS"],
    )
    out += _literal(
        "PLUGINS",
        (
            (row["name"], row["version"], row["source"] or None, tuple(row["extracts"].split()), row["fields_of"])
            for row in rows(facts / "further-plugins.tsv")
        ),
        "name, version, event source, sources it extracts for, the plugin whose fields it has",
    )
    return out


def config_text(facts: Path) -> str:
    """The module of falco.yaml's keys, of the newest version that has facts of them."""
    minor = [row["falco"] for row in versions(facts) if (facts / row["falco"] / "config-keys.tsv").is_file()][-1]
    tree: dict[str, Any] = {}
    for row in rows(facts / minor / "config-keys.tsv"):
        *above, last = row["key"].split(".")
        node = tree
        for key in above:
            node = node.setdefault(key, {})
        node[last] = row["type"]
    out = HEADER.format(subject=f"Keys of falco.yaml as Falco {minor} accepts them.") + "from typing import Any\n\n"
    out += "#: Nested mappings; leaves are JSON types.\n"
    return out + f"CONFIG_KEYS: dict[str, Any] = {tree!r}\n"


def outputs_text(facts: Path) -> str:
    """The module of the settings of Falcosidekick's outputs."""
    outputs: dict[str, dict[str, str]] = {}
    for row in rows(facts / "falcosidekick-outputs.tsv"):
        outputs.setdefault(row["output"], {})[row["setting"]] = row["variable"]
        chart = row["chart"]
    out = HEADER.format(subject=f"Settings of Falcosidekick's outputs as of its chart {chart}.")
    out += "#: Output, then setting (dotted where nested) to the variable of Falcosidekick's environment.\n"
    return out + f"OUTPUT_VARIABLES: dict[str, dict[str, str]] = {outputs!r}\n"


def chart_changes_text(facts: Path) -> str:
    """The module of what versions of the chart falco changed of its values, and Falco of its configuration."""
    out = HEADER.format(subject="What versions of the chart falco and of falco.yaml changed.")
    for name, file, comment in (
        ("CHARTS", "charts.tsv", "the first chart of each Falco, and the newest whose changes are known"),
        ("CHART_CHANGES", "chart-changes.tsv", "chart, path, removed/deprecated/renamed/default, replacement, detail"),
        ("CONFIG_CHANGES", "config-changes.tsv", "key of falco.yaml, deprecated since, removed since, replacement"),
    ):
        out += _literal(name, (tuple(row.values()) for row in rows(facts / file)), comment)
    return out


def formatted(texts: dict[Path, str]) -> dict[Path, str]:
    """The texts as the repository's formatter leaves them."""
    done = {}
    for path, text in texts.items():
        command = [sys.executable, "-m", "ruff", "format", "--no-cache", "--stdin-filename", str(path), "-"]
        done[path] = subprocess.run(
            command, input=text, capture_output=True, text=True, check=True, cwd=ROOT, timeout=60
        ).stdout
    return done


def all_texts(facts: Path = FACTS) -> dict[Path, str]:
    """Every table's file and text."""
    return formatted(
        {
            **catalogue_texts(facts),
            CATALOGUE / "language_facts.py": language_text(facts),
            CATALOGUE / "further_plugins.py": further_plugins_text(facts),
            UTILS / "falco_chart" / "chart_changes.py": chart_changes_text(facts),
            UTILS / "falco_chart" / "config_keys.py": config_text(facts),
            UTILS / "falco_chart" / "output_settings.py": outputs_text(facts),
        }
    )


def stale(texts: dict[Path, str]) -> list[Path]:
    """The tables that are not what their facts say."""
    return [path for path, text in texts.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def main(arguments: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, tell what differs")
    options = parser.parse_args(arguments)
    texts = all_texts()
    differing = stale(texts)
    for path in differing:
        name = path.relative_to(ROOT)
        if options.check:
            sys.stderr.write(f"{name} is not what tools/facts says: python3 tools/tables.py writes it\n")
        else:
            path.write_text(texts[path], encoding="utf-8")
            print(f"{name} written")
    return 1 if options.check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
