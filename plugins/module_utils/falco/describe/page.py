# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ruleset as one HTML page that needs no server: what a reviewer reads in the place of YAML.

The same ruleset gives the same bytes. Rules carry what others typed: all of it is escaped, and the page's own policy
lets nothing run but its own script.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from ...common.finding import Finding, place
from ...common.words import counted
from ..codes import ERROR, INFO, WARNING
from ..load.compiler import Compiler
from ..load.ruleset import Loaded
from ..yaml.nesting import deep_nesting
from .page_parts import SCRIPT, STYLE
from .tree import AND, CHECK, MACRO, NOT, Branch, Trees

#: What neither HTML nor a reader can take: control characters, and those that turn the direction of writing round.
_FORBIDDEN = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
_SEVERITIES = (ERROR, WARNING, INFO)
_TECHNIQUE = "https://attack.mitre.org/techniques/"


@deep_nesting()
def page(described: Mapping[str, Any], loaded: Loaded, findings: Sequence[Finding] = (), title: str = "") -> str:
    """Draw a ruleset.

    Args:
        described: of `describe.info.describe`.
        loaded: the same ruleset.
        findings: on it, see `judge.validate.judge`.
        title: of the page; empty for a plain one.
    """
    return _Page(described, loaded, findings).draw(title or "Falco rules")


class _Page:
    """One page in the making; `anchors` has the place of each entry in it, by kind and name."""

    def __init__(self, described: Mapping[str, Any], loaded: Loaded, findings: Sequence[Finding]) -> None:
        self.described = described
        self.findings = findings
        self.compiler: Compiler = loaded.compiler
        self.trees = Trees(loaded)
        self.anchors = {
            (kind, entry["name"]): f"{kind}-{number}"
            for kind in ("rule", "macro", "list")
            for number, entry in enumerate(described[f"{kind}s"], 1)
        }
        self.used_by: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for edge in described["dependencies"]:
            source, target = (_split(edge[end]) for end in ("from", "to"))
            self.used_by.setdefault(target, []).append(source)

    def draw(self, title: str) -> str:
        policy = (
            f"default-src 'none'; base-uri 'none'; form-action 'none'; "
            f"style-src 'sha256-{_digest(STYLE)}'; script-src 'sha256-{_digest(SCRIPT)}'"
        )
        rules, macros, lists = (self.described[kind] for kind in ("rules", "macros", "lists"))
        parts = [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{text(title)}</title><style>{STYLE}</style></head><body>",
            f"<h1>{text(title)}</h1>",
            f"<p>{self._summary()}</p>",
            '<div class="search" hidden><input id="search" type="search" aria-label="Search" '
            'placeholder="Search rules, fields, event types, tags, places"><span id="count"></span></div>',
            *self._mitre(),
            *self._all_findings(),
            "<h2>Rules</h2>",
            *(self._rule(entry) for entry in rules),
        ]
        if macros:
            parts += ["<h2>Macros</h2>", *(self._macro(entry) for entry in macros)]
        if lists:
            parts += ["<h2>Lists</h2>", *(self._list(entry) for entry in lists)]
        return "\n".join([*parts, f"<script>{SCRIPT}</script></body></html>"]) + "\n"

    def _summary(self) -> str:
        rules = self.described["rules"]
        told = [
            f"{len(rules)} rules, {sum(not rule['enabled'] for rule in rules)} of them not enabled",
            f"{sum(len(rule['exceptions']) for rule in rules)} exceptions",
            f"{len(self.described['macros'])} macros",
            f"{len(self.described['lists'])} lists",
            f"{len(self.findings)} findings",
        ]
        if self.described["required_engine_version"]:
            told.append(f"asks for engine {text(self.described['required_engine_version'])}")
        for requirement in self.described["required_plugin_versions"]:
            told.append("asks for " + " or ".join(text(f"{one['name']} {one['version']}") for one in requirement))
        return " · ".join(told)

    def _mitre(self) -> list[str]:
        rows = []
        for kind in ("tactics", "techniques"):
            for name, rules in self.described["mitre"][kind].items():
                shown = f'<a href="{_TECHNIQUE}{name.replace(".", "/")}" rel="noreferrer">{text(name)}</a>'
                label = shown if kind == "techniques" else text(name)
                rows.append(f"<tr><th>{label}</th><td>{self._links('rule', rules)}</td></tr>")
        if not rows:
            return []
        return [
            "<h2>MITRE ATT&amp;CK</h2><details><summary>Rules by tactic and technique</summary><table>",
            *rows,
            "</table></details>",
        ]

    def _all_findings(self) -> list[str]:
        if not self.findings:
            return []
        return ["<h2>Findings</h2><ul>", *map(_finding, self.findings), "</ul>"]

    def _rule(self, entry: Mapping[str, Any]) -> str:
        name = entry["name"]
        mine = [one for one in self.findings if one.item == f"rule '{name}'"]
        badges = [_badge(entry["priority"]), _badge(entry["source"])]
        badges += [] if entry["enabled"] else [_badge("not enabled", "warning")]
        badges += (
            [_badge(f"{len(mine)} findings", min((one.severity for one in mine), key=_SEVERITIES.index))]
            if mine
            else []
        )
        compiled = self.compiler.rules[name]
        types = entry["event_types"]
        rows = [
            ("Output", f"<code>{text(entry['output'])}</code>"),
            ("Condition", f"<pre>{text(entry['condition'].strip())}</pre>"),
            ("Its parts", self._tree(("rule", name), self.trees.of(("rule", name), compiled.node))),
            ("Resolved", _folded(entry["resolved_condition"])),
            ("Event types", _codes(types) if types is not None else "" if entry["source"] == "syscall" else "all"),
            ("Fields", _codes(entry["fields"])),
            ("Fields printed", _codes(entry["output_fields"])),
            ("Macros", self._links("macro", entry["macros"])),
            ("Lists", self._links("list", entry["lists"])),
            ("Exceptions", "".join(map(_exception, compiled.rule.exceptions))),
            ("Tags", _codes(entry["tags"])),
            ("Findings", f"<ul>{''.join(map(_finding, mine))}</ul>" if mine else ""),
            ("Written in", _place(entry)),
        ]
        return self._entry("rule", entry, "".join(badges), f"<p>{text(entry['desc'])}</p>{_rows(rows)}")

    def _macro(self, entry: Mapping[str, Any]) -> str:
        name = entry["name"]
        node = self.compiler.macros[name].parsed.node
        tree = self._tree(("macro", name), self.trees.of(("macro", name), node)) if node is not None else ""
        rows = [
            ("Condition", f"<pre>{text(entry['condition'].strip())}</pre>"),
            ("Its parts", tree),
            ("Lists", self._links("list", entry["lists"])),
            ("Fields", _codes(entry["fields"])),
            ("Used by", self._users("macro", name)),
            ("Written in", _place(entry)),
        ]
        return self._entry("macro", entry, "" if entry["used"] else _badge("unused", "warning"), _rows(rows))

    def _list(self, entry: Mapping[str, Any]) -> str:
        rows = [
            ("Items", _codes(entry["items"])),
            ("Lists", self._links("list", entry["lists"])),
            ("Used by", self._users("list", entry["name"])),
            ("Written in", _place(entry)),
        ]
        badges = _badge(counted(len(entry["items"]), "item")) + ("" if entry["used"] else _badge("unused", "warning"))
        return self._entry("list", entry, badges, _rows(rows))

    def _entry(self, kind: str, entry: Mapping[str, Any], badges: str, inner: str) -> str:
        anchor = self.anchors[kind, entry["name"]]
        head = f'<summary><b class="{kind}">{text(entry["name"])}</b>{badges}</summary>'
        return f'<details class="entry" id="{anchor}">{head}{inner}</details>'

    def _tree(self, owner: tuple[str, str], branch: Branch) -> str:
        return f'<div class="tree"><ul>{self._branch(owner, branch)}</ul></div>'

    def _branch(self, owner: tuple[str, str], branch: Branch) -> str:
        if branch.kind == NOT:
            return f'<li><span class="word">not</span><ul>{self._branch(owner, branch.parts[0])}</ul></li>'
        if branch.kind not in (MACRO, CHECK):
            word = "all of" if branch.kind == AND else "any of"
            inner = "".join(self._branch(owner, part) for part in branch.parts)
            return f'<li><span class="word">{word}</span><ul>{inner}</ul></li>'
        shown = self._link("macro", branch.text) if branch.kind == MACRO else text(branch.text)
        came = "".join(f' ← <span class="{kind}">{kind} {self._named(kind, name)}</span>' for kind, name in branch.way)
        where = ""
        if branch.place is not None:
            where = f'<span class="place">{text(branch.place.file)}:{branch.place.line}:{branch.place.column}</span>'
        return f"<li>{shown}{came}{where}</li>"

    def _named(self, kind: str, name: str) -> str:
        return self._link(kind, name) if (kind, name) in self.anchors else text(name)

    def _link(self, kind: str, name: str) -> str:
        return f'<a class="{kind}" href="#{self.anchors[kind, name]}">{text(name)}</a>'

    def _links(self, kind: str, names: Iterable[str]) -> str:
        return ", ".join(self._link(kind, name) for name in names)

    def _users(self, kind: str, name: str) -> str:
        return ", ".join(self._link(*user) for user in self.used_by.get((kind, name), ()))


def text(value: object) -> str:
    """What someone typed, safe between tags and in attributes."""
    return escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", str(value)))


def _digest(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _split(end: str) -> tuple[str, str]:
    kind, _blank, name = end.partition(" ")
    return kind, name


def _badge(label: str, kind: str = "") -> str:
    return f'<span class="badge {kind}">{text(label)}</span>' if kind else f'<span class="badge">{text(label)}</span>'


def _codes(words: Iterable[object]) -> str:
    return " ".join(f"<code>{text(word)}</code>" for word in words)


def _folded(resolved: str | None) -> str:
    if resolved is None:
        return "too long to be written out"
    return f"<details><summary>with macros and lists written out</summary><pre>{text(resolved)}</pre></details>"


def _exception(exception: Any) -> str:
    fields, comps = exception.fields.plain(), exception.comps.plain()
    names = fields if isinstance(fields, list) else [fields]
    operators = comps if isinstance(comps, list) else [comps] * len(names)
    asked = ", ".join(f"{name} {operator}" for name, operator in zip(names, operators))
    rows = "".join(f"<li><code>{text(_values(value.plain()))}</code></li>" for value in exception.values)
    return f'<div><b class="exception">{text(exception.name)}</b> <code>{text(asked)}</code><ul>{rows}</ul></div>'


def _values(value: Any) -> str:
    return f"({', '.join(map(_values, value))})" if isinstance(value, list) else str(value)


def _finding(finding: Finding) -> str:
    hint = f" ({finding.hint})" if finding.hint else ""
    told = text(f"{place(finding)}: {finding.code}: {finding.message}{hint}")
    return f'<li class="finding {finding.severity}">{told}</li>'


def _place(entry: Mapping[str, Any]) -> str:
    return f"<code>{text(entry['file'])}:{entry['line']}</code>"


def _rows(rows: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows if value) + "</dl>"
