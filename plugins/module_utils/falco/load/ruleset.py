# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading a ruleset: several rules files, in order, as `falco -V a.yaml -V b.yaml` would.

>>> from .ruleset import RulesFile, load
>>> loaded = load([RulesFile("a.yaml", "- list: shells\\n  items: [sh]\\n")])
>>> loaded.successful, [issue.code for issue in loaded.results[0].warnings]
(True, ['LOAD_UNUSED_LIST'])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..catalogue.catalogue import Catalogue, catalogue
from ..catalogue.fields import FieldTable
from ..errors import Cause, Reason
from ..yaml.nesting import deep_nesting
from .collector import Collector
from .compiler import Compiler, Memory
from .reader import Reader
from .result import LoadError, LoadResult


class RulesFile(NamedTuple):
    """A rules file: the name findings give it, and its text.

    `text` holds bytes that are not UTF-8 as lone surrogates; `decode` makes it so.
    """

    name: str
    text: str


def decode(content: bytes) -> str:
    """Decode a file's bytes without losing any."""
    return content.decode("utf-8", "surrogateescape")


class Loaded:
    """A ruleset after loading.

    Attributes:
        files: what was loaded, in order.
        results: Falco's result of each file.
        collector: rules, macros and lists as they came out.
        compiler: the compiled conditions.
        catalogue: what they were checked against.
    """

    __slots__ = ("catalogue", "collector", "compiler", "documents", "files", "results")

    def __init__(self, catalogue_: Catalogue, collector: Collector, compiler: Compiler) -> None:
        self.files: list[RulesFile] = []
        self.results: list[LoadResult] = []
        self.documents: list[Any] = []
        self.collector = collector
        self.compiler = compiler
        self.catalogue = catalogue_

    @property
    def successful(self) -> bool:
        """Whether Falco would start with these files."""
        return all(result.successful for result in self.results)

    @property
    def contents(self) -> dict[str, str]:
        return {file.name: file.text for file in self.files}

    def to_json(self) -> list[dict[str, Any]]:
        """`falco_load_results` as `falco -V` prints it in JSON."""
        contents = self.contents
        return [result.to_json(contents) for result in self.results]


class Loader:
    """Loads rulesets against one catalogue and remembers what they have in common."""

    def __init__(self, known: Catalogue | None = None) -> None:
        self.catalogue = known or catalogue()
        self.tables = {name: FieldTable(self.catalogue, source) for name, source in self.catalogue.sources.items()}
        self.memory = Memory()

    @classmethod
    def like(cls, loaded: Loaded) -> Loader:
        """A loader that knows what was known when a ruleset was loaded."""
        loader = cls(loaded.catalogue)
        loader.tables = loaded.compiler.tables
        loader.memory = loaded.compiler.memory
        return loader

    def load(self, files: Sequence[RulesFile], keep_documents: bool = False) -> Loaded:
        """Load files in order into one ruleset.

        Args:
            files: the files; later ones see what earlier ones defined.
            keep_documents: keep the YAML nodes, for those who edit rules.

        Returns:
            The ruleset; bad input is in its results, nothing is raised.
        """
        with deep_nesting():
            return self._load(files, keep_documents)

    def _load(self, files: Sequence[RulesFile], keep_documents: bool) -> Loaded:
        collector = Collector(self.catalogue, self.tables)
        compiler = Compiler(collector, self.tables, self.memory)
        loaded = Loaded(self.catalogue, collector, compiler)
        reader = Reader(collector, self.memory.documents)
        for file in files:
            result = LoadResult(file.name)
            loaded.files.append(file)
            loaded.results.append(result)
            documents = reader.read(file.name, file.text, result)
            if keep_documents:
                loaded.documents.append(documents or [])
            if documents is not None and result.successful:
                compiler.compile(result)
            _check_requirements(collector, file, result)
        return loaded


def _check_requirements(collector: Collector, file: RulesFile, result: LoadResult) -> None:
    """An unmet plugin requirement ends Falco without a report; here it is an error of the file that has it.

    Falco asks for it after the file was loaded, and where it is not met says nothing of any other error: most of them
    follow from the plugin that is missing.
    Source: `validate_rules_files.cpp` and `load_rules_files.cpp` in falcosecurity/falco, `userspace/falco/app/actions`.
    """
    requirement = None if result.aborted else collector.unmet_requirement(file.name)
    if requirement is None:
        return
    wanted = ", ".join(f"{name} (>= {version})" for name, version in requirement.alternatives)
    message = f"Plugin requirement not satisfied, must load one of: {wanted}"
    cause = Cause(Reason.UNMET_VERSION, requirement.alternatives[0][0])
    failure = LoadError("LOAD_ERR_VALIDATE", message, requirement.context, written=requirement.written[0], cause=cause)
    result.errors[:] = [failure.issue]
    result.aborted = "an unmet plugin requirement"


def load(files: Sequence[RulesFile], known: Catalogue | None = None) -> Loaded:
    """Load a ruleset once; `Loader` is for many."""
    return Loader(known).load(files)
