# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the parts that all policy kinds share (selectors, blocks, protocols) and reports what the API would refuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Optional, TypeVar

from ...common.words import nearest
from ..errors import Cause
from ..model.addresses import Range, parse_cidr, subtract
from ..model.objects import PROTOCOLS, BlockPeer
from ..model.selectors import DOES_NOT_EXIST, EVERYTHING, EXISTS, IN, OPERATORS, Requirement, Selector, make_selector

#: More requirements, values, peers, ports and rules than this in one object are refused: no API server stores such an
#: object (its size limit is 1.5 MiB), and aliases of YAML cannot blow one up.
MAX_ITEMS = 100_000

#: Errors of one object that are told.
MAX_ERRORS = 50

_QUALIFIED_NAME = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)\Z")
_DNS_SUBDOMAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*\Z")
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?\Z")
_PORT_NAME = re.compile(r"[a-z0-9](?:-?[a-z0-9])*\Z")

#: Called for each problem with path, message, hint, and the cause if it is a warning.
Report = Callable[[str, str, str, Optional[Cause]], None]

Part = TypeVar("Part")


class InvalidPartError(Exception):
    """The part at hand cannot be used; the problem is already reported."""


def name_problem(name: str, is_label: bool) -> str:
    """Why the API refuses a text as a name, or an empty string.

    Args:
        name: of an object.
        is_label: whether it is a namespace's or a Service's, which are single labels of the DNS.

    See https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
    """
    if len(name) > (63 if is_label else 253):
        return f"has {len(name)} characters: at most {63 if is_label else 253} are allowed"
    if not _DNS_SUBDOMAIN.match(name) or (is_label and "." in name):
        dot = "" if is_label else ", '.'"
        return f"invalid value {name!r}: only a-z, 0-9, '-'{dot}, with a letter or digit at both ends"
    return ""


def label_key_problem(key: str) -> str:
    """Why a text is no label key, or an empty string."""
    prefix, slash, name = key.rpartition("/")
    if slash and (not _DNS_SUBDOMAIN.match(prefix) or len(prefix) > 253):
        return f"label key {key!r} has a prefix that is not a DNS subdomain"
    if not _QUALIFIED_NAME.match(name):
        return (
            f"{key!r} is not a label key (at most 63 letters, digits, '-', '_', '.', optionally after a prefix and '/')"
        )
    return ""


def label_value_problem(value: str) -> str:
    """Why a text is no label value, or an empty string."""
    if len(value) > 63 or not _LABEL_VALUE.match(value):
        return f"{value!r} is not a label value (at most 63 letters, digits, '-', '_', '.')"
    return ""


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "mapping" if isinstance(value, Mapping) else "list" if isinstance(value, list) else type(value).__name__


def meant(word: str, known: Iterable[str]) -> str:
    """A question whether a known word was meant, empty if none is near."""
    names = list(known)
    near = {name.lower(): name for name in names}.get(word.lower()) or nearest(word, names)
    return f"did you mean {near!r}?" if near else ""


class Reader:
    """Reads one policy and reports what is wrong with it; keeps the reporting out of the semantics."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._left = MAX_ITEMS
        self._errors = 0
        self.failed = False

    def attempt(self, parse: Callable[..., Part], *args: Any) -> Part | None:
        """What a function makes of a part, None where that cannot be used; so that the other parts are still read."""
        try:
            return parse(*args)
        except InvalidPartError:
            return None

    def each(self, value: object, path: str, parse: Callable[[Any, str], Part]) -> tuple[Part, ...]:
        """What a function makes of each item of a list and its path. Every item is tried."""
        found = []
        for index, item in enumerate(self.items(value, path)):
            part = self.attempt(parse, item, f"{path}[{index}]")
            if part is not None:
                found.append(part)
        return tuple(found)

    def error(self, path: str, message: str, hint: str = "") -> None:
        self.failed = True
        self._errors += 1
        if self._errors <= MAX_ERRORS:
            self._report(path, message, hint, None)

    def warn(self, path: str, message: str, hint: str, cause: Cause) -> None:
        self._report(path, message, hint, cause)

    def mapping(self, value: object, path: str, fields: tuple[str, ...] | None) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            self.error(path, f"must be a mapping, not a {_kind(value)}")
            raise InvalidPartError
        if fields is not None:
            for key in value:
                if key not in fields:
                    near = nearest(str(key), fields)
                    hint = f"did you mean {near!r}?" if near else "known fields: " + ", ".join(fields)
                    said = "unknown field, which the API server drops or refuses"
                    self.warn(f"{path}.{key}", said, hint, Cause.UNKNOWN_FIELD)
        return value

    def items(self, value: object, path: str) -> list[Any]:
        """A list; null and a missing field are the empty list, as in the API's JSON decoding."""
        if value is None:
            return []
        if not isinstance(value, list):
            self.error(path, f"must be a list, not a {_kind(value)}")
            raise InvalidPartError
        self._spend(len(value), path)
        return value

    def _spend(self, count: int, path: str) -> None:
        exhausted = self._left < 0
        self._left -= count
        if self._left < 0:
            if exhausted:
                raise InvalidPartError
            self.error(path, f"the object has more than {MAX_ITEMS} items, more than any stored object can hold")
            raise InvalidPartError

    def text(self, value: object, path: str) -> str:
        if not isinstance(value, str):
            hint = f"write it in quotes: '{value}'" if isinstance(value, (bool, int, float)) else ""
            self.error(path, f"must be a string, not a {_kind(value)}", hint)
            raise InvalidPartError
        return value

    def integer(self, value: object, path: str, first: int, last: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            hint = "write it without quotes" if isinstance(value, str) and value.isdigit() else ""
            self.error(path, f"must be a number, not a {_kind(value)}", hint)
            raise InvalidPartError
        if not first <= value <= last:
            self.error(path, f"invalid value {value}: must be between {first} and {last}")
            raise InvalidPartError
        return value

    def digits(self, text: str, path: str, first: int, last: int) -> int:
        """A number that is written as a text, whose characters are decimal digits."""
        # Python refuses to convert very long ones; these are out of bounds with fewer digits, too.
        return self.integer(int(text.lstrip("0")[:20] or "0"), path, first, last)

    def selector(self, value: object, path: str) -> Selector:
        spec = self.mapping({} if value is None else value, path, ("matchLabels", "matchExpressions"))
        requirements: list[Requirement] = []
        labels = spec.get("matchLabels")
        if labels is not None:
            self._spend(len(labels) if isinstance(labels, Mapping) else 0, f"{path}.matchLabels")
            for key, label in self.mapping(labels, f"{path}.matchLabels", None).items():
                found = self.attempt(self._label, key, label, f"{path}.matchLabels[{key}]")
                if found is not None:
                    requirements.append(found)
        requirements.extend(self.each(spec.get("matchExpressions"), f"{path}.matchExpressions", self._expression))
        return make_selector(tuple(requirements)) if requirements else EVERYTHING

    def _label(self, key: object, label: object, path: str) -> Requirement:
        name, value = self.text(key, path), self.text(label, path)
        self._check_label(name, value, path)
        return Requirement(name, IN, (value,))

    def _expression(self, item: object, path: str) -> Requirement:
        spec = self.mapping(item, path, ("key", "operator", "values"))
        key = self.attempt(self._key, spec.get("key"), f"{path}.key")
        operator = self.attempt(self._operator, spec.get("operator"), f"{path}.operator")
        values = self.attempt(self.each, spec.get("values"), f"{path}.values", self.text)
        if key is None or operator is None or values is None:
            raise InvalidPartError
        if operator in (EXISTS, DOES_NOT_EXIST):
            if values:
                self.error(f"{path}.values", f"must be empty for operator {operator}")
        elif not spec.get("values"):
            self.error(f"{path}.values", f"required for operator {operator}")
        for index, value in enumerate(values):
            self.attempt(self._check_label, key, value, f"{path}.values[{index}]")
        return Requirement(key, operator, tuple(sorted(set(values))))

    def _key(self, value: object, path: str) -> str:
        key = self.text(value, path)
        self._check_label(key, "", path)
        return key

    def _operator(self, value: object, path: str) -> str:
        operator = self.text(value, path)
        if operator not in OPERATORS:
            said = f"unsupported value {operator!r}: one of {', '.join(OPERATORS)}"
            self.error(path, said, meant(operator, OPERATORS))
            raise InvalidPartError
        return operator

    def _check_label(self, key: str, value: str, path: str) -> None:
        problem = label_key_problem(key) or label_value_problem(value)
        if problem:
            self.error(path, problem)
            raise InvalidPartError

    def block(self, cidr: object, exceptions: list[Any], path: str, covers_pods: bool) -> BlockPeer:
        text = self.text(cidr, f"{path}.cidr" if not covers_pods else path)
        whole = parse_cidr(text)
        if whole is None:
            hint = f"a single address is '{text}/{128 if ':' in text else 32}'" if "/" not in text else ""
            self.error(f"{path}.cidr" if not covers_pods else path, f"invalid value {text!r}: not a CIDR block", hint)
            raise InvalidPartError
        holes = [
            self.attempt(self._hole, item, f"{path}.except[{index}]", whole, text)
            for index, item in enumerate(exceptions)
        ]
        written = text + (f" except {', '.join(str(item) for item in exceptions)}" if exceptions else "")
        return BlockPeer(tuple(subtract(whole, [hole for hole in holes if hole])), written, covers_pods)

    def _hole(self, item: object, path: str, whole: Range, written: str) -> Range:
        text = self.text(item, path)
        hole = parse_cidr(text)
        if hole is None:
            self.error(path, f"invalid value {text!r}: not a CIDR block")
            raise InvalidPartError
        inside = hole.family == whole.family and whole.first <= hole.first and hole.last <= whole.last
        if not inside or (hole.first, hole.last) == (whole.first, whole.last):
            self.error(path, f"invalid value {text!r}: must be a strict subset of {written!r}")
            raise InvalidPartError
        return hole

    def protocol(self, value: object, path: str) -> str:
        if value is None:
            return "TCP"
        text = self.text(value, path)
        if text not in PROTOCOLS:
            hint = f"did you mean {text.upper()!r}?" if text.upper() in PROTOCOLS else ""
            self.error(path, f"unsupported value {text!r}: one of {', '.join(PROTOCOLS)}", hint)
            raise InvalidPartError
        return text

    def port_name(self, value: str, path: str) -> str:
        if not _PORT_NAME.match(value) or len(value) > 15 or not any(c.isalpha() for c in value):
            hint = "write a port number without quotes" if value.isdigit() else ""
            self.error(
                path, f"invalid value {value!r}: not a port name (at most 15 of a-z, 0-9, '-', one a letter)", hint
            )
            raise InvalidPartError
        return value
