# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One rules file's YAML into the collector: the shape of each entry, its keys and its overrides.

Source: `userspace/engine/rule_loader_reader.cpp` in falcosecurity/falco.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from ..errors import Cause, Reason
from ..yaml.documents import read_documents
from ..yaml.nodes import MAP, NULL, SCALAR, SEQUENCE, Mark, Yaml, YamlError, to_bool, to_uint32
from . import context as ctx
from .collector import DEFAULT_SOURCE, Collector, parse_version
from .context import Context
from .entry_values import Keys, boolean, invalid, keys_of, named_entries, number, priority, required, scalar, texts
from .items import ListItem, MacroItem, PluginRequirement, Rule, RuleUpdate, Written
from .result import LoadError, LoadResult
from .rule_exceptions import read_exceptions
from .schema import key_that_is_no_text, schema_status

_MACRO_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
_LIST_NAME = re.compile("[^()\"' \t\n\v\f\r=,\udc80-\udcff]+")

MACRO_KEYS = frozenset(("macro", "condition", "append", "override"))
LIST_KEYS = frozenset(("list", "items", "append", "override"))
ITEM_KEYS = ("required_engine_version", "required_plugin_versions", "list", "macro", "rule")
"""The keys that make an entry what it is, in the order in which Falco looks for them."""

_IN_UPDATES: tuple[tuple[str, Callable[[Keys, str, Context], Any]], ...] = (
    ("condition", required),
    ("exceptions", required),
    ("output", required),
    ("desc", required),
    ("tags", lambda keys, key, context: set(texts(keys, key, context))),
    ("priority", priority),
    ("capture", boolean),
    ("capture_duration", number),
    ("enabled", boolean),
    ("warn_evttypes", boolean),
    ("skip-if-unknown-filter", boolean),
)
"""What an `override` may say of a rule, in the order in which Falco reads it, and how it is read."""

_APPEND_DEPRECATED = (
    "'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under 'override' instead."
)
_ENABLED_DEPRECATED = (
    "The standalone 'enabled' key usage is deprecated. The correct approach requires also a 'replace' entry under the "
    "'override' key (i.e. 'enabled: replace')."
)
_OVERRIDE_AND_APPEND = (
    "Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry (e.g. 'condition: append') "
    "under 'override' instead."
)

REMEMBERED_FILES = 50
REMEMBERED_SIZE = 1024 * 1024
"""How many files' YAML is kept for further rulesets, and up to which size in characters."""


class BadConversionError(Exception):
    """A YAML node that cannot be the text that Falco takes it for."""


def _bad_conversion(node: Yaml) -> str:
    return f"yaml-cpp: error at line {node.mark.line + 1}, column {node.mark.column + 1}: bad conversion"


def _text(node: Yaml) -> str:
    """The node as yaml-cpp's `as<std::string>()` has it."""
    if node.kind == NULL:
        return "null"
    if node.kind != SCALAR:
        raise BadConversionError(_bad_conversion(node))
    return str(node.value)


class Reader:
    """Reads files into one collector."""

    def __init__(self, collector: Collector, remembered: dict[str, list[Yaml]] | None = None) -> None:
        self.collector = collector
        self.language = collector.language
        self._rule_keys = self.language.rule_keys
        self._remembered = {} if remembered is None else remembered
        self.file = Context.of_file("")
        self.result = LoadResult("")

    def read(self, name: str, text: str, result: LoadResult) -> list[Yaml] | None:
        """Read one file.

        Returns:
            The documents, or None when the file is not YAML.
            Either way `result` has what is wrong; reading stops at the first error.
        """
        self.file = Context.of_file(name)
        self.result = result
        try:
            documents = self.documents(text)
        except YamlError as error:
            where = self.file
            if error.line is not None:
                where = where.at(Mark(error.line, error.column or 0, error.index), ctx.VALUE_FOR)
            result.fail(LoadError("LOAD_ERR_YAML_PARSE", error.message, where))
            return None
        key = key_that_is_no_text(documents)
        if key is not None:
            where = self.file.at(key.mark, ctx.VALUE_FOR)
            result.fail(LoadError("LOAD_ERR_YAML_PARSE", _bad_conversion(key), where))
            return None
        result.documents_empty = not documents
        if self.language.schema_check:
            result.schema_checked = bool(documents)
            result.schema_warnings = schema_status(documents, self.language)
        try:
            for document in documents:
                if document.kind != SEQUENCE:
                    raise LoadError(
                        "LOAD_ERR_YAML_VALIDATE",
                        f"Rules content is not yaml{' array of objects' if document.kind == MAP else ''}",
                        self.file,
                        written=Written(name, document),
                        cause=Cause(Reason.NO_LIST_OF_ENTRIES),
                    )
                for item in document.value:
                    if item.kind != NULL:
                        self.entry(item)
        except LoadError as failure:
            result.fail(failure)
        except BadConversionError as error:
            result.fail(LoadError("LOAD_ERR_VALIDATE", str(error), self.file))
        return documents

    def documents(self, text: str) -> list[Yaml]:
        """Read YAML, or take what the same text was before; many rulesets share their base files."""
        documents = self._remembered.get(text)
        if documents is None:
            documents = read_documents(text)
            if len(text) <= REMEMBERED_SIZE and len(self._remembered) < REMEMBERED_FILES:
                self._remembered[text] = documents
        return documents

    def _warn_unknown_keys(self, node: Yaml, known: Iterable[str], context: Context) -> None:
        reported = "LOAD_UNKNOWN_KEY" in self.language.codes
        for key, _value in node.value:
            text = _text(key)
            if text not in known and reported:
                self.result.warn(
                    "LOAD_UNKNOWN_KEY",
                    f"Unknown key '{text}'. The key will be ignored.",
                    context,
                    written=Written(context.file, key),
                    cause=Cause(Reason.UNKNOWN_KEY, text),
                )

    def _note_duplicates(self, node: Yaml, keys: Keys) -> None:
        """Remember keys that stand twice: Falco takes the first and says nothing."""
        for key, value in node.value:
            if key.kind == SCALAR and keys[key.value] is not value:
                context = self.file.at(node.mark, ctx.RULES_CONTENT_ITEM)
                for kind in ("rule", "macro", "list"):
                    if kind in keys and keys[kind].kind == SCALAR:
                        context = self.file.at(node.mark, kind, keys[kind].value)
                self.collector.duplicates.append((context, key.value, key.mark))

    # entries

    def entry(self, node: Yaml) -> None:
        """Read one entry.

        Raises:
            LoadError, BadConversionError: Falco stops at it.
        """
        if node.kind != MAP:
            raise invalid(
                "Unexpected element type. Each element should be a yaml associative array.",
                self.file.at(node.mark, ctx.RULES_CONTENT_ITEM),
            )
        keys = keys_of(node)
        if len(keys) != len(node.value):
            self._note_duplicates(node, keys)
        override = keys.get("override")
        if override is not None and override.kind == SEQUENCE and not override.value:
            # Falco's schema check ends the process on this one
            raise LoadError(
                "LOAD_ERR_YAML_VALIDATE",
                "'override' must be a mapping of keys to 'append' or 'replace', not a sequence",
                self.file.at(override.mark, ctx.OVERRIDE),
                aborts=True,
            )
        if "required_engine_version" in keys:
            self._engine_version(node, keys)
        elif "required_plugin_versions" in keys:
            self._plugin_versions(node, keys)
        elif "list" in keys:
            self._list(node, keys)
        elif "macro" in keys:
            self._macro(node, keys)
        elif "rule" in keys:
            self._rule(node, keys)
        else:
            self.result.warn(
                "LOAD_UNKNOWN_ITEM", "Unknown top level item", self.file.at(node.mark, ctx.RULES_CONTENT_ITEM)
            )

    def _engine_version(self, node: Yaml, keys: Keys) -> None:
        context = self.file.at(node.mark, ctx.ENGINE_VERSION)
        text = required(keys, "required_engine_version", context)
        number = to_uint32(text)
        version = (0, number, 0) if number is not None else parse_version(text)
        if version is None:
            raise invalid(
                f"Unable to parse engine version '{text}' as a semver string. Expected \"x.y.z\" semver format.",
                context,
                Cause(Reason.NO_VERSION, text),
                Written(context.file, keys["required_engine_version"]),
            )
        self.collector.require_engine(version, context, Written(context.file, keys["required_engine_version"]))
        self._warn_unknown_keys(node, ("required_engine_version",), context)

    def _plugin_versions(self, node: Yaml, keys: Keys) -> None:
        value = keys["required_plugin_versions"]
        context = self.file.at(value.mark, ctx.PLUGIN_VERSIONS)
        words = ("Value of required_plugin_versions must be a sequence", "Plugin version must be a mapping")
        for entry, name, where in named_entries(value, context, ctx.PLUGIN_VERSION, words):
            alternatives = [(name, required(entry, "version", where))]
            written = [Written(where.file, entry["version"])]
            others = entry.get("alternatives")
            if others is not None:
                words = (
                    "Value of plugin version alternatives must be a sequence",
                    "Plugin version alternative must be a mapping",
                )
                for other, another, spot in named_entries(others, where, ctx.PLUGIN_ALTERNATIVE, words):
                    alternatives.append((another, required(other, "version", spot)))
                    written.append(Written(where.file, other["version"]))
            self.collector.require_plugin(PluginRequirement(alternatives, where, tuple(written)))
        self._warn_unknown_keys(node, ("required_plugin_versions",), self.file.at(node.mark, ctx.PLUGIN_VERSIONS))

    def _append_flag(self, keys: Keys, context: Context) -> bool:
        flag = boolean(keys, "append", context)
        if flag:
            self.result.warn("LOAD_DEPRECATED_ITEM", _APPEND_DEPRECATED, context)
        return flag

    def _list(self, node: Yaml, keys: Keys) -> None:
        name = required(keys, "list", self.file.at(node.mark, ctx.LIST))
        context = self.file.at(node.mark, ctx.LIST, name)
        if not _LIST_NAME.fullmatch(name):
            self.result.warn(
                "LOAD_INVALID_LIST_NAME",
                "List has an invalid name. List names should match a regular expression: ([^()\"'[:space:]=,]+)",
                context,
            )
        item = ListItem(name, texts(keys, "items", context), context, (Written(context.file, keys["items"]),))
        append = self._append_flag(keys, context)
        appended, replaced = self._overrides(node, keys, ("items",), ("items",), context)
        if append and (appended or replaced):
            raise invalid(_OVERRIDE_AND_APPEND, context)
        if append or "items" in appended:
            self.collector.append_list(item, node)
        else:
            self.collector.define_list(item, node)
        if len(node.value) != 2:
            self._warn_unknown_keys(node, LIST_KEYS, context)

    def _macro(self, node: Yaml, keys: Keys) -> None:
        name = required(keys, "macro", self.file.at(node.mark, ctx.MACRO))
        context = self.file.at(node.mark, ctx.MACRO, name)
        if not _MACRO_NAME.fullmatch(name):
            self.result.warn(
                "LOAD_INVALID_MACRO_NAME",
                "Macro has an invalid name. Macro names should match a regular expression: ([a-zA-Z]+[a-zA-Z0-9_]*)",
                context,
            )
        condition = required(keys, "condition", context)
        where = context.at(keys["condition"].mark, ctx.MACRO_CONDITION)
        item = MacroItem(name, condition, context, where, node, (Written(context.file, keys["condition"]),))
        append = self._append_flag(keys, context)
        appended, replaced = self._overrides(node, keys, ("condition",), ("condition",), context)
        if append and (appended or replaced):
            raise invalid(_OVERRIDE_AND_APPEND, context)
        if append or "condition" in appended:
            self.collector.append_macro(item)
        else:
            self.collector.define_macro(item)
        if len(node.value) != 2:
            self._warn_unknown_keys(node, MACRO_KEYS, context)

    def _overrides(
        self, node: Yaml, keys: Keys, appendable: Iterable[str], replaceable: Iterable[str], context: Context
    ) -> tuple[set[str], set[str]]:
        appended: set[str] = set()
        replaced: set[str] = set()
        value = keys.get("override")
        if value is None:
            return appended, replaced
        if value.kind == SEQUENCE:
            raise BadConversionError(
                "invalid node; this may result from using a map iterator as a sequence iterator, or vice-versa"
            )
        if value.kind != MAP:
            return appended, replaced
        where = context.at(node.mark, ctx.OVERRIDE)
        for key_node, operation_node in value.value:
            key = _text(key_node)
            operation = _text(operation_node)
            if operation == "append":
                if key not in appendable:
                    raise invalid(
                        f"Key '{key}' cannot be appended to, use 'replace' instead",
                        where.at(key_node.mark, ctx.OVERRIDE, key),
                        Cause(Reason.NOT_APPENDABLE, key),
                    )
                appended.add(key)
            elif operation == "replace":
                if key not in replaceable:
                    raise invalid(
                        f"Key '{key}' cannot be replaced",
                        where.at(key_node.mark, ctx.OVERRIDE, key),
                        Cause(Reason.NOT_REPLACEABLE, key),
                    )
                replaced.add(key)
            else:
                allowed = [word for word, ok in (("append", key in appendable), ("replace", key in replaceable)) if ok]
                raise invalid(
                    f"Invalid override operation for key '{key}': '{operation}'. "
                    f"Allowed values are: {' '.join(allowed)}",
                    where.at(operation_node.mark, ctx.VALUE_FOR, key),
                )
        return appended, replaced

    # rules

    def _rule(self, node: Yaml, keys: Keys) -> None:
        name = required(keys, "rule", self.file.at(node.mark, ctx.RULE))
        context = self.file.at(node.mark, ctx.RULE, name)
        source = ""
        value = keys.get("source")
        if value is not None and value.kind != NULL:
            if value.kind != SCALAR:
                raise invalid("Value is not a scalar value", context.at(value.mark, ctx.VALUE_FOR, "source"))
            source = value.value
        append = self._append_flag(keys, context)
        appended, replaced = self._overrides(node, keys, self.language.appendable, self.language.replaceable, context)
        if append and (appended or replaced):
            raise invalid(_OVERRIDE_AND_APPEND, context)
        if appended or replaced:
            self._rule_override(node, keys, name, source, appended, replaced, context)
        elif append:
            self._rule_append(node, keys, name, source, context)
        elif "condition" in keys or "output" in keys or "desc" in keys or "priority" in keys:
            self.define(node, keys, name, context)
        else:
            rule = Rule(name, context)
            rule.nodes[""] = node
            text = required(keys, "enabled", context)
            enabled = to_bool(text)
            if enabled is None:
                raise invalid(
                    "Can't decode YAML scalar value", context.at(keys["enabled"].mark, ctx.VALUE_FOR, "enabled")
                )
            rule.enabled = enabled
            self.result.warn("LOAD_DEPRECATED_ITEM", _ENABLED_DEPRECATED, context)
            self.collector.enable_rule(rule)
        self._warn_unknown_keys(node, self._rule_keys, context)

    def define(self, node: Yaml, keys: Keys, name: str, context: Context) -> None:
        rule = Rule(name, context)
        rule.condition = required(keys, "condition", context)
        rule.condition_context = context.at(keys["condition"].mark, ctx.RULE_CONDITION)
        output = required(keys, "output", context)
        rule.output_context = context.at(keys["output"].mark, ctx.RULE_OUTPUT)
        rule.desc = required(keys, "desc", context)
        rule.output = output.strip(" \t\n\v\f\r")
        rule.priority = priority(keys, "priority", context)
        value = keys.get("source")
        rule.source = DEFAULT_SOURCE if value is None else scalar(value, "source", context)
        rule.enabled = boolean(keys, "enabled", context, True)
        if "capture" in self._rule_keys:
            rule.capture = boolean(keys, "capture", context)
            rule.capture_duration = number(keys, "capture_duration", context)
        rule.warn_evttypes = boolean(keys, "warn_evttypes", context, True)
        rule.skip_if_unknown_filter = boolean(keys, "skip-if-unknown-filter", context)
        rule.tags = set(texts(keys, "tags", context)) if "tags" in keys else set()
        rule.exceptions = read_exceptions(keys, context, False, self.result)
        rule.nodes = {"": node, "condition": keys["condition"], "output": keys["output"]}
        rule.written = (Written(context.file, keys["condition"]),)
        rule.written_output = (Written(context.file, keys["output"]),)
        self.collector.define_rule(rule, self.result)

    def _rule_append(self, node: Yaml, keys: Keys, name: str, source: str, context: Context) -> None:
        update = RuleUpdate(name, context)
        update.source = source
        update.nodes[""] = node
        if "condition" in keys:
            update.condition = required(keys, "condition", context)
            update.written = (Written(context.file, keys["condition"]),)
        if "exceptions" in keys:
            update.exceptions = read_exceptions(keys, context, True, self.result)
        self.collector.append_rule(update)

    def _rule_override(
        self,
        node: Yaml,
        keys: Keys,
        name: str,
        source: str,
        appended: set[str],
        replaced: set[str],
        context: Context,
    ) -> None:
        expected = {key for key in self.language.replaceable if key in keys}
        for names, kind, hand_over in (
            (appended, "append", self.collector.append_rule),
            (replaced, "replace", self.collector.replace_rule),
        ):
            if not names:
                continue
            update = RuleUpdate(name, context)
            update.nodes[""] = node
            for key, read in _IN_UPDATES:
                if key not in names:
                    continue
                if key not in expected:
                    raise invalid(f"An {kind} override for '{key}' was specified but '{key}' is not defined", context)
                expected.discard(key)
                if key == "condition":
                    update.source = source
                    update.written = (Written(context.file, keys["condition"]),)
                if key == "output":
                    update.written_output = (Written(context.file, keys["output"]),)
                if key == "exceptions":
                    update.exceptions = read_exceptions(keys, context, kind == "append", self.result)
                else:
                    setattr(update, key.replace("-", "_"), read(keys, key, context))
            hand_over(update)
        for key in sorted(expected):
            raise invalid(
                f"Unexpected key '{key}': no corresponding entry under 'override' is defined.",
                context.at(keys[key].mark, ctx.OVERRIDE, key),
            )
