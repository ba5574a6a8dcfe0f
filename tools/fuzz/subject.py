# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fuzzed: the form of a subject, and where texts to damage come from."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import yaml

from tools.fuzz.mutate import mutated_json

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "corpus"
#: Between the files of a case of Falco's own verdicts.
FILE = "#### file"


class Subject(NamedTuple):
    """What is fuzzed.

    Attributes:
        texts: what is damaged.
        put: puts a damaged text to what is fuzzed. The number of the input chooses what is asked, the text that was
            damaged serves as a cluster before or as another set.
    """

    texts: list[str]
    put: Callable[[int, str, str], None]


def files(*patterns: str) -> list[str]:
    """Texts of the repository's files that fit patterns, by their names."""
    return [path.read_text() for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def texts(kind: str) -> list[str]:
    """Texts of the corpus that stand there to be damaged, by how their names begin."""
    return files(f"tests/corpus/fuzz/{kind}*")


def rules_files() -> list[str]:
    """The cases of Falco's own verdicts and the rules of the sample inventory."""
    found = []
    for path in sorted((CORPUS / "falco").glob("*.yaml")):
        found += [part.partition("\n")[2] for part in path.read_text().split(FILE)[1:]]
    return found + files("inventory/files/rules/*.yaml", "inventory/files/audit_rules/*.yaml")


@functools.cache
def recorded(name: str) -> tuple[dict[str, Any], ...]:
    """What a compressed recording of the corpus holds, an object a line."""
    with gzip.open(CORPUS / name, "rt", encoding="utf-8") as lines:
        return tuple(json.loads(line) for line in lines)


def value_of(text: str) -> Any:
    """The value of a text as Ansible reads a file of variables; None where it is none."""
    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, ValueError, RecursionError):  # ValueError: a date without such a day
        return None


@functools.cache
def options(role: str) -> dict[str, Any]:
    """The declared variables of a role."""
    found = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text())
    return dict(found["argument_specs"]["main"]["options"])


def either(number: int, text: str, whole: str) -> str:
    """The damaged text, or for every other input the whole one with damages that leave JSON to be JSON."""
    return text if number % 2 else mutated_json(whole, Random(number))  # noqa: S311 - no secret: the same again
