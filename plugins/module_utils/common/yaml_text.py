# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as PyYAML reads it (https://pyyaml.org/wiki/PyYAMLDocumentation), with one error for all that cannot be read.

PyYAML has no error of its own for a date that no calendar has, nor for what is nested too deeply for Python. Where a
place in the text matters, or what Falco or Kubernetes make of it, there are readers of our own.
"""

from __future__ import annotations

import traceback
from typing import Any

YAML_IMPORT_ERROR: str | None = None
try:
    import yaml
except ImportError:
    YAML_IMPORT_ERROR = traceback.format_exc()


class YamlTextError(ValueError):
    """A text that cannot be read.

    Attributes:
        problem: what is wrong, without a word of the text, which may be secret.
        line, column: where, from 1; None where PyYAML does not say.
    """

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(f"{problem} in line {line}" if line else problem)
        self.problem, self.line, self.column = problem, line, column


def read_all(text: str | bytes, in_c: bool = False) -> list[Any]:
    """All documents of a text.

    Args:
        text: the text.
        in_c: by libyaml where PyYAML has it, several times as fast.

    Raises:
        YamlTextError: it cannot be read, or PyYAML is missing.
    """
    if YAML_IMPORT_ERROR:
        raise YamlTextError("cannot be read: the Python library PyYAML is missing")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader) if in_c else yaml.SafeLoader
    try:
        return list(yaml.load_all(text, Loader=loader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise YamlTextError(str(getattr(error, "problem", None) or "cannot be read"), *place) from None
    except RecursionError:
        raise YamlTextError("is nested too deeply") from None
    except ValueError:
        raise YamlTextError("has a date or number that is none") from None


def read_one(text: str | bytes) -> Any:
    """The only document of a text; None where there is none.

    Raises:
        YamlTextError: it cannot be read, or has several documents.
    """
    documents = read_all(text)
    if len(documents) > 1:
        raise YamlTextError("has several documents")
    return documents[0] if documents else None
