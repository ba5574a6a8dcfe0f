# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A checkout of the repository: where relative paths are looked up, and how its files are called in what is told."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..common.finding import Finding
from ..common.junit import Case, Suite
from ..falco.load.ruleset import RulesFile


@dataclass(frozen=True)
class Tree:
    """A directory with one revision.

    Attributes:
        root: the directory; findings call files as they are called below it, which code scanning needs.
    """

    root: str

    def path(self, given: str) -> str:
        """Where a path of the options is; an absolute one is itself."""
        return os.path.normpath(os.path.join(self.root, given))  # noqa: PTH118 - Path would keep a ".." within

    def paths(self, given: Sequence[str]) -> list[str]:
        return [self.path(one) for one in given]

    def existing(self, given: Sequence[str]) -> list[str]:
        """Those that are there, as a revision before need not have what is new."""
        return [path for path in self.paths(given) if os.path.lexists(path)]

    def told(self, text: str) -> str:
        """A text without this directory before the names of files."""
        prefix = os.path.normpath(self.root)
        return text if prefix == "." else text.replace(prefix.rstrip("/") + "/", "")

    def rules_file(self, file: RulesFile) -> RulesFile:
        """A rules file under the name that is told."""
        return file._replace(name=self.told(file.name))

    def finding(self, finding: Finding) -> Finding:
        """A finding with the names that are told."""
        return replace(finding, file=self.told(finding.file), message=self.told(finding.message))

    def suite(self, suite: Suite) -> Suite:
        """A suite with the names that are told."""
        return Suite(self.told(suite.name), [self._case(one) for one in suite.cases])

    def _case(self, case: Case) -> Case:
        failure = None if case.failure is None else self.told(case.failure)
        return replace(case, classname=self.told(case.classname), failure=failure, text=self.told(case.text))
