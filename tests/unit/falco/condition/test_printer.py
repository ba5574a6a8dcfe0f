"""Conditions written: quotes where they are needed and escapes that are read back; escapes that nobody reads."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.lexer import (
    escape,
    quoted,
    quoted_end,
    unescape,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.parser import parse
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.printer import to_text
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import ConditionSyntaxError


@pytest.mark.parametrize(
    ("text", "written"),
    [
        # the word alone would be taken for a modifier of the operator
        ("proc.name = 'oneof'", 'proc.name = "oneof"'),
        ("proc.name = ''", 'proc.name = ""'),
        ("proc.name contains 'ab'", "proc.name contains ab"),
        ("proc.name in ( a , 'b c' )", 'proc.name in (a, "b c")'),
        ("proc.name in (shells)", "proc.name in (shells)"),
        ("proc.name intersects shells", "proc.name intersects shells"),
        ("proc.name in anyof", "proc.name in anyof"),
        ("proc.name contains anyof oneof", "proc.name contains anyof oneof"),
        ("(a and b) or c", "a and b or c"),
        ("fd.num < 0x1F", "fd.num < 0x1F"),
        ("proc.env['a b'] exists", 'proc.env["a b"] exists'),
        ("proc.aname[ 2] exists", None),
        ("join(',',(proc.name,5,'x',()))[a] = b", None),
        ("join(',', (proc.name, 5, 'x'))[a] = b", 'join(",", (proc.name, 5, "x"))[a] = b'),
        ("not(not x)", "not (not x)"),
        ("a and (b and (c or d))", "a and (b and (c or d))"),
        ("(a or b) or c", "(a or b) or c"),
    ],
)
def test_what_is_written(text: str, written: str | None) -> None:
    if written is None:
        with pytest.raises(ConditionSyntaxError):
            parse(text)
    else:
        assert to_text(parse(text)) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a b", '"a b"'),
        ('say "a"', '"say \\"a\\""'),
        ("a\\b", '"a\\\\b"'),
        ("a\\", '"a\\ "'),
        ("\b\f\n\r\t", '"\\b\\f\\n\\r\\t"'),
        ("\x01\x7f", '"\\x01\\x7f"'),
        ("\udcff", '"\\xff"'),
        ("é", '"é"'),
    ],
)
def test_each_character_is_written_so_that_it_is_read_back(value: str, written: str) -> None:
    assert quoted(value) == written
    assert unescape(written, 0) == value


def test_a_value_that_needs_no_quotes_gets_none() -> None:
    assert [escape(value) for value in ("/etc/shadow", "é", "a=b", "")] == ["/etc/shadow", "é", '"a=b"', '""']


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("'a' b", 3),
        ('"it\'s"', 6),
        ("'a", -1),
        ("'\\''", 4),
        ("'a\\'", -1),
        ("'a\0b'", -1),
        ("'a'\0", 3),
    ],
    ids=["closed", "other-quote", "open", "escaped-first", "escaped", "nul-inside", "nul-behind"],
)
def test_a_quoted_text_ends_at_its_quote(text: str, end: int) -> None:
    assert quoted_end(text, 0) == end


def test_a_byte_that_is_no_letter_of_ascii_is_kept_as_it_is() -> None:
    assert unescape('"\\x7f\\x80\\xff"', 0) == "\x7f\udc80\udcff"


@pytest.mark.parametrize(
    ("literal", "message"),
    [
        ('"it\\\'s"', "invalid \\' escape in \"-quoted string"),
        ("'say \\\"a'", "invalid \\\" escape in '-quoted string"),
        ('"\\x4"', "truncated hex char escape sequence"),
        ('"\\xg0 "', "invalid hex char escape sequence: g0"),
        ('"\\q"', "unsupported string escape sequence: \\q"),
    ],
)
def test_an_escape_that_falco_does_not_know_is_told_behind_the_text(literal: str, message: str) -> None:
    with pytest.raises(ConditionSyntaxError) as caught:
        unescape(literal, 7)
    assert (caught.value.message, caught.value.index) == (message, 7 + len(literal))
