"""`glob`: as C's fnmatch, byte by byte."""

from __future__ import annotations

import ctypes
import locale
import time
from collections.abc import Iterator

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.glob import glob_matcher
from hypothesis import given, settings
from hypothesis import strategies as st

FNM_CASEFOLD = 16


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("*", "", True),
        # a bracket that nothing closes is itself, but not where a range has no end or a class is broken behind a match
        ("[ab", "[ab", True),
        ("b[a-", "b[a-", False),
        ("[[-", "[[-", True),
        ("[[a[==", "[[a[==", False),
        ("a*c", "abc", True),
        # a class, a character that stands for those that are equal to it, one by its name
        ("[[:digit:]x]", "5", True),
        ("[[:nothing:]x]", "x", False),  # one that nobody knows leaves nothing that fits
        ("[[:nothing:]x]", "n", False),
        ("[[=a=]b]", "a", True),
        ("[[=a=]b]", "=", False),
        ("[[.a.]]", "a", True),
        ("[[.a.]]", ".", False),
        ("[[.a.]-[.c.]]", "b", True),
        ("[[.ab.]]", "a", False),
        ("[a-[.zz.]]", "b", False),
        ("a*c", "a/b.c", True),
        ("?", "é", False),  # two bytes
        ("??", "é", True),
        ("[é]", "é", False),
        ("[!a]", "b", True),
        ("[^a]", "a", False),
        ("[]a]", "]", True),
        ("[a-c]x", "bx", True),
        ("[a", "[a", True),
        ("\\*", "*", True),
        ("\\*a", "*a", True),
        ("\\*a", "*", False),
        ("[\\]a]", "]", True),
        ("[\\]a]", "a", True),
        ("[\\]a]", "\\", False),
        ("[\\a-c]", "b", True),
        ("[a-]x", "-x", True),
        ("[a-]x", "bx", False),
        ("[.[]", "[", True),
        ("[.[]", ".", True),
        ("\\*", "a", False),
        ("a\\", "a\\", False),
        ("[[:digit:]]*", "1a", True),
        ("[[:nothing:]]", "a", False),
        ("[![:nothing:]]", "a", False),
        ("a*b*a", "aba", True),
        ("a*b*a", "aa", False),
        ("ab*ba", "aba", False),
        ("*.txt", ".txt", True),
        ("a\nb", "a\nb", True),
        ("a?b", "a\nb", True),
    ],
)
def test_patterns(pattern: str, text: str, matches: bool) -> None:
    assert glob_matcher(pattern)(text) is matches


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("A*", "abc", True),
        ("[A-C]x", "bX", True),
        ("[[:upper:]]", "a", False),
        ("[[.A.]]", "a", False),
        ("[[.A.]]", "A", True),
        ("[.A]", "a", True),
        ("[[:lower:]]", "a", True),
        ("É", "é", False),
    ],
)
def test_case_is_folded_for_letters_and_not_for_what_is_named(pattern: str, text: str, matches: bool) -> None:
    assert glob_matcher(pattern, True)(text) is matches


def test_many_stars_take_no_more_than_text_times_pattern() -> None:
    matcher = glob_matcher("a*" * 100 + "b")
    start = time.process_time()
    assert matcher("a" * 5000) is False
    assert time.process_time() - start < 5  # a matcher that goes back for each star would take years


@pytest.fixture
def c_locale() -> Iterator[None]:
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C")
    yield
    locale.setlocale(locale.LC_CTYPE, before)


PIECES = st.sampled_from(
    [*"abAB*?]!^-\\/:.1", "[", "[:alpha:]", "[a-c]", "[!a]", "é", "[[:upper:]]", "[[:digit:]a]", "[^b]", "[=a=]", "\n"]
)


@settings(max_examples=500, deadline=None)
@given(
    st.lists(PIECES, max_size=7).map("".join),
    st.lists(st.sampled_from([*"abAB[]-/1.:\\é^!\n"]), max_size=6).map("".join),
    st.booleans(),
)
def _agree_with_c(pattern: str, text: str, fold_case: bool) -> None:
    library = ctypes.CDLL(None)
    expected = library.fnmatch(pattern.encode(), text.encode(), FNM_CASEFOLD if fold_case else 0) == 0
    assert glob_matcher(pattern, fold_case)(text) is expected


@pytest.mark.usefixtures("c_locale")
@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="the C library is not glibc")
def test_the_c_library_agrees() -> None:
    _agree_with_c()
