"""Names of Kubernetes, and foreign text that is kept as one line."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.names import MAX_LINE, is_name, one_line

LABEL = "a" * 63


@pytest.mark.parametrize(
    "name", ["a", "7", "shop-7f9", "a.b-c.d", LABEL, ".".join([LABEL] * 3 + ["b" * 61])], ids=lambda name: name[:12]
)
def test_a_subdomain_of_dns_is_a_name(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "other",
    ["", "A", "-a", "a-", "a..b", ".a", "a/b", "a\n", LABEL + "a", ".".join([LABEL] * 3 + ["b" * 62]), None, 7, ["a"]],
    ids=lambda other: repr(other)[:12],
)
def test_anything_else_is_none(other: object) -> None:
    assert not is_name(other)


def test_foreign_text_is_one_line_of_what_can_be_printed() -> None:
    assert one_line(" a\tb\n\x1b[31mc\u202e ") == "a b [31mc"
    assert one_line(None) == "None"


def test_of_a_long_line_the_beginning_is_kept() -> None:
    assert MAX_LINE == 200
    assert one_line("ab" * 100) == "ab" * 100
    assert one_line("ab" * 100 + "c") == "ab" * 100
