"""`regex`: RE2's POSIX syntax, from start to end, in linear time."""

from __future__ import annotations

import re
import string
import time

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.regex import refusal
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate import regex as regex_module
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.regex import RegexMatcher, regex_matcher
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("a", "a", True),
        ("a", "ba", False),
        (".*a", "ba", True),
        (".", "\n", False),
        ("[^a]", "\n", True),
        (".", "é", True),
        ("..", "é", False),
        ("^a$", "a", True),
        ("a$\n^b", "a\nb", True),
        ("a$b", "ab", False),
        ("a^b", "ab", False),
        ("(ab|cd)+", "abcdab", True),
        ("a{2,3}", "aaaa", False),
        ("a{2,3}", "aaa", True),
        ("a{,2}", "a{,2}", True),
        ("a**", "aaa", True),
        ("(a*)*", "", True),
        ("(a*)+b", "aab", True),
        ("[[:alpha:]_]+", "a_b", True),
        ("[[:^digit:]]", "é", True),
        ("[a-]", "-", True),
        ("[b-ea-c]", "a", True),
        ("[a-eb-c]", "e", True),
        ("[a-eb-c]", "f", False),
        (".", "\0", True),
        ("[^a]", "\0", True),
        ("[]a]", "]", True),
        ("[\\n]", "\n", True),
        ("\\x41\\101\\.", "AA.", True),
        ("\\x{e9}", "é", True),
        ("", "", True),
        ("|a", "", True),
        ("()", "", True),
        # what is no UTF-8 is U+FFFD, each part of a broken character once
        (".", "\udcff", True),
        ("a\ufffdb", "a\udcffb", True),
        (".", "\udce2\udc82", True),
        ("..", "\udcc3\udcc3", True),
        ("[a-z]", "\udcff", False),
    ],
)
def test_patterns(pattern: str, text: str, matches: bool) -> None:
    assert refusal(pattern) is None
    assert regex_matcher(pattern)(text) is matches


CLASSES = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "ascii": "".join(map(chr, range(128))),
    "blank": " \t",
    "cntrl": "".join(map(chr, [*range(32), 127])),
    "digit": string.digits,
    "graph": string.ascii_letters + string.digits + string.punctuation,
    "lower": string.ascii_lowercase,
    "print": string.ascii_letters + string.digits + string.punctuation + " ",
    "punct": string.punctuation,
    "space": string.whitespace,
    "upper": string.ascii_uppercase,
    "word": string.ascii_letters + string.digits + "_",
    "xdigit": string.hexdigits,
}


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_has_the_characters_of_its_name(name: str) -> None:
    within, without = regex_matcher(f"[[:{name}:]]"), regex_matcher(f"[[:^{name}:]]")
    for char in map(chr, range(160)):
        assert within(char) is (char in CLASSES[name])
        assert without(char) is (char not in CLASSES[name])


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|a)*b", "(.*)(.*)(.*)(.*)(.*)x", "(a|aa)+$b"])
def test_patterns_that_make_others_go_back_are_linear(pattern: str) -> None:
    start = time.process_time()
    assert regex_matcher(pattern)("a" * 20_000) is False
    assert time.process_time() - start < 5  # going back would take years


def test_states_are_thrown_away_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regex_module, "MAX_STATES", 5)
    matcher = RegexMatcher("(a|b)*a(a|b){6}")
    text = "abbaabab" * 4
    for end in range(len(text)):
        expected = re.fullmatch("(a|b)*a(a|b){6}", text[:end]) is not None
        assert matcher(text[:end]) is expected
        assert len(matcher._sets) <= 6


PARTS = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "\\.", "^", "$"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}"])).map(
            lambda two: f"({two[0]}){two[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=500, deadline=None)
@given(PARTS, st.lists(st.text("ab.\né", max_size=6), min_size=1, max_size=4))
def test_python_agrees_on_what_both_know(pattern: str, texts: list[str]) -> None:
    matcher = RegexMatcher(pattern)
    # Python's $ is not RE2's: at the end of a line, and in multiline mode only
    translated = re.compile(pattern, re.MULTILINE)
    for text in texts:
        assert matcher(text) is (translated.fullmatch(text) is not None), (pattern, text)
