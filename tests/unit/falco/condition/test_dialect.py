"""What an older Falco cannot read of a condition, and where it stops."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.dialect import parse_in, parse_operand_in
from ansible_collections.falconet.k8s.plugins.module_utils.falco.condition.parser import parse, parse_operand
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import ConditionSyntaxError

from .tables import table


@pytest.mark.parametrize(
    ("falco", "text", "stops_at", "message"),
    [
        ("0.38", "proc.name regex a", "regex", "expected a valid check operator: one of 'exists', "),
        ("0.39", "proc.name contains\ta", "contains", "in Falco 0.39 one space has to follow 'contains'"),
        ("0.43", "proc.name contains  anyof (a)", "(a)", "unexpected token after 'anyof', expecting 'or', 'and'"),
        ("0.38", "m and len(proc.name) > 3", "len", "'len' is no field transformer of Falco 0.38, which has val, "),
        ("0.43", "proc.name contains   anyof (a)", "(a)", "unexpected token after 'anyof', expecting 'or', 'and'"),
        ("0.43", "tolower(proc.name, fd.name) = a", ", fd", "expected a ')' token closing the transformer"),
        ("0.43", "tolower(5) = a", "5", "expected a field or a valid transformer"),
        ("0.43", "tolower((fd.name)) = a", "(fd", "expected a field or a valid transformer"),
        ("0.43", "tolower(proc.name)[x] = a", "[x]", "expected a valid check operator"),
    ],
)
def test_what_came_later_is_refused_where_it_stands(falco: str, text: str, stops_at: str, message: str) -> None:
    parse(text)
    with pytest.raises(ConditionSyntaxError) as caught:
        parse_in(text, table(falco).catalogue.language)
    assert message in caught.value.message
    assert text[caught.value.index :].startswith(stops_at)


def test_what_is_as_old_as_the_version_is_read() -> None:
    language = table("0.38").catalogue.language
    text = "tolower(proc.name) =\tval(proc.pname) and fd.name=a and fd.name contains a"
    assert parse_in(text, language) == parse(text)
    assert parse_operand_in("toupper(proc.name) and more", language) == parse_operand("toupper(proc.name) and more")


def test_any_blank_may_follow_an_operator_since_0_40() -> None:
    text = "proc.name contains\ta"
    assert parse_in(text, table("0.40").catalogue.language) == parse(text)


def test_a_field_in_an_output_is_held_to_the_version_too() -> None:
    assert parse_operand_in("len(proc.name)", table().catalogue.language)[1] == 14
    with pytest.raises(ConditionSyntaxError, match="'len' is no field transformer of Falco"):
        parse_operand_in("len(proc.name)", table("0.38").catalogue.language)
