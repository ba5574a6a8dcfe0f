"""Nothing that is fed to the loader raises, hangs or eats the memory."""

from __future__ import annotations

import time

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.printer import to_text
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.validate import Ruleset, validate
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile, decode
from hypothesis import given, settings
from hypothesis import strategies as st

from ..conditions import CONDITION, mutated_rules

LOADER = Loader()
RULE = "- rule: R\n  desc: d\n  condition: {}\n  output: o\n  priority: INFO\n"
BOMB = "- &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"- &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 8)}]\n" for n in range(12)
)
LOOP = "".join(f"- macro: m{n}\n  condition: evt.type = open\n" for n in range(500)) + "".join(
    f"- macro: m{n}\n  condition: m{(n + 1) % 500}\n" for n in range(500)
)
DOUBLING = "- macro: m0\n  condition: proc.name = proc.pname\n" + "".join(
    f"- macro: m{n}\n  condition: m{n - 1} or m{n - 1}\n" for n in range(1, 60)
)
LISTS = "- list: l0\n  items: [x, x, x, x, x, x, x, x]\n" + "".join(
    f"- list: l{n}\n  items: [{', '.join([f'l{n - 1}'] * 8)}]\n" for n in range(1, 12)
)

CASES = {
    "not UTF-8": b"- rule: \xff\xfe\xfd\n",
    "empty": b"",
    "NUL bytes": b"\0" * 1000,
    "tabs": b"\t- rule:\n\t\tx: 1\n",
    "deep flow": b"[" * 10_000,
    "deep block": b"".join(b" " * n + b"-\n" for n in range(1500)),
    "deep parentheses": RULE.format("(" * 10_000 + "m" + ")" * 10_000).encode(),
    "exploding anchors": BOMB.encode(),
    "self-containing anchor": b"- &a [*a]\n- rule: *a\n",
    "cyclic macros": LOOP.encode(),
    "doubling macros": (DOUBLING + RULE.format("m59")).encode(),
    "doubling lists": (LISTS + RULE.format("proc.name in (l11)")).encode(),
    "one long line": b"- rule: " + b"x" * 1_000_000,
    "many quotes": RULE.format("'proc.name = \"" + '\\"' * 20_000 + "'").encode(),
    "many documents": b"--- a\n" * 20_000,
    "UTF-16": "- rule: x\n".encode("utf-16"),
    "complex keys": b"- ? [a, b]\n  : c\n  rule: x\n  desc: d\n  condition: c\n  output: o\n  priority: INFO\n",
}


@pytest.mark.parametrize("content", CASES.values(), ids=CASES.keys())
def test_bad_files_are_judged(content: bytes) -> None:
    start = time.process_time()
    verdict = validate([Ruleset("", (RulesFile("f.yaml", decode(content)),))])[0]
    assert verdict.successful == (not any(finding.severity == "error" for finding in verdict.findings))
    assert time.process_time() - start < 30


def test_a_file_over_the_bound_is_refused() -> None:
    loaded = LOADER.load([RulesFile("f.yaml", "#" * (16 * 1024 * 1024 + 1))])
    assert [issue.code for issue in loaded.results[0].errors] == ["LOAD_ERR_YAML_PARSE"]


@given(mutated_rules())
@settings(max_examples=300, deadline=None)
def test_mutated_rules_are_judged(text: str) -> None:
    verdict = validate([Ruleset("", (RulesFile("f.yaml", text),))])[0]
    assert verdict.successful == (not any(finding.severity == "error" for finding in verdict.findings))
    # what is found past Falco's errors leaves Falco's word as it is
    assert verdict.results == LOADER.load([RulesFile("f.yaml", text)]).to_json()
    for finding in verdict.findings:
        assert finding.message
        assert finding.line is None or finding.line >= 1


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_judged(content: bytes) -> None:
    LOADER.load([RulesFile("f.yaml", decode(content))]).to_json()


@given(CONDITION)
@settings(max_examples=150, deadline=None)
def test_conditions_of_the_grammar_are_judged(node: object) -> None:
    condition = to_text(node)  # type: ignore[arg-type]  # a Node
    text = (
        "- rule: R\n  desc: d\n  condition: |\n    "
        + condition.replace("\n", " ")
        + "\n  output: o\n  priority: INFO\n"
    )
    loaded = LOADER.load([RulesFile("f.yaml", text)])
    loaded.to_json()
