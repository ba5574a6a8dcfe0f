"""What the real Falco answered: system calls and audit events, and which rules fired on them.

`tests/corpus/falco/evaluate/*.jsonl.gz`, one JSON object a line: lists, macros and rules first, then events.
"""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, RulesFile, load

CORPUS = Path(__file__).resolve().parents[3] / "corpus" / "falco" / "evaluate"


@lru_cache(maxsize=4)
def lines(name: str) -> tuple[str, ...]:
    with gzip.open(CORPUS / name, "rt", encoding="utf-8") as file:
        return tuple(file.read().splitlines())


@lru_cache(maxsize=4)
def entries(name: str) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(line) for line in lines(name))


@lru_cache(maxsize=4)
def loaded_rules(name: str) -> Loaded:
    text = "".join(entry.get("rules_text", "") + entry.get("text", "") for entry in entries(name))
    loaded = load([RulesFile(name, text)])
    assert loaded.successful
    return loaded
