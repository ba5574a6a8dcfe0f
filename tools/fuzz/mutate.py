# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts damaged as people, editors and templates damage them: lines gone or twice, other values, torn quotes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

#: What is put in the place of values, or in between: YAML's own signs, numbers at limits, names that mean something.
PIECES = (
    *("...", "---", "null", "~", "{}", "[]", "[{}]", "{a: {b: [c]}}", "''", '"', "'", "&a", "*a", "<<: *a"),
    *("!!binary x", "%YAML 1.2", ":", " :", "- ", "|", ">-", "#", ",", "? ", "@", "\t", "{{ .Values.x }}"),
    *("\u00e9", "\u2028", "\x00", "\udcff", "\ufeff", "true", "no", "-1", "0", "1", "65535", "65536", "1e400", "0x10"),
    *(".nan", "99999999999999999999", "10.0.0.0/8", "::/0", "0.0.0.0/33", "In", "DoesNotExist", "Ingress", "TCP"),
    *("http", "default", "kube-system", "evt.type", "proc.name in (a, b)", "and", "or not (", ") and", "exists", "="),
    *("%fd.name", "%%", "append", "replace", "2026-02-31", "!!int x", "? [a]: b", "<<: [1]", "&a {<<: *a}"),
    # Deeper than any parser may call itself; not deeper still, since PyYAML takes time that grows with its square.
    *("[" * 1200, '{"a":' * 1200, "(" * 1200, "not " * 1200, "- " * 1200),
)
#: What is put in the place of values of JSON.
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        65536,
        10**20,
        0.5,
        1e308,
        float("nan"),
        "",
        "a",
        "0",
        "\u00e9\u2028",
        "\x00",
        "\udcff",
    ),
    *(
        "a/b",
        "10.0.0.0/33",
        "2026-02-31T25:00:00Z",
        "%fd.name",
        "..",
        [],
        {},
        [[]],
        [None],
        {"": None},
        {"a": {"b": [1]}},
    ),
)
_VALUE = re.compile(r"(?<=: )[^\n#]+|(?<=- )[^\n#:]+|(?<=[\[,{ ])[\w./-]+")
_WORD = re.compile(r"[\w./%-]+")
#: No text grows beyond this, so that a run is about shapes and not about sizes.
MOST_CHARACTERS = 20_000


def mutated(text: str, others: Sequence[str], random: Random) -> str:
    """A text with one to four damages.

    Args:
        text: what is damaged.
        others: texts of which a part may be put in.
        random: where chance comes from; the same state gives the same text.
    """
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4))):
        text = random.choice(_DAMAGES)(text, random.choice(others), random)
    return text[:MOST_CHARACTERS]


def mutated_json(text: str, random: Random) -> str:
    """A text of JSON lines that are still JSON, with one to four values, keys or items of another kind in each."""
    lines = []
    for line in text.split("\n"):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            lines.append(line)
            continue
        for _ in range(random.choice((1, 1, 2, 4))):
            value = _other_value(value, random)
        lines.append(json.dumps(value))
    return "\n".join(lines)


def _other_value(value: Any, random: Random) -> Any:
    """A value with one change somewhere within."""
    if isinstance(value, dict) and value and random.random() < 0.85:
        key = random.choice(list(value))
        rest = {name: one for name, one in value.items() if name != key}
        kind = random.random()
        if kind < 0.1:
            return rest
        if kind < 0.2:
            return {**rest, random.choice((*value, "", "a.b", key + "s")): value[key]}
        return {**value, key: _other_value(value[key], random)}
    if isinstance(value, list) and value and random.random() < 0.85:
        place = random.randrange(len(value))
        changed = _other_value(value[place], random)
        return [
            *value[:place],
            *random.choice(([], [changed], [changed], [changed, value[place]])),
            *value[place + 1 :],
        ]
    return random.choice(VALUES)


def _value(text: str, _other: str, random: Random) -> str:
    return _replaced(text, _VALUE, random.choice(PIECES), random)


def _word(text: str, other: str, random: Random) -> str:
    words = _WORD.findall(other) or [""]
    return _replaced(text, _WORD, random.choice(words), random)


def _replaced(text: str, pattern: re.Pattern[str], new: str, random: Random) -> str:
    found = list(pattern.finditer(text))
    if not found:
        return text + new
    place = random.choice(found)
    return text[: place.start()] + new + text[place.end() :]


def _inserted(text: str, _other: str, random: Random) -> str:
    place = random.randint(0, len(text))
    return text[:place] + random.choice(PIECES) + text[place:]


def _cut(text: str, _other: str, random: Random) -> str:
    start = random.randint(0, len(text))
    return text[:start] + text[start + random.randint(1, 12) :]


def _torn(text: str, _other: str, random: Random) -> str:
    return text[: random.randint(0, len(text))]


def _line_gone(text: str, _other: str, random: Random) -> str:
    lines = text.split("\n")
    del lines[random.randrange(len(lines))]
    return "\n".join(lines)


def _line_twice(text: str, _other: str, random: Random) -> str:
    lines = text.split("\n")
    lines.insert(random.randint(0, len(lines)), random.choice(lines))
    return "\n".join(lines)


def _indented(text: str, _other: str, random: Random) -> str:
    lines = text.split("\n")
    index = random.randrange(len(lines))
    line = lines[index]
    lines[index] = line[1:] if line.startswith(" ") and random.random() < 0.5 else random.choice("  \t") + line
    return "\n".join(lines)


def _spliced(text: str, other: str, random: Random) -> str:
    mine, theirs = text.split("\n"), other.split("\n")
    start = random.randrange(len(theirs))
    place = random.randint(0, len(mine))
    return "\n".join([*mine[:place], *theirs[start : start + random.randint(1, 8)], *mine[place:]])


Damage = Callable[[str, str, Random], str]
_DAMAGES: tuple[Damage, ...] = (
    *(_value, _value, _value, _word, _word),
    *(_inserted, _cut, _torn, _line_gone, _line_twice, _indented, _spliced),
)
