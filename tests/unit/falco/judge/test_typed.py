"""Advice on what people type that is no condition or no YAML, by the text before and behind the place."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.language import language_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.versions import NEWEST
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.advice import Advice, meant
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.typed import typed
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.yaml_hints import on_yaml

LANGUAGE = language_of(NEWEST)


@pytest.mark.parametrize(
    ("before", "after", "hint"),
    [
        ("proc.name ", "not contains x", "'not' stands before the field: 'not FIELD contains ...'"),
        ("proc.name ", "not bash", ""),
    ],
)
def test_where_a_condition_cannot_be_read_any_further(before: str, after: str, hint: str) -> None:
    assert typed(before, after, LANGUAGE).hint == hint


INDENTED = Advice("indent it by 2 blanks, as the key of line 1", " ", "  ", mend_at=(2, 1))
MAP, FLOW = "illegal map value", "end of sequence flow not found"


@pytest.mark.parametrize(
    ("text", "message", "line", "column", "advice"),
    [
        ("- rule: R\n desc: d\n", MAP, 2, 2, INDENTED),
        ("- rule R\n  desc: d\n", MAP, 2, 3, Advice("a key ends with a colon and a blank", at=(1, 3))),
        ("a: [x\nb: y\n", FLOW, 2, 1, Advice("the '[' that opens here is not closed", at=(1, 4))),
        ("a: b\nc: [x\n", FLOW, 3, 1, Advice("the '[' that opens here is not closed", at=(2, 4))),
    ],
)
def test_where_yaml_cannot_be_read_any_further(text: str, message: str, line: int, column: int, advice: Advice) -> None:
    assert on_yaml(message, line, column, text.split("\n")) == advice


@pytest.mark.parametrize(
    ("word", "mended"), [("shallouc", True), ("shallou", False), ("shelluc", True), ("xhalloyc", False)]
)
def test_a_word_of_eight_letters_may_be_two_slips_away(word: str, mended: bool) -> None:
    assert bool(meant(word, ["shell_uc", "bash"]).wrong) is mended
