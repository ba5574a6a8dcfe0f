# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking a field up by the text of its use, argument included, with Falco's rules for each class.

Falco asks its classes of fields in a fixed order, and the first that knows a prefix of the text decides;
some read their arguments themselves. Source: `parse_field_name` and `extract_arg` of
`userspace/libsinsp/sinsp_filtercheck_*.cpp` and `plugin_filtercheck.cpp` in falcosecurity/libs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from ..errors import Cause, CheckError, Reason
from .catalogue import Catalogue, FieldInfo, Source

_INT = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+")
_ANCESTORS = ("proc.apid", "proc.aname", "proc.aexepath", "proc.aexe", "proc.acmdline", "proc.aargs")
_ARGUED_CLASSES = ("container", "k8s", "mesos", "evtin", "tracer")
"""Classes of fields, built in before Falco 0.42, that read the arguments of some of their fields themselves."""
_LABEL = re.compile(r"\.[A-Za-z0-9/_.-]+")
_CGROUP = re.compile(r"thread\.cgroup\.[A-Za-z_]*")


def number_or_raise(text: str) -> None:
    """Accept what C's `sscanf("%d%c")` reads as exactly one number: leading blanks, a sign, digits."""
    if not _INT.fullmatch(text.split("\0")[0]):
        raise CheckError(f"{text} is not a valid number", Cause(Reason.MISSING_ARGUMENT, text))


_HEAD = 5
"""Length of the shortest field name, by whose letters names are grouped."""


def _by_head(names: Iterable[str]) -> dict[str, list[str]]:
    heads: dict[str, list[str]] = {}
    for name in names:
        heads.setdefault(name[:_HEAD], []).append(name)
    return heads


class FieldTable:
    """The fields of one source, with lookups remembered.

    Attributes:
        ends: for words of outputs, how much of them is a field.
    """

    def __init__(self, catalogue: Catalogue, source: Source) -> None:
        self.catalogue = catalogue
        self.source = source
        self._known: dict[str, FieldInfo | CheckError | None] = {}
        self.ends: dict[str, int] = {}
        self._prefixed = source.name == "syscall"
        self._builtin_heads = _by_head(source.builtin)
        self._plugin_heads = _by_head(source.plugin)
        argued = [info for info in source.builtin.values() if info.origin in _ARGUED_CLASSES]
        self._argued = sorted((info.name for info in argued if info.argument == "required"), key=len, reverse=True)

    def find(self, text: str) -> FieldInfo | None:
        """Return the field that `text` names, or None when there is none.

        Raises:
            CheckError: the field exists, its argument is wrong.
        """
        try:
            found = self._known[text]
        except KeyError:
            try:
                found = self._find(text)
            except CheckError as error:
                found = error
            self._known[text] = found
        if isinstance(found, CheckError):
            raise CheckError(str(found), found.cause)
        return found

    def need(self, text: str) -> FieldInfo:
        """As `find`, but an unknown field is an error, in Falco's words."""
        found = self.find(text)
        if found is None:
            raise CheckError(f"filter_check called with nonexistent field {text}", Cause(Reason.UNKNOWN_FIELD, text))
        return found

    def _find(self, text: str) -> FieldInfo | None:
        builtin = self.source.builtin
        exact = builtin.get(text)
        if self._prefixed:
            special = self._special(text)
            if special is not _NOT_SPECIAL:
                return special  # type: ignore[return-value]  # a FieldInfo or None once the marker is excluded
        if exact is not None:
            return exact
        if any(text.startswith(name) for name in self._builtin_heads.get(text[:_HEAD], ())):
            return None
        return self._plugin(text)

    def _special(self, text: str) -> object:
        """Fields whose class reads the argument itself; `_NOT_SPECIAL` when the text is none of them."""
        builtin = self.source.builtin
        if text.startswith("evt."):
            return self._event(text)
        if text.startswith("arg"):
            raise CheckError("filter error: proc.arg filter not implemented yet")
        if text.startswith("fd.types"):
            if not text.startswith("[", 8):
                return builtin["fd.types"] if text == "fd.types" else None
            close = text.find("]")
            number_or_raise(text[9:close])
            return builtin["fd.types"] if close + 1 == len(text) else None
        for name in _ANCESTORS:
            if name in builtin and text.startswith(name):
                return self._numbered(name, text)
        if text.startswith(("proc.env", "proc.aenv")):
            name = "proc.env" if text.startswith("proc.env") else "proc.aenv"
            if text == name:
                return builtin[name]
            close = text.find("]", len(name))
            return builtin[name] if text.startswith("[", len(name)) and close + 1 == len(text) else None
        if text.startswith("proc.args") and builtin["proc.args"].argument != "none":
            return self._numbered("proc.args", text)
        if text.startswith("thread.cgroup") and not text.startswith("thread.cgroups"):
            if not text.startswith(".", 13):
                raise CheckError(f"filter syntax error: {text}")
            match = _CGROUP.match(text)
            return builtin["thread.cgroup"] if match and match.end() == len(text) else None
        for name in self._argued:
            if text.startswith(name) and text[len(name) : len(name) + 1] in ("", ".", "["):
                return self._labelled(name, text)
        return _NOT_SPECIAL

    def _labelled(self, name: str, text: str) -> FieldInfo | None:
        """A field whose argument is in brackets or, but for those of containers, after a full stop."""
        info = self.source.builtin[name]
        if text.startswith("[", len(name)):
            close = text.find("]")
            if close < 0:
                raise CheckError(f"the field '{name}' requires an argument but ']' is not found")
            return info if close + 1 == len(text) else None
        match = _LABEL.match(text, len(name))
        if not match or info.origin == "container":
            raise CheckError(f"filter syntax error: {text}")
        return info if match.end() == len(text) else None

    def _numbered(self, name: str, text: str) -> FieldInfo | None:
        if text == name:
            return self.source.builtin[name]
        close = text.find("]")
        if not text.startswith("[", len(name)) or close < 0:
            return None
        number = text[len(name) + 1 : close].split("\0")[0]
        return self.source.builtin[name] if _INT.fullmatch(number) and close + 1 == len(text) else None

    def _event(self, text: str) -> object:
        builtin = self.source.builtin
        if text.startswith("evt.arg") and not text.startswith("evt.args"):
            return self._argument("evt.arg", text)
        if text.startswith("evt.rawarg"):
            return self._argument("evt.rawarg", text)
        if text.startswith("evt.around"):
            return self._argument("evt.around", text)
        if text.startswith("evt.abspath"):
            return builtin["evt.abspath"] if text in ("evt.abspath", "evt.abspath.src", "evt.abspath.dst") else None
        if text.startswith("evt.type.is"):
            if not text.startswith(".", 11):
                raise CheckError(f"filter syntax error: {text}")
            kind = text[12:]
            known = bool(_INT.fullmatch(kind)) or kind in self.catalogue.event_names
            return builtin["evt.type.is"] if known else None
        return _NOT_SPECIAL

    def _argument(self, name: str, text: str) -> FieldInfo | None:
        info = self.source.builtin[name]
        if text.startswith("[", len(name)):
            if name == "evt.rawarg":
                raise CheckError("evt.arg fields must be expressed explicitly")
            close = text.find("]")
            number_or_raise(text[len(name) + 1 : close])
            return info if close + 1 == len(text) else None
        if text.startswith(".", len(name)):
            if name == "evt.around":
                raise CheckError("wrong syntax for evt.around")
            wanted = text[len(name) + 1 :]
            best = ""
            for parameter in self.catalogue.parameters:
                if len(parameter) > len(best) and wanted.startswith(parameter):
                    best = parameter
            if not best:
                raise CheckError(f"unknown event argument {wanted}", Cause(Reason.UNKNOWN_PARAMETER, wanted))
            if len(best) != len(wanted):
                return None
            return replace(info, type=self.catalogue.parameters[best]) if name == "evt.rawarg" else info
        raise CheckError(f"filter syntax error: {text}")

    def _plugin(self, text: str) -> FieldInfo | None:
        """A plugin's field: the longest known prefix, then its argument by the plugin API's rules."""
        fields = self.source.plugin
        name = text.split("[", 1)[0]
        info = fields.get(name)
        if info is None:
            # a prefix decides, and its argument is checked before the length is
            candidates = [known for known in self._plugin_heads.get(text[:_HEAD], ()) if text.startswith(known)]
            if not candidates:
                return None
            info = fields[max(candidates, key=len)]
            bracket = text.split(" ", 1)[0].find("[")
            if bracket < 0 and info.argument == "required":
                raise CheckError(
                    f"filter '{text}': {info.name} requires an argument but none provided",
                    Cause(Reason.MISSING_ARGUMENT, text),
                )
            return None
        value = text.split(" ", 1)[0].strip(" \t\n\v\f\r")
        bracket = value.find("[")
        if bracket < 0:
            if info.argument == "required":
                raise CheckError(
                    f"filter '{value}': {info.name} requires an argument but none provided",
                    Cause(Reason.MISSING_ARGUMENT, value),
                )
            return info if len(text) == len(info.name) else None
        if bracket + 1 >= len(value):
            raise CheckError(f"filter '{value}': {info.name} terminates with incomplete argument brackets")
        close = value.find("]", bracket)
        if close < 0:
            raise CheckError(f"filter '{value}': {info.name} has unbalanced argument brackets")
        argument = value[bracket + 1 : close]
        if info.argument == "none":
            raise CheckError(
                f"filter '{value}': {info.name} does not allow nor require an argument but one is provided: {argument}"
            )
        if info.index and not info.key:
            if not re.fullmatch(r"0|[1-9][0-9]*", argument):
                raise CheckError(f"filter {value} {info.name} has an invalid index argument: {argument}")
            if int(argument) > 0xFFFFFFFFFFFFFFFF:
                raise CheckError(
                    f"filter {value} {info.name} has an invalid index argument not representable on 64 bit: {argument}"
                )
        return info if close + 1 == len(text) else None


_NOT_SPECIAL = object()
