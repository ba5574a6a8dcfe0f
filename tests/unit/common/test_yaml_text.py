"""YAML by PyYAML: whatever cannot be read is one error, with its place where there is one, and none of the text."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common import yaml_text
from ansible_collections.falconet.k8s.plugins.module_utils.common.yaml_text import YamlTextError, read_all, read_one


@pytest.mark.parametrize("in_c", [False, True])
def test_all_documents_are_read(in_c: bool) -> None:
    assert read_all("a: 1\n---\n---\n[b]\n", in_c) == [{"a": 1}, None, ["b"]]
    assert read_all(b"", in_c) == []


def test_one_document_is_read_and_no_second() -> None:
    assert (read_one("a: 1"), read_one("")) == ({"a": 1}, None)
    with pytest.raises(YamlTextError, match="has several documents"):
        read_one("a: 1\n---\nb: 1\n")


@pytest.mark.parametrize("in_c", [False, True])
@pytest.mark.parametrize(
    ("text", "problem", "place"),
    [
        ("a: 1\nplanted: [\n", "did not find|expected", (3, 1)),
        ("planted: 2026-13-45", "has a date or number that is none", (None, None)),
        ("planted: 0b_", "has a date or number that is none", (None, None)),
        ("planted: !python/object:os.system {}", "could not determine a constructor", (1, 10)),
        ("planted: \x00", "cannot be read|special characters|control characters", (None, None)),
    ],
)
def test_what_cannot_be_read_is_one_error(
    text: str, problem: str, place: tuple[int | None, int | None], in_c: bool
) -> None:
    with pytest.raises(YamlTextError, match=problem) as caught:
        read_all(text, in_c)
    assert (caught.value.line, caught.value.column) == place
    assert "planted" not in str(caught.value)
    told = caught.value.problem if place[0] is None else f"{caught.value.problem} in line {place[0]}"
    assert str(caught.value) == told


def test_what_is_nested_too_deeply_is_one_too() -> None:
    with pytest.raises(YamlTextError, match="is nested too deeply"):
        read_one("[" * 5000)


def test_where_pyyaml_is_missing_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "YAML_IMPORT_ERROR", "no yaml")
    with pytest.raises(YamlTextError, match="the Python library PyYAML is missing"):
        read_one("a: 1")
