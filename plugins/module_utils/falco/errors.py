# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exceptions of the Falco rule core. Everything it raises on purpose is a `FalcoError`."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Reason(Enum):
    """What a refusal is about, where advice depends on it. Messages are Falco's words, for people alone."""

    UNKNOWN_FIELD = "a field that no source has, or the rule's has not"
    UNKNOWN_EVENT_TYPE = "a name that is no event type"
    UNKNOWN_PARAMETER = "a name that no event has a parameter of"
    UNDEFINED_MACRO = "a word that is no macro defined before"
    OPERATOR_OF_OTHER_TYPE = "an operator that the field's type does not have"
    NO_OPERATOR = "something else where an operator belongs"
    UNKNOWN_TRANSFORMER = "a transformer that this version does not have"
    TEXT_AFTER_END = "text after a whole condition"
    TOO_DEEP = "more nesting than Falco reads"
    UNKNOWN_KEY = "a key that the entry does not have"
    MISSING_KEY = "a key that the entry needs"
    UNKNOWN_SOURCE = "an event source that nothing produces"
    UNKNOWN_PRIORITY = "a word that is no priority"
    UNKNOWN_COMPARISON = "a comparison that exceptions do not have"
    NOT_APPENDABLE = "a key that nothing can be appended to"
    NOT_REPLACEABLE = "a key that cannot be replaced"
    NO_SUCH_LIST = "a list that is to be changed and does not exist"
    NO_SUCH_MACRO = "a macro that is to be changed and does not exist"
    NO_SUCH_RULE = "a rule that is to be changed and does not exist"
    NO_LIST_OF_ENTRIES = "a file that is no list"
    NO_SEQUENCE = "one value where a list belongs"
    UNEQUAL_COMPARISONS = "comparisons of an exception that do not fit its fields"
    NO_VERSION = "a version that is not written as one"
    UNMET_VERSION = "a version that is not there"
    UNEQUAL_VALUES = "values of an exception that do not fit its fields"
    NO_VALUE = "something else where a value or a list belongs"
    UNKNOWN_ESCAPE = "a backslash in quotes with a letter that means nothing"
    BAD_REGEX = "a regular expression that Falco does not read"
    BAD_ADDRESS = "a value that is no address, network or port"
    MISSING_ARGUMENT = "a field without the argument that it needs, or with another one"


class Cause(NamedTuple):
    """Why something is refused, for whoever advises.

    Attributes:
        reason: what kind of mistake it is.
        subject: the word that is wrong, as written; empty where the place tells it.
    """

    reason: Reason
    subject: str = ""


class FalcoError(Exception):
    """Root of what this core raises; the message is meant for the user."""


class ConditionSyntaxError(FalcoError):
    """A condition that the grammar refuses.

    Attributes:
        message: what was expected.
        index: 0-based offset in characters into the condition, where parsing stopped.
        cause: what kind of mistake it is, where there is advice on it.
    """

    def __init__(self, message: str, index: int, cause: Cause | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.index = index
        self.cause = cause


class CheckError(FalcoError):
    """A check, field, operator or value that Falco refuses to compile; carries Falco's kind of message.

    Attributes:
        cause: what kind of mistake it is, where there is advice on it.
    """

    def __init__(self, message: str, cause: Cause | None = None) -> None:
        super().__init__(message)
        self.cause = cause


class EngineAbortError(FalcoError):
    """A condition over which Falco itself ends without a report; here it becomes an ordinary finding."""

    cause: Cause | None = None
