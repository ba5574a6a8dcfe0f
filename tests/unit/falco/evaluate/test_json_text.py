"""JSON that remembers how it was written, compared with Python's own reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.json_text import Object, get, parse, to_text
from hypothesis import given
from hypothesis import strategies as st

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
ESCAPED = '{"\\u00e9": {"a\\/b" : [1.0,{"\\"k": "\\u003c"} ] , "c":"\\n"},"d": {}}'


def plain(value: Any) -> Any:
    """As Python's reader has it."""
    if isinstance(value, Object):
        return {key: plain(inner) for key, inner in value.members}
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_keys_and_strings_keep_their_escapes() -> None:
    value = parse(ESCAPED)
    assert to_text(value) == '{"\\u00e9":{"a\\/b":[1.0,{"\\"k":"\\u003c"}],"c":"\\n"},"d":{}}'
    assert get(value, "é", "a/b", "1", '"k') == "<"


def test_what_has_no_escapes_is_read_and_kept_as_it_is() -> None:
    text = '["\u00e9",{"\u00e9":1.50}]'
    assert to_text(parse(text)) == text
    assert get(parse('{"a":"b\tc"}'), "a") == "b\tc"


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_every_document_is_read_as_by_python(value: Any, escaped: bool, indent: int | None) -> None:
    text = json.dumps({"\\": value}, ensure_ascii=escaped, indent=indent)
    assert plain(parse(text)) == json.loads(text, parse_int=str)
    compact = json.dumps({"\\": value}, ensure_ascii=escaped, separators=(",", ":"))
    assert to_text(parse(compact)) == compact


@pytest.mark.parametrize("broken", range(len(ESCAPED)))
def test_what_is_cut_off_or_has_a_stray_character_is_refused_as_by_python(broken: int) -> None:
    for text in (ESCAPED[:broken], f"{ESCAPED[:broken]}}}{ESCAPED[broken:]}", f"{ESCAPED[:broken]},{ESCAPED[broken:]}"):
        try:
            expected: str | None = json.dumps(json.loads(text, parse_int=str, strict=False))
        except ValueError:
            expected = None
        try:
            found: str | None = json.dumps(plain(parse(text)))
        except ValueError:
            found = None
        if expected is None or found is None:
            assert expected == found
