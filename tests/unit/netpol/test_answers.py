"""The corpus of answers: each case is what a user has and asks, and what the modules must say, as data.

A case has C(objects), C(before) and C(other) (given inline), C(files) (a directory, by their names), and C(asks). An
ask has the options of a module (C(args)), and what must come out: C(gives), a part of the result (lists have all of
their items, mappings some); C(says), each a part of a sentence of the result; C(codes), those of the findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import QUESTIONS

from ..module_runner import run_module

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "netpol" / "answers"
CASES = sorted(CORPUS.rglob("*.yaml"))
PAGE = Path(__file__).resolve().parents[3] / "docs" / "network-policy-semantics.md"
#: Where a result has sentences.
TOLD = ("text", "notes", "missing", "excess")
INLINE = {"objects": "resources", "before": "before_resources", "other": "other_resources"}


def differences(result: Any, wanted: Any, path: str = "") -> list[str]:
    """Where a result is not what is wanted."""
    if isinstance(wanted, dict) and isinstance(result, dict):
        missing = [f"{path}.{key} is not there" for key in wanted if key not in result]
        return missing + [
            line for key in wanted if key in result for line in differences(result[key], wanted[key], f"{path}.{key}")
        ]
    if isinstance(wanted, list) and isinstance(result, list) and len(wanted) == len(result):
        return [
            line
            for number, (mine, theirs) in enumerate(zip(result, wanted))
            for line in differences(mine, theirs, f"{path}[{number}]")
        ]
    return [] if result == wanted else [f"{path} is {result!r}, not {wanted!r}"]


def ask(case: dict[str, Any], asked: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Runs the module that is asked."""
    module, args = asked.get("module", "netpol_analyze"), dict(asked["args"])
    for part, option in INLINE.items():
        if part in case:
            args[option] = case[part]
    for name, text in case.get("files", {}).items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if "files" in case:
        args["paths"] = [str(directory / name) for name in args.get("paths", [""])]
    found: dict[str, Any] = yaml.safe_load(yaml_of(run_module(module, args)).replace(f"{directory}/", ""))
    return found


def yaml_of(result: dict[str, Any]) -> str:
    return yaml.dump(result, width=10**6, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))


def sentences(result: dict[str, Any]) -> str:
    """Whatever a result tells people."""
    parts = [result.get("msg", ""), *(str(verdict.get("reason")) for verdict in result.get("verdicts", ()))]
    return "\n".join([*parts, *(line for key in TOLD for line in result.get(key, ()))])


def every_ask() -> Iterator[dict[str, Any]]:
    for path in CASES:
        yield from yaml.safe_load(path.read_text())["asks"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_an_answer_is_what_the_corpus_says(path: Path, tmp_path: Path) -> None:
    case = yaml.safe_load(path.read_text())
    wrong: list[str] = []
    checked = 0
    for number, asked in enumerate(case["asks"]):
        result = ask(case, asked, tmp_path / str(number))
        if "failed" not in asked.get("gives", {}):
            assert not result.get("failed"), result["msg"]
        wrong += differences(result, asked.get("gives", {}), f"asks[{number}]")
        wrong += [f"nothing says {words!r}" for words in asked.get("says", ()) if words not in sentences(result)]
        if "codes" in asked:
            wrong += differences(sorted(finding["code"] for finding in result["findings"]), asked["codes"], "codes")
        checked += len(asked.get("gives", ())) + len(asked.get("says", ())) + ("codes" in asked)
        assert checked, f"asks[{number}] checks nothing"
    assert wrong == []


def test_every_code_of_lint_has_a_case() -> None:
    page = PAGE.read_text().partition("## What lint finds")[2].partition("\n## ")[0]
    codes = set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE))
    assert codes - {code for asked in every_ask() for code in asked.get("codes", ())} == set()


def test_every_question_has_a_case() -> None:
    assert set(QUESTIONS) - {asked["args"].get("question", "matrix") for asked in every_ask()} == set()
