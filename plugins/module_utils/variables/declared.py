# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a variable as its option in a role's argument_specs.yml declares it, whether it came typed or as text.

Ansible checks variables against that file, but hands roles what it was given: ``-e falco_ui_enabled=false`` stays the
word "false". Messages name the variable, what it is and what would be right, and never a value that may be a secret.

Source: https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_reuse_roles.html#role-argument-validation
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Callable

from ..common.words import nearest
from .text import NotReadableError, boolean, collection, number, whole_number

_SCALARS: dict[str, Callable[[Any], Any]] = {"bool": boolean, "int": whole_number, "float": number}
_EMPTY: dict[str, Callable[[], Any]] = {"list": list, "dict": dict}


class VariableError(ValueError):
    """A variable that is not what it is declared to be.

    Attributes:
      problems: all that is wrong with it, a sentence each, beginning with the place.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def read_variable(name: str, value: Any, option: Mapping[str, Any]) -> Any:
    """A variable's value with its declared types.

    None, and an empty text for what is no text, count as not given: then a boolean or number has its declared default,
    a list or mapping with a default is empty, and anything else is None. In a list neither stands for anything.

    Args:
      name: of the variable, for messages.
      value: what was given: of the declared type, or its text (for lists and mappings JSON, or words with commas
        between them where a list has strings).
      option: its declaration: C(type), C(elements), C(choices), C(options), C(default), as in an argument spec. A list
        with C(options) has mappings.

    Raises:
      VariableError: the value is of another type, not among the choices, or has unknown or missing keys.
    """
    problems: list[str] = []
    found = _read(name, value, option, problems)
    if problems:
        raise VariableError(problems)
    return found


def _read(path: str, value: Any, option: Mapping[str, Any], problems: list[str]) -> Any:
    kind = option.get("type", "str")
    if _is_absent(value, kind):
        return _absent(kind, option)
    try:
        found = _typed(kind, value, option)
    except NotReadableError as error:
        problems.append(f"{path}: must be {error}, not {_kind_of(value)}.")
        return value
    if kind == "list":
        element = {"type": option.get("elements", "raw"), **({"type": "dict"} if "options" in option else {})}
        element.update({key: option[key] for key in ("options", "choices") if key in option})
        problems.extend(
            f"{path}[{index}]: is empty; write what it is, or take its dash away."
            for index, item in enumerate(found)
            if element["type"] != "raw" and _is_absent(item, element["type"])
        )
        return [_read(f"{path}[{index}]", item, element, problems) for index, item in enumerate(found)]
    if kind == "dict" and "options" in option:
        return _keys(path, found, option["options"], problems)
    if "choices" in option and found not in option["choices"]:
        problems.append(_no_choice(path, found, option))
    return found


def _is_absent(value: Any, kind: str) -> bool:
    return value is None or (isinstance(value, str) and not value.strip() and kind not in ("str", "path", "raw"))


def _absent(kind: str, option: Mapping[str, Any]) -> Any:
    if kind in _EMPTY:
        return _EMPTY[kind]() if "default" in option else None
    return option.get("default")


def _typed(kind: str, value: Any, option: Mapping[str, Any]) -> Any:
    """The value, or an error that says what it must be."""
    if kind in _SCALARS:
        return _SCALARS[kind](value)
    if kind in ("str", "path"):
        return _string(value, option)
    if kind == "list":
        return _list(value, option)
    if kind == "dict":
        return _dict(value)
    return value


def _string(value: Any, option: Mapping[str, Any]) -> str:
    """As Ansible reads strings: numbers are taken, and the C(off) that YAML takes for false is a choice again."""
    if isinstance(value, bool):
        words = [word for word in option.get("choices", ()) if _is_word_of(word, value)]
        if len(words) != 1:
            raise NotReadableError("a string, in quotes")
        return str(words[0])
    if not isinstance(value, (str, int, float)):
        raise NotReadableError("a string")
    return value if isinstance(value, str) else str(value)


def _is_word_of(word: Any, value: bool) -> bool:
    try:
        return boolean(word) is value
    except NotReadableError:
        return False


def _list(value: Any, option: Mapping[str, Any]) -> list[Any]:
    words = option.get("elements") in ("str", "path")
    if isinstance(value, str) and value.strip().startswith("["):
        value = _parsed(value)
    elif isinstance(value, str) and words:
        value = [word.strip() for word in value.split(",")]
    if not isinstance(value, (list, tuple)):
        raise NotReadableError("a list" + ("" if words else ", or one as JSON"))
    return list(value)


def _dict(value: Any) -> dict[Any, Any]:
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, Mapping):
        raise NotReadableError("a mapping, or one as JSON")
    return dict(value)


def _parsed(text: str) -> Any:
    try:
        return collection(text)
    except NotReadableError:
        return text


def _keys(path: str, found: Mapping[Any, Any], options: Mapping[str, Any], problems: list[str]) -> dict[Any, Any]:
    for key in found:
        if key not in options:
            close = nearest(str(key), options)
            hint = f"Did you mean {close}?" if close else f"It has {', '.join(options)}."
            problems.append(f"{path}.{key}: is unknown. {hint}")
    problems.extend(_missing(path, found, options))
    return {
        key: value if value is None or key not in options else _read(f"{path}.{key}", value, options[key], problems)
        for key, value in found.items()
    }


def _missing(path: str, found: Mapping[Any, Any], options: Mapping[str, Any]) -> Iterator[str]:
    for key, option in options.items():
        if option.get("required") and _is_absent(found.get(key), option.get("type", "str")):
            yield f"{path}.{key}: is missing."


def _no_choice(path: str, value: Any, option: Mapping[str, Any]) -> str:
    choices = [str(choice) for choice in option["choices"]]
    told = "" if option.get("no_log") else f", not {value!r}"
    close = nearest(str(value), choices)
    return f"{path}: must be one of {', '.join(choices)}{told}." + (f" Did you mean {close}?" if close else "")


def _kind_of(value: Any) -> str:
    kinds = (
        (bool, "a boolean"),
        ((int, float), "a number"),
        (str, "a string that is none"),
        ((list, tuple), "a list"),
        (Mapping, "a mapping"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), type(value).__name__)
