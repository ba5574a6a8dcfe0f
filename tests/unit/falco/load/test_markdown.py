"""The fenced blocks of Markdown, as CommonMark has them."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.markdown import blocks, is_markdown


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("a\n```yaml\nb\n```\nc\n", [(2, 0, "b")]),
        ("```\nb\n\n c\n", [(1, 0, "b\n\n c\n")]),
        ("  ```\n  b\n   c\n  ```\n", [(1, 2, "b\n c")]),
        # a fence is closed by one of its own kind that is no shorter and alone
        ("```\n~~~\n```\n", [(1, 0, "~~~")]),
        ("~~~\n```\n~~~\n", [(1, 0, "```")]),
        ("````\n```\n````\n", [(1, 0, "```")]),
        ("```\n```yaml\n```\n", [(1, 0, "```yaml")]),
        ("```\na\n```\n```\nb\n```\n", [(1, 0, "a"), (4, 0, "b")]),
        ("> ```\n> a\n> ```\n", [(1, 2, "a")]),
    ],
)
def test_blocks(text: str, found: list[tuple[int, int, str]]) -> None:
    assert list(blocks(text)) == found


@pytest.mark.parametrize(("name", "expected"), [("a.md", True), ("A.MD", True), ("a.markdown", True), ("md", False)])
def test_the_name_of_a_file_tells_markdown(name: str, expected: bool) -> None:
    assert is_markdown(name) is expected
