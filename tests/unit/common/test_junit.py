"""JUnit XML: counted, nested and well-formed whatever the texts are."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from ansible_collections.falconet.k8s.plugins.module_utils.common.junit import Case, Suite, to_junit
from hypothesis import given
from hypothesis import strategies as st

CASES = (
    Case("a", "c"),
    Case("b", "c", failure="wrong", text="in full"),
    Case("d", "c", skipped="not asked"),
    Case("e", "c", output="said"),
)


def test_cases_are_counted_by_suite_and_in_all() -> None:
    top = ElementTree.fromstring(to_junit("all", [Suite("one", CASES, {"hostname": "h"}), Suite("two", CASES[:1])]))
    assert top.attrib == {"name": "all", "tests": "5", "failures": "1", "errors": "0", "skipped": "1"}
    one, two = top
    assert one.attrib == {
        "name": "one", "tests": "4", "failures": "1", "errors": "0", "skipped": "1", "hostname": "h"
    }  # fmt: skip
    assert two.get("tests") == "1"


def test_a_case_says_what_it_has_to_say() -> None:
    (suite,) = ElementTree.fromstring(to_junit("all", [Suite("one", CASES)]))
    passed, failed, skipped, said = suite
    assert list(passed) == []
    assert [(e.tag, e.get("message"), e.text) for e in failed] == [("failure", "wrong", "in full")]
    assert [(e.tag, e.get("message"), e.text) for e in skipped] == [("skipped", "not asked", None)]
    assert [(e.tag, e.text) for e in said] == [("system-out", "said")]


@given(st.text())
def test_the_document_is_well_formed_whatever_a_text_holds(text: str) -> None:
    case = Case(text, text, failure=text, text=text, output=text)
    (suite,) = ElementTree.fromstring(to_junit(text, [Suite(text, [case], {"hostname": text})]))
    assert suite[0].find("failure") is not None
