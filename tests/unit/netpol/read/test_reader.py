"""Names and labels as the API takes them, and parts of policies that are of another kind than they must be."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import Cause
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read import reader
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.reader import (
    InvalidPartError,
    Reader,
    label_key_problem,
    label_value_problem,
    name_problem,
)

Said = list[tuple[str, str, str]]


def listening() -> tuple[Reader, Said]:
    said: Said = []

    def report(path: str, message: str, hint: str, _cause: Cause | None) -> None:
        said.append((path, message, hint))

    return Reader(report), said


@pytest.mark.parametrize(
    ("name", "is_label", "problem"),
    [
        ("a" * 63, True, ""),
        ("a" * 64, True, "has 64 characters: at most 63 are allowed"),
        ("a" * 253, False, ""),
        ("a" * 254, False, "has 254 characters: at most 253 are allowed"),
        ("a.b-1", False, ""),
        ("a.b", True, "invalid value 'a.b': only a-z, 0-9, '-', with a letter or digit at both ends"),
        ("a-", False, "invalid value 'a-': only a-z, 0-9, '-', '.', with a letter or digit at both ends"),
        ("A", True, "invalid value 'A': only a-z, 0-9, '-', with a letter or digit at both ends"),
        ("a\n", False, "invalid value 'a\\n': only a-z, 0-9, '-', '.', with a letter or digit at both ends"),
    ],
    ids=range(9),
)
def test_a_name_is_one_of_the_dns(name: str, is_label: bool, problem: str) -> None:
    assert name_problem(name, is_label) == problem


@pytest.mark.parametrize("key", ["app", "a.b/c", "k8s.io/App_1.x", "a" * 63, f"{'a' * 253}/b"], ids=range(5))
def test_what_is_a_label_key(key: str) -> None:
    assert label_key_problem(key) == ""


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("A.b/c", "label key 'A.b/c' has a prefix that is not a DNS subdomain"),
        ("/c", "label key '/c' has a prefix that is not a DNS subdomain"),
        (f"{'a' * 254}/b", "has a prefix that is not a DNS subdomain"),
        ("a" * 64, "is not a label key (at most 63 letters, digits, '-', '_', '.', optionally after a prefix and '/')"),
        ("-a", "'-a' is not a label key"),
        ("a/", "'a/' is not a label key"),
        ("", "'' is not a label key"),
    ],
    ids=range(7),
)
def test_what_is_no_label_key(key: str, problem: str) -> None:
    assert problem in label_key_problem(key)


@pytest.mark.parametrize(
    ("value", "good"), [("", True), ("a" * 63, True), ("a" * 64, False), ("a b", False), ("-a", False)], ids=range(5)
)
def test_a_label_value(value: str, good: bool) -> None:
    said = f"{value!r} is not a label value (at most 63 letters, digits, '-', '_', '.')"
    assert label_value_problem(value) == ("" if good else said)


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        (None, "must be a string, not a null", ""),
        (True, "must be a string, not a boolean", "write it in quotes: 'True'"),
        (80, "must be a string, not a number", "write it in quotes: '80'"),
        ([], "must be a string, not a list", ""),
        ({}, "must be a string, not a mapping", ""),
    ],
    ids=["null", "a-boolean", "a-number", "a-list", "a-mapping"],
)
def test_what_is_no_text(value: object, message: str, hint: str) -> None:
    read, said = listening()
    with pytest.raises(InvalidPartError):
        read.text(value, "here")
    assert said == [("here", message, hint)]
    assert read.failed


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        ("80", "must be a number, not a string", "write it without quotes"),
        ("http", "must be a number, not a string", ""),
        (True, "must be a number, not a boolean", ""),
        (0, "invalid value 0: must be between 1 and 9", ""),
        (10, "invalid value 10: must be between 1 and 9", ""),
    ],
    ids=["in-quotes", "a-word", "a-boolean", "too-small", "too-large"],
)
def test_what_is_no_number(value: object, message: str, hint: str) -> None:
    read, said = listening()
    with pytest.raises(InvalidPartError):
        read.integer(value, "here", 1, 9)
    assert said == [("here", message, hint)]
    assert (read.integer(1, "here", 1, 9), read.integer(9, "here", 1, 9)) == (1, 9)


@pytest.mark.parametrize(
    ("hole", "message"),
    [
        ("10.1.0.0", "invalid value '10.1.0.0': not a CIDR block"),
        ("11.0.0.0/16", "invalid value '11.0.0.0/16': must be a strict subset of '10.0.0.0/8'"),
        ("10.0.0.0/8", "invalid value '10.0.0.0/8': must be a strict subset of '10.0.0.0/8'"),
        ("::/0", "invalid value '::/0': must be a strict subset of '10.0.0.0/8'"),
        (7, "must be a string, not a number"),
    ],
    ids=["no-block", "elsewhere", "all-of-it", "another-family", "no-text"],
)
def test_what_is_no_exception_of_a_block(hole: object, message: str) -> None:
    """The others are still taken out, so that the next problem is not of this one's making."""
    read, said = listening()
    block = read.block("10.0.0.0/8", [hole, "10.0.0.0/9"], "here", covers_pods=False)
    assert [(path, told) for path, told, _hint in said] == [("here.except[0]", message)]
    assert [str(part) for part in block.ranges] == ["10.128.0.0/9"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [("10.0.0.1", "a single address is '10.0.0.1/32'"), ("::1", "a single address is '::1/128'"), ("10.0.0.0/33", "")],
    ids=["ipv4", "ipv6", "too-long"],
)
def test_what_is_no_block(text: str, hint: str) -> None:
    read, said = listening()
    with pytest.raises(InvalidPartError):
        read.block(text, [], "here", covers_pods=False)
    assert said == [("here.cidr", f"invalid value {text!r}: not a CIDR block", hint)]


def test_an_object_of_too_many_items_is_refused_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_ITEMS", 3)
    read, said = listening()
    assert read.items([1, 2, 3], "first") == [1, 2, 3]
    for path in ("second", "third"):
        with pytest.raises(InvalidPartError):
            read.items([1], path)
    assert said == [("second", "the object has more than 3 items, more than any stored object can hold", "")]


def test_more_errors_than_people_read_are_counted_and_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_ERRORS", 2)
    read, said = listening()
    for number in range(4):
        read.error(f"p{number}", "wrong")
    assert [path for path, _message, _hint in said] == ["p0", "p1"]
    assert read.failed
