# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The codes of findings: Falco's own `LOAD_*` and this collection's `FN*`, with title and severity."""

from __future__ import annotations

ERROR, WARNING, INFO = "error", "warning", "info"

FALCO_ERRORS: dict[str, str] = {
    "LOAD_ERR_FILE_READ": "File read error",
    "LOAD_ERR_YAML_PARSE": "YAML parse error",
    "LOAD_ERR_YAML_VALIDATE": "Error validating internal structure of YAML file",
    "LOAD_ERR_COMPILE_CONDITION": "Error compiling condition",
    "LOAD_ERR_COMPILE_OUTPUT": "Error compiling output",
    "LOAD_ERR_VALIDATE": "Error validating rule/macro/list/exception objects",
    "LOAD_ERR_EXTENSION": "Error in extension item",
}
"""Falco's error codes and the short names that it prints beside them."""

FALCO_WARNINGS: dict[str, str] = {
    "LOAD_UNKNOWN_SOURCE": "Unknown event source",
    "LOAD_UNSAFE_NA_CHECK": "Unsafe <NA> comparison in condition",
    "LOAD_NO_EVTTYPE": "Condition has no event-type restriction",
    "LOAD_UNKNOWN_FILTER": "Unknown field or event-type in condition or output",
    "LOAD_UNUSED_MACRO": "Unused macro",
    "LOAD_UNUSED_LIST": "Unused list",
    "LOAD_UNKNOWN_ITEM": "Unknown rules file item",
    "LOAD_DEPRECATED_ITEM": "Used deprecated item",
    "LOAD_WARNING_EXTENSION": "Warning in extension item",
    "LOAD_APPEND_NO_VALUES": "Overriding/appending with no values",
    "LOAD_EXCEPTION_NAME_NOT_UNIQUE": "Multiple exceptions defined with the same name",
    "LOAD_INVALID_MACRO_NAME": "Invalid macro name",
    "LOAD_INVALID_LIST_NAME": "Invalid list name",
    "LOAD_COMPILE_CONDITION": "Warning in rule condition",
    "LOAD_UNKNOWN_KEY": "Unknown key in item definition",
}
"""Falco's warning codes and the short names that it prints beside them."""

SHADOWED = "FN004"
LINT: dict[str, tuple[str, str]] = {
    "FN001": (WARNING, "condition can never hold"),
    "FN002": (WARNING, "condition always holds"),
    "FN003": (WARNING, "exception silences the whole rule"),
    SHADOWED: (WARNING, "rule is shadowed by an earlier rule"),
    "FN005": (INFO, "override changes nothing"),
    "FN006": (WARNING, "append after a top-level or"),
    "FN007": (INFO, "rule has no MITRE ATT&CK tag"),
    "FN008": (INFO, "rule has no maturity tag"),
    "FN009": (INFO, "file does not follow Falco's schema"),
    "FN010": (WARNING, "key stands twice in one entry"),
    "FN011": (INFO, "file defines nothing"),
    "FN012": (WARNING, "value never matches"),
    "FN013": (WARNING, "name of a list or macro is compared as a word"),
    "FN014": (WARNING, "field is always empty"),
    "FN015": (WARNING, "output continues a field's name"),
    "FN016": (WARNING, "entries are not read"),
    "FN017": (WARNING, "entry is defined twice in one file"),
    "FN018": (WARNING, "key is ignored"),
    "FN019": (WARNING, "plugin is not known"),
}
OPTIONAL_LINT = ("FN007", "FN008")
"""What this collection finds beyond Falco: code to severity and title. `docs/findings.md` explains each."""


UPGRADE: dict[str, tuple[str, str]] = {
    "FN101": (ERROR, "refused by the other version of Falco"),
    "FN102": (ERROR, "rule never fires again"),
    "FN103": (WARNING, "deprecated in the other version of Falco"),
    "FN104": (WARNING, "means something else in the other version of Falco"),
    "FN105": (WARNING, "is not loaded by the version that runs"),
}
"""What another version of Falco makes of rules: code to severity and title. `docs/findings.md` explains each."""

TEST_FORMAT, TEST_FAILED, TEST_COVERAGE, TEST_MUTANT, TEST_ACCEPTED = "FT001", "FT002", "FT003", "FT004", "FT005"
TESTS: dict[str, tuple[str, str]] = {
    TEST_FORMAT: (ERROR, "test file is not as its format has it"),
    TEST_FAILED: (ERROR, "rule does not do what its test says"),
    TEST_COVERAGE: (INFO, "no test exercises this"),
    TEST_MUTANT: (WARNING, "no test notices when this is changed"),
    TEST_ACCEPTED: (WARNING, "accepted mutant does not survive"),
}
"""What tests of rules find: code to severity and title. `docs/rule-tests.md` explains each."""

FIRES, LOST, ADDED, REWORDED, DROPPED = "FR001", "FR002", "FR003", "FR004", "FR005"
SUGGESTED, REFUSED, DEAD, UNKNOWN = "FR011", "FR012", "FR013", "FR014"
RECORDED: dict[str, tuple[str, str]] = {
    FIRES: (INFO, "rule alerts on recorded events"),
    LOST: (WARNING, "alerts that the change loses"),
    ADDED: (WARNING, "alerts that the change adds"),
    REWORDED: (INFO, "alerts that the change rewords"),
    DROPPED: (INFO, "audit event that no rule sees"),
    SUGGESTED: (INFO, "noise that an exception would silence"),
    REFUSED: (WARNING, "noise that nothing is suggested for"),
    DEAD: (WARNING, "exception that no recorded alert meets"),
    UNKNOWN: (WARNING, "recorded alerts of a rule that is not given"),
}
"""What recordings show of rules: code to severity and title. `docs/findings.md` explains each."""

_OWN = {**LINT, **UPGRADE, **TESTS, **RECORDED}


def severity(code: str) -> str:
    """Return error, warning or info for any code."""
    if code in FALCO_ERRORS:
        return ERROR
    if code in FALCO_WARNINGS:
        return WARNING
    return _OWN[code][0]


def title(code: str) -> str:
    """Return the short name of any code."""
    return FALCO_ERRORS.get(code) or FALCO_WARNINGS.get(code) or _OWN[code][1]


def described(code: str) -> tuple[str, str]:
    """Return severity and short name of any code."""
    return severity(code), title(code)
