"""Transformers, one by one."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.transform import (
    basename,
    decode_base64,
    option_table,
    scan_options,
    size_bytes,
    to_lower,
    to_upper,
)


def test_only_ascii_letters_have_two_cases() -> None:
    assert to_lower("AÉ") == "aÉ"
    assert to_upper("aé") == "Aé"
    assert to_upper("aß") == "Aß"


@pytest.mark.parametrize(("path", "name"), [("/a/b", "b"), ("a", "a"), ("/a/", ""), ("", "")])
def test_basename(path: str, name: str) -> None:
    assert basename(path) == name


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("YQ==", b"a"),
        ("YQ", b"a"),
        ("YQ=", b"a"),
        ("YR", None),  # bits left over
        ("Y", None),
        ("=", None),
        ("==", None),
        ("", b""),
        ("YW Jj", None),
        ("YWJj===", None),
        ("YWJjAA", b"abc\0"),
    ],
)
def test_base64(text: str, decoded: bytes | None) -> None:
    assert decode_base64(text) == decoded


def test_sizes_are_in_bytes() -> None:
    assert size_bytes("é") == 2
    assert size_bytes("a\udcff") == 2


@pytest.mark.parametrize(
    ("arguments", "optstring", "option", "found"),
    [
        (["-a", "-b", "x"], "ab:", None, ["a", "b", "x"]),
        (["-abx"], "ab:", None, ["a", "b", "x"]),
        (["-ab"], "ab:", None, ["a", ""]),
        (["-ac"], "a", None, ["a", "?"]),
        (["--long", "-a"], "a", None, ["a"]),
        (["--", "-a"], "a", None, []),
        (["x", "-a"], "a", None, []),
        (["-", "-a"], "a", None, []),
        (["-b", "1", "-b2"], "b:", "b", ["2"]),
        (["-a"], "a", "a", ["a"]),
        (["-a"], "ab", "b", None),
        (["-b"], "b:", "b", [""]),
    ],
)
def test_getopt(arguments: list[str], optstring: str, option: str | None, found: list[str] | None) -> None:
    assert scan_options(arguments, option_table(optstring), option) == found


def test_colons_in_option_strings() -> None:
    assert option_table(":a:b::c") == {"a": True, "b": True, "c": False}
