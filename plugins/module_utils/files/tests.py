# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test files of rules from the disk, each with the rulesets that it names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..falco.change.beside import beside
from ..falco.change.refusal import must_load
from ..falco.errors import FalcoError
from ..falco.load.embedded import unpacked
from ..falco.load.ruleset import Loader, RulesFile
from ..falco.testing.format import read_tests
from ..falco.testing.model import RuleTests
from ..falco.testing.report import Report, judge
from ..falco.testing.run import Ruleset
from .rules import read_rules_files

GIVEN = "files"
"""What a ruleset is called that the test files do not name."""


def read_test_files(paths: Sequence[str]) -> tuple[RulesFile, ...]:
    """The texts of test files.

    Args:
        paths: files, or directories; of a directory every `*.yaml` and `*.yml`, by name.

    Raises:
        FalcoError: one cannot be read.
    """
    files, unreadable = read_rules_files(paths)
    for name, reason in unreadable:
        raise FalcoError(f"{name}: {reason}")
    return files


def load_ruleset(
    loader: Loader,
    name: str,
    paths: Sequence[str],
    contents: Mapping[str, str] | None = None,
    base: Sequence[RulesFile] = (),
) -> Ruleset:
    """Load and compile a ruleset.

    Args:
        loader: what it is loaded with.
        name: how it is called.
        paths: its files and directories.
        contents: file name to text of what is rolled out, see `falco.change.beside`.
        base: files that are loaded before.

    Raises:
        FalcoError: a file cannot be read, or is refused.
    """
    # As files of their own they have the names under which they are rolled out.
    own, inner = unpacked(read_test_files(paths), named=True)
    loaded = loader.load(beside((*base, *own), contents or {}))
    must_load(loaded, f"ruleset '{name}'", inner)
    return Ruleset(name, loaded)


def rulesets_of(
    loader: Loader,
    tests: Sequence[RuleTests],
    given: Sequence[str] | None,
    contents: Mapping[str, str] | None = None,
) -> dict[tuple[str, str], Ruleset]:
    """The rulesets of test files; the same files are loaded once, whoever names them.

    Args:
        loader: what they are loaded with.
        tests: the test files.
        given: rules files and directories for those test files that name none.
        contents: file name to text of what is rolled out, for every ruleset.

    Returns:
        By test file and name, as `testing.report.judge` takes them.

    Raises:
        FalcoError: a file cannot be read, or is refused.
    """
    known: dict[tuple[str, ...], Ruleset] = {}
    found: dict[tuple[str, str], Ruleset] = {}
    for one in tests:
        named = {name: [_beside(one.file, path) for path in paths] for name, paths in one.rulesets.items()}
        for name, paths in (named or {GIVEN: list(given or ())}).items():
            key = tuple(map(os.path.abspath, paths))
            if key not in known:
                taken = {ruleset.name for ruleset in known.values()}
                known[key] = load_ruleset(
                    loader, name if name not in taken else f"{name} ({one.file})", paths, contents
                )
            found[one.file, name] = known[key]
    return found


def run_tests(
    loader: Loader,
    tests: Sequence[str],
    given: Sequence[str] | None,
    contents: Mapping[str, str],
    mutate: bool = False,
    jobs: int = 1,
) -> Report:
    """Read test files and run them.

    Args:
        loader: what rulesets are loaded with.
        tests: test files and directories of them.
        given: rules files and directories for those test files that name none.
        contents: file name to text of what is rolled out, for every ruleset.
        mutate: whether mutants are tried.
        jobs: processes that share the mutants.

    Returns:
        What the tests say; mistakes in test files alone where there are some.

    Raises:
        FalcoError: a file cannot be read, or a ruleset is refused.
    """
    known = [GIVEN] if given is not None or contents else None
    read = [read_tests(file.name, file.text, loader.tables, known) for file in read_test_files(tests)]
    wrong = [finding for _tests, findings in read for finding in findings]
    if wrong:
        return Report(wrong)
    files = [tests for tests, _findings in read]
    return judge(files, rulesets_of(loader, files, given, contents), mutate, jobs)


def _beside(file: str, path: str) -> str:
    """A path as seen from a file's folder."""
    return os.path.normpath(Path(file).parent / path)
