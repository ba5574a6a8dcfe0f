"""Regular expressions that RE2 takes or refuses in POSIX mode, in which Falco compiles them, and its words."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.regex import escaped_character, refusal


@pytest.mark.parametrize(
    "pattern",
    [
        *("a+b?", "[[:alpha:]]", "^/etc/.*$", "a{2,3}", "a**", "\\.", "\\_", "[]a]", "()", "x|"),
        # a brace that begins no count stands for itself, one without an end has the first number as its bound
        *("a{", "{a", "a{,3}", "a{2,}", "a{1000}", "(a{10}){100}", "(a{0}){1000}"),
        *("\\012", "\\1232", "\\12", "\\0", "\\x41", "\\x{10FFFF}", "\\n"),
        *("(a){1000}", "[a]{1000}", "\\.{1000}", "{{1000}", "(a{1000}){0,1}"),
        *("[(]", "[^]]", "[](]", "[a:]", "[[:alpha:](]", "[cba]", "[a-a]", "[\\n-\\r]"),
        *("[^]a]", "[a-]", "[-a]", "[[:^alpha:]b]", "[[:a]", "[\\]a]", "[\\x41-\\x{5a}]", "é"),
    ],
)
def test_patterns_that_re2_takes(pattern: str) -> None:
    assert refusal(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("\\d", "invalid escape sequence: \\d"),
        ("\\b", "invalid escape sequence: \\b"),
        ("\\1", "invalid escape sequence: \\1"),
        ("\\8", "invalid escape sequence: \\8"),
        ("\\é", "invalid escape sequence: \\é"),
        ("a\\", "trailing \\"),
        ("\\x4", "invalid escape sequence: \\x4"),
        ("\\xg0", "invalid escape sequence: \\xg0"),
        ("\\x{}", "invalid escape sequence: \\x{"),
        ("\\x{41", "invalid escape sequence: \\x{"),
        ("\\x{110000}", "invalid escape sequence: \\x{"),
        ("(?i)a", "no argument for repetition operator: ?"),
        ("*a", "no argument for repetition operator: *"),
        ("|*", "no argument for repetition operator: *"),
        ("({2})", "no argument for repetition operator: {2}"),
        ("(", "missing ): ("),
        ("a)", "unexpected ): a)"),
        ("a{1001}", "bad repetition operator: {1001}"),
        ("({1001,})", "bad repetition operator: {1001,}"),
        ("({1,1001})", "bad repetition operator: {1,1001}"),
        ("(a{1,40}){1,40}", "bad repetition operator: {1,40}"),
        ("(a{40,}){40,}", "bad repetition operator: {40,}"),
        ("(a))", "unexpected ): (a))"),
        ("a|(", "missing ): a|("),
        ("a*(", "missing ): a*("),
        ("{(", "missing ): {("),
        ("a(", "missing ): a("),
        ("[a](", "missing ): [a]("),
        ("[a-b", "missing ]: [a-b"),
        ("[\\r-\\n]", "invalid character class range: \\r-\\n"),
        ("[[::]]", "invalid character class range: [::]"),
        ("\\1a", "invalid escape sequence: \\1"),
        ("\\xg0z", "invalid escape sequence: \\xg0"),
        ("\\x{4g}", "invalid escape sequence: \\x{"),
        ("\\€", "invalid escape sequence: \\€"),
        ("\\\x80", "invalid escape sequence: \\\x80"),
        ("a{2,1}", "bad repetition operator: {2,1}"),
        ("(a{40}){40}", "bad repetition operator: {40}"),
        ("[a", "missing ]: [a"),
        ("x[a-", "invalid character class range: -"),
        ("[", "missing ]: ["),
        ("[z-a]", "invalid character class range: z-a"),
        ("[a-b-c]", "invalid character class range: -c"),
        ("[[:letter:]]", "invalid character class range: [:letter:]"),
        ("[\\d]", "invalid escape sequence: \\d"),
        ("\udcff", "invalid UTF-8"),
        ("[\udcff]", "invalid UTF-8"),
        ("\\\udcff", "invalid UTF-8"),
    ],
)
def test_patterns_that_re2_refuses(pattern: str, why: str) -> None:
    assert refusal(pattern) == why


@pytest.mark.parametrize(
    ("pattern", "code", "end"),
    [
        ("\\a", 7, 2),
        ("\\t", 9, 2),
        ("\\n", 10, 2),
        ("\\v", 11, 2),
        ("\\f", 12, 2),
        ("\\r", 13, 2),
        ("\\.a", 46, 2),
        ("\\08", 0, 2),
        ("\\12a", 0o12, 3),
        ("\\1234", 0o123, 4),
        ("\\x41b", 0x41, 4),
        ("\\x{41}b", 0x41, 6),
    ],
)
def test_the_character_of_an_escape_and_where_it_ends(pattern: str, code: int, end: int) -> None:
    assert escaped_character(pattern, 0) == (code, end)
