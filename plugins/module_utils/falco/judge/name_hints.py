# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advice on names: of fields, in conditions and outputs; of lists and macros, also those that other files have."""

from __future__ import annotations

import ipaddress
import re

from ...common.words import slips
from ..catalogue.history import of_field
from ..catalogue.maintained import COMMENT, MAINTAINED
from ..load.context import Context
from ..load.ruleset import Loaded
from .advice import Advice, meant
from .positions import Place
from .values import EMPTY_KINDS

FIELD_RATIO = 0.8
"""How alike a field must be to be meant: all fields of a kind share much of their names."""
NETWORKS = {"fd.sip": "fd.snet", "fd.cip": "fd.cnet", "fd.ip": "fd.net", "fd.lip": "fd.lnet", "fd.rip": "fd.rnet"}
"""Fields of addresses, and those of the networks that hold them."""
_FIELD = re.compile(r"[a-z]+(?:\.[a-z]+)+")
_TRANSFORMED = re.compile(r"([a-zA-Z0-9_]+)\(([^()]*)\)")
_ARGUED = ("evt.arg", "evt.rawarg")
"""Fields whose argument stands behind a dot."""
_BEHIND_IN = re.compile(r"\b(?:in|intersects|pmatch)[ \t]+$")
_IDENTIFIER = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.-]*")


def source_of(context: Context, loaded: Loaded) -> str:
    """The event source of the rule that a context is in; empty for a macro."""
    kind, name = context.item
    rule = loaded.collector.rules.get(name) if kind == "rule" else None
    return rule.source if rule else ""


def field_meant(text: str, loaded: Loaded, source: str) -> Advice:
    """Advice on a field that does not exist for a source; an empty source stands for any."""
    name = text.split("[", 1)[0]
    sources = loaded.catalogue.sources
    owners = [one for one in sources.values() if name in one.builtin or name in one.plugin]
    if owners and source not in ("", *(one.name for one in owners)):
        other = owners[0].name
        return Advice(f"'{name}' exists for source {other} only: give the rule 'source: {other}'")
    if owners:
        return Advice(_on_argument(text))
    argued = argument_meant(text, loaded)
    if argued.hint:
        return argued
    went = of_field(name, loaded.catalogue.language)
    if went:
        return Advice(went)
    names = [known for one in sources.values() if source in ("", one.name) for known in one.names()]
    kind = name.split(".", 1)[0]
    alike = [known for known in names if slips(kind, known.split(".", 1)[0]) <= 1]
    close = meant(name, alike, FIELD_RATIO)
    if close.hint:
        return close
    family = name.split(".", 1)[0] + "."
    same = sorted({known for known in names if known.startswith(family) and not known.startswith(EMPTY_KINDS)})
    if not same:
        kinds = sorted({known.split(".", 1)[0] for known in names if "." in known})
        return Advice(
            f"none begins with '{family}': source {source or 'syscall'} has those of {', '.join(kinds)}, and those of "
            "plugins that are not known here"
        )
    shown = ", ".join(same[:6]) + (", ..." if len(same) > 6 else "")
    return Advice(f"of its kind there are {shown}")


def _on_argument(text: str) -> str:
    """Advice on a field that exists, and not with this argument."""
    name, bracket, argument = text.partition("[")
    if bracket and not argument.endswith("]"):
        return f"the '[' is not closed: write '{name}[{argument or '...'}]'"
    if bracket:
        return f"'{name}' takes no argument, or not this one"
    return f"give it its argument, as in '{name}.name'" if name in _ARGUED else f"give it its argument: '{name}[...]'"


def argument_meant(text: str, loaded: Loaded) -> Advice:
    """Advice on a field whose argument stands behind a dot, as in `k8s.pod.label.app`; empty if it is none."""
    known = [info for one in loaded.catalogue.sources.values() for info in one.plugin.values() if info.key]
    for info in known:
        for name in (info.name, f"{info.name}s"):
            if text.startswith(f"{name}.") and len(text) > len(name) + 1:
                right = f"{info.name}[{text[len(name) + 1 :]}]"
                if info.name.startswith(EMPTY_KINDS):
                    return Advice(f"'{info.name}' is always empty: Falco asks no API server for it")
                return Advice(f"the argument stands in brackets: '{right}'", text, right)
    return Advice()


def on_output(place: Place, loaded: Loaded, rule: str) -> Advice:
    """Advice on a token of an output that is refused."""
    word = place.word
    known = loaded.collector.rules.get(rule)
    source = known.source if known else ""
    match = _TRANSFORMED.fullmatch(word)
    if match:
        return _on_transformed(match.group(1), match.group(2), loaded, source)
    if word and "." not in word and _is_kind(word, loaded):
        return Advice(f"'{word}' is no field: {field_meant(f'{word}.', loaded, source).hint}")
    if not word or "." not in word.strip("."):
        return Advice("a '%' starts a field, and nothing writes a bare one: write 'percent'")
    if word.startswith("evt.arg["):
        right = f"evt.arg.{word[8:].rstrip(']')}"
        return Advice(f"write '%{right}'", f"%{word}", f"%{right}")
    close = field_meant(word.rstrip("."), loaded, source)
    if close.wrong:
        return Advice(f"'{word}' is no field: {close.hint}", f"%{close.wrong}", f"%{close.right}")
    return Advice(f"'{word}' is no field{': ' if close.hint else ''}{close.hint}")


def _is_kind(word: str, loaded: Loaded) -> bool:
    return any(name.startswith(f"{word}.") for one in loaded.catalogue.sources.values() for name in one.names())


def _on_transformed(transformer: str, field: str, loaded: Loaded, source: str) -> Advice:
    """Advice on a transformed field in an output."""
    transformers = loaded.catalogue.language.transformers
    if transformer not in transformers:
        close = meant(transformer, transformers)
        return Advice(f"'{transformer}' is no transformer: {close.hint or 'there are ' + ', '.join(transformers)}")
    close = field_meant(field, loaded, source)
    wrong, right = (f"%{transformer}({one})" if one else "" for one in (close.wrong, close.right))
    return Advice(f"'{field}' is no field{': ' if close.hint else ''}{close.hint}", wrong, right)


def on_bare_list(name: str, compared: bool, before: str) -> Advice:
    """Advice on a list's name that stands in a condition without parentheses, behind other text of its line."""
    if compared and _BEHIND_IN.search(before):
        return Advice(f"'{name}' is a list: compare with 'in ({name})'", name, f"({name})")
    if compared:
        return Advice(f"'{name}' is a list: compare with 'in ({name})'")
    return Advice(f"'{name}' is a list and no macro: compare a field with it, as in 'proc.name in ({name})'")


def on_address(value: str, comparison: str, loaded: Loaded) -> Advice:
    """Advice on a value that is no address or network."""
    match = _FIELD.match(comparison)
    field = match.group() if match else ""
    if "/" in value and field in NETWORKS:
        return Advice(f"a network is compared with '{NETWORKS[field]}'", field, NETWORKS[field])
    if "/" in value:
        return Advice()
    size = _address_bits(value)
    if field in NETWORKS.values() and size:
        return Advice(f"a single address is a network, too: '{value}/{size}'", value, f"{value}/{size}")
    if not _IDENTIFIER.fullmatch(value):
        return Advice()
    close = meant(value, loaded.collector.lists)
    if close.hint:
        return close
    had = had_it("list", value)
    return Advice(f"there is no list '{value}'{': ' if had else ''}{had}")


def _address_bits(text: str) -> int:
    """The bits of an address of version 4 or 6; 0 for what is no address."""
    try:
        return ipaddress.ip_address(text).max_prefixlen
    except ValueError:
        return 0


def maintained_meant(kind: str, word: str) -> str:
    """The macro or list of the maintained rules that a word is a slip away from, and which file has it."""
    names = [name for (other, name), (_file, last) in MAINTAINED.items() if other == kind and last != COMMENT]
    near = meant(word, names)
    return f"{near.hint} {had_it(kind, near.right)}" if near.right else ""


def had_it(kind: str, name: str) -> str:
    """Which of the maintained rules files has a macro or list, or had it last; empty if none did."""
    where = MAINTAINED.get((kind, name))
    if where is None:
        return ""
    file, last = where
    if last == COMMENT:
        return f"{file} has it in a comment: define it in your own file"
    if last:
        return f"{file} of {last} was the last to have it; define it in your own file"
    return f"{file} has it: load that before this file, or define it in your own"
