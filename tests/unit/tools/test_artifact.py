"""What galaxy-importer says is told apart: steps of its work, and complaints."""

from __future__ import annotations

import pytest

from tools.artifact import complaints

STEPS = "Importing with galaxy-importer 0.4.44\nLoading module falco_rules_info\nCollection loading complete\n"


def test_steps_are_no_complaints() -> None:
    assert complaints(STEPS + "Importer processing completed successfully\n", 0) == []


@pytest.mark.parametrize(
    "line",
    [
        "WARNING: ansible-doc not found, skipping loading of docstrings",
        "ERROR: Error running ansible-doc: ...",
        "WARNING: No changelog found",
    ],
)
def test_warnings_and_errors_are_complaints(line: str) -> None:
    assert complaints(f"{STEPS}{line}\n", 0) == [line]


def test_a_run_that_fails_complains_at_least_of_that() -> None:
    (told,) = complaints(STEPS, 1)
    assert "it ended with 1" in told
