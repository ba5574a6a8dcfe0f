"""Foreign text within Markdown: as code it is one span whatever backticks it has, as text nothing of it is markup."""

from __future__ import annotations

import re

from ansible_collections.falconet.k8s.plugins.module_utils.common.markdown import code, first, plain
from hypothesis import example, given
from hypothesis import strategies as st

#: A code span as CommonMark reads it: the first run of as many backticks as it began with ends it.
SPAN = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)")


@given(st.text("`a b|\n", max_size=12))
@example("a`b")
@example("``")
@example("`")
def test_code_is_one_span_and_holds_the_text(text: str) -> None:
    told = code(text)
    words = " ".join(text.split())
    if not words:
        assert told == ""
        return
    span = SPAN.match(told)
    assert span is not None
    assert span.end() == len(told)
    assert span.group(2).strip() == words


def test_a_fence_is_no_longer_than_it_must_be() -> None:
    assert [code(text) for text in ("a b", "a`b", "``")] == ["`a b`", "`` a`b ``", "``` `` ```"]


@given(st.text())
def test_plain_text_is_one_line_in_which_every_mark_is_escaped(text: str) -> None:
    told = plain(text)
    assert "\n" not in told
    assert not re.search(r"[\\`*_{}\[\]<>()#+!|~&@-]", re.sub(r"\\.", "", told))


def test_a_long_list_says_how_many_more_there_are() -> None:
    assert list(first(["a", "b", "c"], 2)) == ["- a", "- b", "- and 1 more"]
    assert list(first(["a", "b"], 2)) == ["- a", "- b"]
