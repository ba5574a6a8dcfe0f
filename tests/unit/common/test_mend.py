"""Fixes in texts, and the difference that they make."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.finding import Finding, Fix
from ansible_collections.falconet.k8s.plugins.module_utils.common.mend import (
    apart,
    before_mends,
    mended,
    mended_files,
    patch,
)
from hypothesis import given
from hypothesis import strategies as st

TEXT = "one two\nthree four"


def test_several_fixes_of_one_line() -> None:
    assert mended(TEXT, [Fix(1, 1, 4, "first"), Fix(1, 5, 8, "second"), Fix(2, 7, 11, "")]) == "first second\nthree "


def test_of_fixes_that_overlap_one_is_made() -> None:
    assert mended(TEXT, [Fix(1, 1, 6, "a"), Fix(1, 3, 8, "b")]) == "onb\nthree four"
    assert mended(TEXT, [Fix(1, 1, 4, "a"), Fix(1, 1, 4, "a")]) == "a two\nthree four"


def test_fixes_side_by_side_are_both_made_and_of_two_at_one_place_the_last() -> None:
    assert mended(TEXT, [Fix(1, 1, 4, "1"), Fix(1, 4, 5, "-"), Fix(1, 5, 8, "2")]) == "1-2\nthree four"
    assert mended(TEXT, [Fix(1, 4, 4, "a"), Fix(1, 4, 4, "b")]) == "oneb two\nthree four"


def test_a_mark_before_the_text_has_no_column() -> None:
    assert mended(f"\ufeff{TEXT}", [Fix(1, 1, 4, "first")]) == "\ufefffirst two\nthree four"


def test_what_a_fix_keeps_was_there_before() -> None:
    quotes = Fix(1, 5, 8, "'two'")
    assert [before_mends(column, [quotes], TEXT)[0] for column in range(4, 11)] == [4, 5, 5, 6, 7, 5, 8]
    assert before_mends(6, [quotes], TEXT)[1] is None
    assert before_mends(9, [quotes], TEXT)[1] is quotes


def test_a_place_that_is_not_there_changes_nothing() -> None:
    assert mended(TEXT, [Fix(9, 1, 2, "x")]) == TEXT


@pytest.mark.skipif(shutil.which("patch") is None, reason="the program patch is not on this machine")
@pytest.mark.parametrize("text", [TEXT, f"{TEXT}\n", f"{TEXT}\r\nfive\n"])
def test_the_difference_is_one_that_patch_takes(tmp_path: Path, text: str) -> None:
    finding = Finding("C", "error", "f.txt", 2, 1, "", "m", fix=Fix(2, 1, 6, "third"))
    after = mended_files([finding], {"f.txt": text})
    (tmp_path / "f.txt").write_bytes(text.encode())
    told = patch({"f.txt": text}, after)
    subprocess.run(["patch", "--binary", "-p0"], cwd=tmp_path, input=told.encode(), check=True, capture_output=True)
    assert (tmp_path / "f.txt").read_bytes() == after["f.txt"].encode()


def test_what_has_no_fix_or_no_text_is_left_out() -> None:
    fixed = Finding("C", "error", "f.txt", 2, 1, "", "m", fix=Fix(2, 1, 6, "third"))
    bare = Finding("C", "error", "g.txt", 1, 1, "", "m")
    assert mended_files([fixed, bare], {"g.txt": TEXT}) == {}


SPANS = st.tuples(st.integers(1, 12), st.integers(0, 4), st.text("xyz", max_size=3))


@given(st.lists(SPANS, max_size=4))
def test_each_letter_of_a_mended_line_has_its_place_before(spans: list[tuple[int, int, str]]) -> None:
    line = "abcdefghijklmnop"
    fixes = apart(Fix(1, start, start + size, text) for start, size, text in spans)
    for column, letter in enumerate(mended(line, fixes), 1):
        before, within = before_mends(column, fixes, line)
        assert (within is None) == (letter not in "xyz")
        if within is None:
            assert line[before - 1] == letter
        else:
            assert (before, letter in within.text) == (within.column, True)
