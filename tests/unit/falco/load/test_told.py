"""What a running Falco says is wrong, out of its own report: the errors, without warnings of other files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.told import told

BASE: dict[str, Any] = {
    "name": "/etc/falco/falco_rules.yaml",
    "successful": True,
    "errors": [],
    "warnings": [{"code": "LOAD_UNUSED_MACRO", "message": "Macro not referred to by any other rule/macro"}],
}


def refused(name: str = "/dev/stdin", **error: Any) -> dict[str, Any]:
    return {"name": name, "successful": False, "errors": [{"code": "LOAD_ERR_VALIDATE", **error}], "warnings": []}


def report(*results: dict[str, Any]) -> str:
    return f"Some words before.\n{json.dumps({'falco_load_results': [BASE, *results]})}\nError: invalid\n"


def test_the_error_is_told_with_its_rule_and_no_warning_is() -> None:
    places = [
        {"item_type": "rules content", "item_name": ""},
        {"item_type": "list", "item_name": "outer"},
        {"item_type": "rule", "item_name": "Planted"},
    ]
    text = told(report(refused(message="nonexistent field\nproc.nmae", context={"locations": places})))
    assert text == "LOAD_ERR_VALIDATE: nonexistent field proc.nmae (rule 'Planted')"


def test_a_file_of_its_own_is_named_and_all_errors_are_told() -> None:
    text = told(report(refused(name="/etc/falco/a.yaml", message="first"), refused(message="second")))
    assert text == "/etc/falco/a.yaml: LOAD_ERR_VALIDATE: first; LOAD_ERR_VALIDATE: second"


@pytest.mark.parametrize(
    "printed",
    [
        "",
        "Error: no such file\n  at all",
        '{"falco_load_results": [',
        '{"falco_load_results": []}',
        '["falco_load_results"]',
        '{"falco_load_results": ["a", {"errors": true}, {"errors": [null, 1]}]}',
        '{"falco_load_results": ' + "[" * 2000,
        report(),
    ],
    ids=lambda text: text[:40],
)
def test_without_a_report_of_errors_all_that_was_printed_is_told(printed: str) -> None:
    assert told(printed) == " ".join(printed.split())


def test_an_error_with_places_of_another_form_is_told_without_them() -> None:
    assert told(report(refused(message="m", context={"locations": "here"}))) == "LOAD_ERR_VALIDATE: m"
    assert told(report(refused(message="m", context=["here"]))) == "LOAD_ERR_VALIDATE: m"
