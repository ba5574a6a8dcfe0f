# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A survey of AWX out of the declarations of roles' variables (meta/argument_specs.yml), which stay the one source.

AWX hands a question that was left empty to the job as an empty text, and a question's default beats the inventory. So
no question has a default that means a value, none is required unless the caller says so, and what was left as it is
counts as not answered (C(answers.py)).

Source: https://docs.ansible.com/automation-controller/latest/html/userguide/job_templates.html#surveys and the view
JobTemplateSurveySpec of ansible/awx (awx/api/views/__init__.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .errors import AwxError

#: What the variables of questions begin with. Extra variables beat everything, so questions bear no role's own names.
PREFIX = "survey_"
#: The choice that stands for no answer.
UNANSWERED = "as in the inventory"
#: Lengths that AWX's forms offer for texts, in characters.
LINE_LENGTH = 1024
TEXT_LENGTH = 32768

_MARKUP = re.compile(r"\b[A-Z]\(([^()]*)\)")
_ONE_A_LINE = "One a line."
_AS_YAML = "As YAML or JSON."


def survey(
    title: str, names: Iterable[str], required: Iterable[str], declared: Callable[[str], Mapping[str, Any]]
) -> dict[str, Any]:
    """The survey that asks for variables.

    Args:
      title: name of the survey.
      names: variables that roles declare, in the order of the questions.
      required: those of them that must be answered.
      declared: gives the declaration of a variable, as in an argument spec; raises KeyError if nobody declares it.

    Returns:
      C(name), C(description) and C(spec), as AWX's C(survey_spec) takes them; empty if nothing is asked.

    Raises:
      AwxError: a variable that nobody declares, or that is secret: secrets come by credentials.
    """
    wanted, must = list(names), set(required)
    questions, problems = [], [f"{name}: is required and not asked for." for name in sorted(must - set(wanted))]
    for name in wanted:
        try:
            option = declared(name)
        except KeyError:
            problems.append(f"{name}: no role declares it.")
            continue
        if option.get("no_log"):
            problems.append(f"{name}: is secret. Secrets come by credentials, not by surveys.")
            continue
        questions.append(question(name, option, name in must))
    if problems:
        raise AwxError(problems)
    return {"name": title, "description": "", "spec": questions} if questions else {}


def question(name: str, option: Mapping[str, Any], required: bool = False) -> dict[str, Any]:
    """One question.

    Args:
      name: of the variable.
      option: its declaration.
      required: whether it must be answered.
    """
    form, notes = _form(option, required)
    told = [_described(option), *notes] + (
        [] if required or "choices" in form else ["Left empty: as in the inventory."]
    )
    return {
        "question_name": name,
        "question_description": " ".join(sentence for sentence in told if sentence),
        "variable": f"{PREFIX}{name}",
        "required": required,
        **form,
    }


def _form(option: Mapping[str, Any], required: bool) -> tuple[dict[str, Any], list[str]]:
    """Type, limits and choices of a question, and what its description must add."""
    kind = option.get("type", "str")
    if kind == "bool":
        return _choice(["true", "false"], required), []
    if kind == "str" and "choices" in option:
        return _choice([str(choice) for choice in option["choices"]], required), []
    if kind == "list" and "choices" in option:
        return {"type": "multiselect", "choices": [str(choice) for choice in option["choices"]]}, []
    if kind in ("int", "float"):
        return {"type": "integer" if kind == "int" else "float"}, []
    if kind == "list" and option.get("elements") in ("str", "path"):
        return {"type": "textarea", "max": TEXT_LENGTH}, [_ONE_A_LINE]
    if kind in ("list", "dict", "raw"):
        return {"type": "textarea", "max": TEXT_LENGTH}, [_AS_YAML]
    return {"type": "text", "max": LINE_LENGTH}, []


def _choice(words: list[str], required: bool) -> dict[str, Any]:
    if required:
        return {"type": "multiplechoice", "choices": words}
    return {"type": "multiplechoice", "choices": [UNANSWERED, *words], "default": UNANSWERED}


def _described(option: Mapping[str, Any]) -> str:
    """A declaration's description as one plain text."""
    described = option.get("description", "")
    text = described if isinstance(described, str) else " ".join(str(part) for part in described)
    return " ".join(_MARKUP.sub(r"\1", text).split())
