# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What loading one rules file yields: Falco's errors and warnings, and its JSON shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..codes import FALCO_ERRORS, FALCO_WARNINGS
from ..condition.nodes import Node
from ..errors import Cause, FalcoError
from .context import Context
from .items import Written

_WARNING_HELP: dict[str, str] = {
    "LOAD_UNKNOWN_SOURCE": "no loaded plugin produces this rule's event source, so the rule is left out",
    "LOAD_UNSAFE_NA_CHECK": "comparing with <NA> is unreliable; ask with 'exists' whether the field has a value",
    "LOAD_NO_EVTTYPE": "the condition may hold for too many event types, which costs performance; restrict evt.type",
    "LOAD_UNKNOWN_FILTER": "the rule names an unknown field or event type; skip-if-unknown-filter leaves it out",
    "LOAD_UNUSED_MACRO": "no rule and no other macro refers to the macro",
    "LOAD_UNUSED_LIST": "no rule, macro or other list refers to the list",
    "LOAD_UNKNOWN_ITEM": "the entry is none of rule, macro, list or version requirement and is left out",
    "LOAD_DEPRECATED_ITEM": "something in use will go away in a later version",
    "LOAD_APPEND_NO_VALUES": "an exception is appended to without values",
    "LOAD_EXCEPTION_NAME_NOT_UNIQUE": "two exceptions of one rule share a name",
    "LOAD_INVALID_MACRO_NAME": "the macro's name cannot be written in a condition",
    "LOAD_INVALID_LIST_NAME": "the list's name cannot be written in a condition",
    "LOAD_COMPILE_CONDITION": "a value in the condition looks like a mistake",
    "LOAD_UNKNOWN_KEY": "the key means nothing here and is left out",
}


class Issue(NamedTuple):
    """One error or warning, in Falco's words, and what Falco does not say of where it is.

    Attributes:
        code: Falco's.
        message: Falco's; may be empty.
        context: where Falco places it.
        deprecated_field: what is deprecated, if that is what it is about.
        written: the YAML node that it is about, where that is known better than by the context.
        node: the part of a condition that it is about, of the rule, the macro or a macro below it.
        cause: what kind of mistake it is, where there is advice on it that its code does not tell.
    """

    code: str
    message: str
    context: Context
    deprecated_field: str | None = None
    written: Written | None = None
    node: Node | None = None
    cause: Cause | None = None

    @property
    def text(self) -> str:
        """A message that is never empty."""
        return self.message or _WARNING_HELP.get(self.code, "")


class LoadError(FalcoError):
    """Raised inside the loader to stop a file at its first error."""

    def __init__(
        self,
        code: str,
        message: str,
        context: Context,
        aborts: bool = False,
        written: Written | None = None,
        node: Node | None = None,
        cause: Cause | None = None,
    ) -> None:
        super().__init__(message)
        self.issue = Issue(code, message, context, None, written, node, cause)
        self.aborts = aborts


class LoadResult:
    """The outcome of one file.

    Attributes:
        name: the file's name.
        errors, warnings: in Falco's order. Warnings repeat for what earlier files defined, as Falco's do.
        schema_warnings: how the text departs from Falco's JSON schema; None when it was not validated.
        compiled: whether everything was compiled up to the end.
        documents_empty: there is not one document in the text that is not null.
        aborted: why Falco would end here without printing a report, or None.
    """

    __slots__ = (
        "aborted", "compiled", "documents_empty", "errors", "name", "schema_checked", "schema_warnings", "warnings",
    )  # fmt: skip

    def __init__(self, name: str) -> None:
        self.name = name
        self.errors: list[Issue] = []
        self.warnings: list[Issue] = []
        self.compiled = False
        self.schema_checked = False
        self.documents_empty = False
        self.schema_warnings: list[str] = []
        self.aborted: str | None = None

    @property
    def successful(self) -> bool:
        return not self.errors

    @property
    def schema_valid(self) -> bool:
        """Whether the first document follows Falco's JSON schema, which is what Falco reports."""
        return self.schema_warnings[:1] == ["ok"]

    def warn(
        self,
        code: str,
        message: str,
        context: Context,
        deprecated_field: str | None = None,
        written: Written | None = None,
        node: Node | None = None,
        cause: Cause | None = None,
    ) -> None:
        self.warnings.append(Issue(code, message, context, deprecated_field, written, node, cause))

    def fail(self, failure: LoadError) -> None:
        self.errors.append(failure.issue)
        if failure.aborts:
            self.aborted = failure.issue.message

    def to_json(self, contents: Mapping[str, str]) -> dict[str, Any]:
        """The shape of an entry of `falco_load_results` as `falco -V` prints it in JSON."""
        result: dict[str, Any] = {"name": self.name, "successful": self.successful}
        if self.schema_checked:
            valid = self.schema_valid
            result["schema_valid"] = valid
            result["schema_warnings"] = [] if valid else list(self.schema_warnings)
        result["errors"] = [_issue_json(issue, FALCO_ERRORS, contents) for issue in self.errors]
        result["warnings"] = [_issue_json(issue, FALCO_WARNINGS, contents) for issue in self.warnings]
        return result


def _issue_json(issue: Issue, names: Mapping[str, str], contents: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "code": issue.code,
        "codedesc": names.get(issue.code, issue.code),
        "message": issue.text,
        "context": issue.context.to_json(contents),
    }
    if issue.deprecated_field:
        entry["deprecated_field"] = issue.deprecated_field
    return entry
