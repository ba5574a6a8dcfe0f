# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was answered in a survey of AWX, with the types that roles declare; AWX knows texts, numbers, lists of words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..common.words import nearest
from ..common.yaml_text import YamlTextError, read_one
from ..variables import VariableError, read_variable
from .errors import AwxError
from .survey import PREFIX, UNANSWERED


def read_answers(
    given: Mapping[str, Any], declared: Callable[[str], Mapping[str, Any]], known: Iterable[str]
) -> dict[str, Any]:
    """Variables out of the answers of a survey.

    Args:
      given: answers by their variables, which begin with C(survey_); others are left alone.
      declared: gives the declaration of a role's variable; raises KeyError for one that nobody declares.
      known: every name that is declared, for the nearest one.

    Returns:
      Values by the names of the roles' variables. What was not answered (an empty text or list, or C(as in the
      inventory)) is not there.

    Raises:
      AwxError: a variable that nobody declares or that is secret, or a value of another type; all problems at once.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for answered in sorted(name for name in given if name.startswith(PREFIX)):
        name = answered[len(PREFIX) :]
        try:
            option = declared(name)
        except KeyError:
            close = nearest(name, known)
            problems.append(
                f"{answered}: no role declares {name}." + (f" Did you mean {PREFIX}{close}?" if close else "")
            )
            continue
        if option.get("no_log"):
            problems.append(f"{answered}: {name} is secret. Secrets come by credentials, not by surveys.")
        elif not _unanswered(given[answered]):
            try:
                values[name] = read_variable(answered, _opened(given[answered], option), option)
            except VariableError as error:
                problems += error.problems
    if problems:
        raise AwxError(problems)
    return values


def _unanswered(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip() in ("", UNANSWERED)
    return value is None or value == []


def _opened(value: Any, option: Mapping[str, Any]) -> Any:
    """The value out of a text of several lines: YAML for lists and mappings, one word a line for lists of words."""
    kind = option.get("type", "str")
    if not isinstance(value, str) or kind not in ("list", "dict", "raw"):
        return value
    if kind == "list" and option.get("elements") in ("str", "path") and not value.lstrip().startswith(("[", "- ")):
        lines = [line.strip() for line in value.splitlines() if line.strip()]
        return lines if len(lines) > 1 else lines[0]
    try:
        found = read_one(value)
    except YamlTextError:
        return value  # what it must be is said where its type is read
    return found if kind == "raw" or isinstance(found, (list, dict)) else value
