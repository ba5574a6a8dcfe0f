# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging rulesets: Falco's verdict and findings on each, and what counts as failure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...common.finding import Finding
from ..catalogue.catalogue import Catalogue
from ..catalogue.versions import NEWEST
from ..codes import ERROR, FALCO_ERRORS, FALCO_WARNINGS, LINT, UPGRADE, WARNING
from ..errors import FalcoError
from ..load.beyond import load_beyond
from ..load.known import known_for
from ..load.ruleset import Loaded, Loader, RulesFile
from ..yaml.nesting import deep_nesting
from .advice import did_you_mean
from .findings import findings_of
from .lint import lint_findings
from .mends import with_proven_fixes
from .past import findings_past
from .unknown_plugins import unknown_plugins

FAIL_ON = ("error", "warning", "never")


@dataclass(frozen=True)
class Ruleset:
    """Files that are loaded together, in order.

    Attributes:
        name: for findings; empty when there is only one ruleset.
        files: as `ruleset.RulesFile`.
        unreadable: (name, reason) of files that could not be read; they are errors of the ruleset.
    """

    name: str
    files: tuple[RulesFile, ...]
    unreadable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What came out for one ruleset.

    Attributes:
        name: of the ruleset.
        successful: whether Falco would start with it.
        results: `falco_load_results` of its files.
        findings: all findings, errors first.
    """

    name: str
    successful: bool
    results: list[dict[str, Any]]
    findings: list[Finding] = field(default_factory=list)


JUDGED = (*FALCO_ERRORS, *FALCO_WARNINGS, *LINT, *UPGRADE)


def check_fail_on(fail_on: Sequence[str], codes: Iterable[str] = JUDGED) -> None:
    """Refuse words that are neither a level nor a code.

    Args:
        fail_on: levels and codes.
        codes: that can be found.

    Raises:
        FalcoError: with the nearest code.
    """
    known = (*FAIL_ON, *codes)
    for word in fail_on:
        if word not in known:
            hint = did_you_mean(word, known) or "give error, warning, never, or codes"
            raise FalcoError(f"fail_on: '{word}' is neither a level nor a code; {hint}")


def fails(findings: Iterable[Finding], fail_on: Sequence[str]) -> list[Finding]:
    """The findings that count as failure under `fail_on` (levels and codes)."""
    if "never" in fail_on:
        return []
    counted = []
    for finding in findings:
        if (
            finding.code in fail_on
            or ("warning" in fail_on and finding.severity in (ERROR, WARNING))
            or ("error" in fail_on and finding.severity == ERROR)
        ):
            counted.append(finding)
    return counted


@deep_nesting()
def judge(loaded: Loaded, ruleset: str = "", lint: bool = True, optional_lint: Sequence[str] = ()) -> list[Finding]:
    """All findings on what was loaded, errors first: Falco's, those past the errors that Falco stops at, and the lint.

    Args:
        loaded: a ruleset.
        ruleset: its name, for findings.
        lint: whether to look for what Falco does not look for.
        optional_lint: codes of checks that are off unless named.
    """
    findings = _findings(loaded, ruleset, lint, optional_lint)
    return with_proven_fixes(findings, loaded, lambda other: _findings(other, ruleset, lint, optional_lint))


def _findings(loaded: Loaded, ruleset: str, lint: bool, optional_lint: Sequence[str]) -> list[Finding]:
    findings = findings_of(loaded, ruleset)
    whole = loaded
    if not loaded.successful:
        whole = load_beyond(loaded)
        findings = findings_past(findings, findings_of(whole, ruleset, load_beyond))
    findings += unknown_plugins(whole, ruleset)
    if lint:
        found = lint_findings(whole, ruleset, optional_lint)
        said = {
            (one.file, one.line, one.column)
            for one in (*findings, *found)
            if one.severity == ERROR or one.code in ("LOAD_UNKNOWN_KEY", "FN018")
        }
        # What Falco's schema says of a place is of use where nothing else is said of it.
        findings += [one for one in found if one.code != "FN009" or (one.file, one.line, one.column) not in said]
    return findings


def validate(
    rulesets: Iterable[Ruleset],
    known: Catalogue | None = None,
    lint: bool = True,
    optional_lint: Sequence[str] = (),
) -> list[Verdict]:
    """Judge each ruleset by itself.

    Args:
        rulesets: what to judge.
        known: fields, plugins and event types; None means Falco's newest known version with every plugin.
        lint: whether to look for what Falco does not look for.
        optional_lint: codes of checks that are off unless named.

    Returns:
        One verdict per ruleset, in order. Bad input is a finding, never an exception.
    """
    rulesets = list(rulesets)
    loader = Loader(known or known_for([file.text for one in rulesets for file in one.files], NEWEST))
    verdicts = []
    for ruleset in rulesets:
        unreadable = [_unreadable(name, reason, ruleset.name) for name, reason in ruleset.unreadable]
        loaded = loader.load(ruleset.files)
        findings = unreadable + judge(loaded, ruleset.name, lint, optional_lint)
        results = loaded.to_json()
        for name, reason in ruleset.unreadable:
            results.append(_unreadable_result(name, reason))
        verdicts.append(Verdict(ruleset.name, loaded.successful and not unreadable, results, findings))
    return verdicts


def _unreadable(name: str, reason: str, ruleset: str) -> Finding:
    return Finding("LOAD_ERR_FILE_READ", ERROR, name, None, None, "", reason, "", "", ruleset)


def _unreadable_result(name: str, reason: str) -> dict[str, Any]:
    return {
        "name": name,
        "successful": False,
        "errors": [
            {
                "code": "LOAD_ERR_FILE_READ",
                "codedesc": FALCO_ERRORS["LOAD_ERR_FILE_READ"],
                "message": reason,
                "context": {"locations": [], "snippet": ""},
            }
        ],
        "warnings": [],
    }
