# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values out of their texts: ``-e``, a survey, and templates before ansible-core 2.19 give nothing but strings.

Words for booleans are those of Ansible (ansible.module_utils.parsing.convert_bool).
"""

from __future__ import annotations

import ast
import json
import math
import re
from typing import Any


class NotReadableError(ValueError):
    """A value that is not what was wanted; the text says what was."""


_TRUE = frozenset(("y", "yes", "on", "1", "true", "t"))
_FALSE = frozenset(("n", "no", "off", "0", "false", "f"))
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def boolean(value: Any) -> bool:
    """True or false, from itself, from 1 and 0, or from a word.

    Raises:
      NotReadableError: it is none of these.
    """
    if isinstance(value, bool):
        return bool(value)
    word = str(value).strip().lower() if isinstance(value, (str, int)) else ""
    if word not in _TRUE | _FALSE:
        raise NotReadableError("true or false")
    return word in _TRUE


def whole_number(value: Any) -> int:
    """A whole number, from itself or from its digits.

    Raises:
      NotReadableError: it is none; booleans and numbers with a fraction are none.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    raise NotReadableError("a whole number")


def number(value: Any) -> float:
    """A number, from itself or from its text.

    Raises:
      NotReadableError: it is none; booleans, infinity and NaN are none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise NotReadableError("a number")
    try:
        found = float(value)
    except (ValueError, OverflowError):
        raise NotReadableError("a number") from None
    if not math.isfinite(found):
        raise NotReadableError("a number")
    return found


def collection(text: str) -> Any:
    """What JSON, or a literal of Python, says: templates without native types write lists and mappings as Python does.

    Raises:
      NotReadableError: it is neither.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        # The text may hold a secret, and so may the parser's words.
        raise NotReadableError("JSON") from None
