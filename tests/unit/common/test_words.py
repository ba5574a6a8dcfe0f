"""The word that a mistyped one probably means: what counts as close, and what does not matter."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.common.words import counted, nearest, slips

KNOWN = ("Ingress", "Egress", "falco_driver")


@pytest.mark.parametrize(
    ("word", "found"), [("Ingres", "Ingress"), ("Egres", "Egress"), ("flaco_driver", "falco_driver"), ("xyz", None)]
)
def test_the_nearest_word_is_found_and_a_far_one_is_not(word: str, found: str | None) -> None:
    assert nearest(word, KNOWN) == found


def test_how_alike_they_must_be_is_the_callers() -> None:
    assert nearest("Ingerss", KNOWN, 0.7) == "Ingress"
    assert nearest("Ingerss", KNOWN, 0.95) is None


def test_what_does_not_matter_is_folded_and_the_answer_is_as_known() -> None:
    assert nearest("INGRESS", KNOWN) is None
    assert nearest("INGRESS", KNOWN, fold=str.lower) == "Ingress"
    assert nearest("name", ("Name", "NAME"), fold=str.lower) == "Name"


def test_nothing_is_near_to_nothing() -> None:
    assert nearest("word", ()) is None


def test_one_thing_is_no_things() -> None:
    assert counted(1, "file") == "1 file"
    assert counted(0, "file") == "0 files"
    assert counted(2, "object is", "objects are") == "2 objects are"


@pytest.mark.parametrize(
    ("left", "right", "many"),
    [
        ("open", "open", 0),
        ("opne", "open", 1),
        ("pen", "open", 1),
        ("opens", "open", 1),
        ("apen", "open", 1),
        ("poen", "open", 1),
        ("pone", "open", 2),
        ("neop", "open", 3),
        ("ab", "abcd", 2),
        ("a", "abcd", 3),
        ("a", "bcd", 3),
        ("aaa", "a", 2),
        ("bxa", "ab", 3),
        ("", "", 0),
    ],
)
def test_slips_are_letters_and_swapped_neighbours(left: str, right: str, many: int) -> None:
    assert (slips(left, right), slips(right, left)) == (many, many)
