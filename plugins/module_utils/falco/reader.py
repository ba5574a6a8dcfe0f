# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One rules file's YAML into the collector: the shape of each entry, its keys and its overrides.

Source: `userspace/engine/rule_loader_reader.cpp` in falcosecurity/falco.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from . import context as ctx
from .collector import DEFAULT_SOURCE, Collector, parse_version
from .context import Context
from .items import Entry, ListItem, MacroItem, PluginRequirement, Rule, RuleException, RuleUpdate
from .result import LoadError, LoadResult
from .schema import schema_status
from .yaml_nodes import MAP, NULL, SCALAR, SEQUENCE, Mark, Yaml, YamlError, read_documents, to_bool, to_uint32

_MACRO_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")
_LIST_NAME = re.compile("[^()\"' \t\n\v\f\r=,\udc80-\udcff]+")
_PRIORITIES = frozenset(
    ("emergency", "alert", "critical", "error", "warning", "notice", "informational", "info", "debug")
)

APPENDABLE = ("condition", "desc", "exceptions", "output", "tags")
"""Keys of a rule that `override` may append to, in Falco's (alphabetical) order."""
REPLACEABLE = (
    "capture",
    "capture_duration",
    "condition",
    "desc",
    "enabled",
    "exceptions",
    "output",
    "priority",
    "skip-if-unknown-filter",
    "tags",
    "warn_evttypes",
)
"""Keys of a rule that `override` may replace, in Falco's (alphabetical) order."""
RULE_KEYS = frozenset(("rule", "source", "override", "append", *REPLACEABLE))
MACRO_KEYS = frozenset(("macro", "condition", "append", "override"))
LIST_KEYS = frozenset(("list", "items", "append", "override"))
ITEM_KEYS = ("required_engine_version", "required_plugin_versions", "list", "macro", "rule")
"""The keys that make an entry what it is, in the order in which Falco looks for them."""

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

Keys = dict[str, Yaml]


def _error(message: str, context: Context) -> LoadError:
    return LoadError("LOAD_ERR_YAML_VALIDATE", message, context)


def _keys(node: Yaml) -> Keys:
    """A map's values by key; of equal keys the first counts."""
    found: Keys = {}
    for key, value in node.value:
        if key.kind == SCALAR and key.value not in found:
            found[key.value] = value
    return found


class _BadConversionError(Exception):
    """A YAML node that cannot be the text that Falco takes it for."""


def _text(node: Yaml) -> str:
    """The node as yaml-cpp's `as<std::string>()` has it."""
    if node.kind == NULL:
        return "null"
    if node.kind != SCALAR:
        raise _BadConversionError(
            f"yaml-cpp: error at line {node.mark.line + 1}, column {node.mark.column + 1}: bad conversion"
        )
    return str(node.value)


class Reader:
    """Reads files into one collector."""

    def __init__(self, collector: Collector, remembered: dict[str, list[Yaml]] | None = None) -> None:
        self.collector = collector
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
            documents = self._documents(text)
        except YamlError as error:
            where = self.file
            if error.line is not None:
                where = where.at(Mark(error.line, error.column or 0, error.index), ctx.VALUE_FOR)
            result.fail(LoadError("LOAD_ERR_YAML_PARSE", error.message, where))
            return None
        result.documents_empty = not documents
        result.schema_checked = bool(documents)
        result.schema_warnings = schema_status(documents)
        try:
            for document in documents:
                if document.kind == NULL:
                    continue
                if document.kind == SCALAR:
                    raise _error("Rules content is not yaml", self.file)
                if document.kind == MAP:
                    raise _error("Rules content is not yaml array of objects", self.file)
                for item in document.value:
                    if item.kind != NULL:
                        self._item(item)
        except LoadError as failure:
            result.fail(failure)
        except _BadConversionError as error:
            result.fail(LoadError("LOAD_ERR_VALIDATE", str(error), self.file))
        return documents

    def _documents(self, text: str) -> list[Yaml]:
        """Read YAML, or take what the same text was before; many rulesets share their base files."""
        documents = self._remembered.get(text)
        if documents is None:
            documents = read_documents(text)
            if len(text) <= REMEMBERED_SIZE and len(self._remembered) < REMEMBERED_FILES:
                self._remembered[text] = documents
        return documents

    # scalars

    def _required(self, keys: Keys, key: str, context: Context) -> str:
        node = keys.get(key)
        if node is None:
            raise _error(f"Item has no mapping for key '{key}'", context)
        return self._scalar(node, key, context)

    def _scalar(self, node: Yaml, key: str, context: Context) -> str:
        if node.kind == SCALAR and node.value:
            return node.value  # type: ignore[no-any-return]  # a scalar's value is text
        if node.kind == NULL:
            raise _error(f"Mapping for key '{key}' is empty", context)
        where = context.at(node.mark, ctx.VALUE_FOR, key)
        if node.kind != SCALAR:
            raise _error("Value is not a scalar value", where)
        raise _error("Value must be non-empty", where)

    def _bool(self, keys: Keys, key: str, default: bool, context: Context) -> bool:
        node = keys.get(key)
        if node is None:
            return default
        value = to_bool(self._scalar(node, key, context))
        if value is None:
            raise _error("Can't decode YAML scalar value", context.at(node.mark, ctx.VALUE_FOR, key))
        return value

    def _number(self, keys: Keys, key: str, default: int, context: Context) -> int:
        node = keys.get(key)
        if node is None:
            return default
        value = to_uint32(self._scalar(node, key, context))
        if value is None:
            raise _error("Can't decode YAML scalar value", context.at(node.mark, ctx.VALUE_FOR, key))
        return value

    def _sequence(self, keys: Keys, key: str, context: Context, optional: bool) -> list[str]:
        node = keys.get(key)
        if node is None:
            if optional:
                return []
            raise _error(f"Item has no mapping for key '{key}'", context)
        where = context.at(node.mark, ctx.VALUE_FOR, key)
        if node.kind != SEQUENCE:
            raise _error("Value is not a sequence", where)
        values = []
        for entry in node.value:
            if entry.kind != SCALAR:
                raise _error("sequence value is not scalar", where.at(entry.mark, ctx.LIST_ITEM))
            values.append(entry.value)
        return values

    def _priority(self, keys: Keys, context: Context) -> str:
        text = self._required(keys, "priority", context)
        if text.lower() not in _PRIORITIES or not text.isascii():
            raise _error("Invalid priority", context.at(keys["priority"].mark, ctx.RULE_PRIORITY))
        return text

    def _warn_unknown_keys(self, node: Yaml, known: Iterable[str], context: Context) -> None:
        for key, _value in node.value:
            text = _text(key)
            if text not in known:
                self.result.warn("LOAD_UNKNOWN_KEY", f"Unknown key '{text}'. The key will be ignored.", context)

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

    def _item(self, node: Yaml) -> None:
        if node.kind != MAP:
            raise _error(
                "Unexpected element type. Each element should be a yaml associative array.",
                self.file.at(node.mark, ctx.RULES_CONTENT_ITEM),
            )
        keys = _keys(node)
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
        text = self._required(keys, "required_engine_version", context)
        number = to_uint32(text)
        version = (0, number, 0) if number is not None else parse_version(text)
        if version is None:
            raise _error(
                f"Unable to parse engine version '{text}' as a semver string. Expected \"x.y.z\" semver format.",
                context,
            )
        self.collector.require_engine(version, context)
        self._warn_unknown_keys(node, ("required_engine_version",), context)

    def _plugin_versions(self, node: Yaml, keys: Keys) -> None:
        value = keys["required_plugin_versions"]
        context = self.file.at(value.mark, ctx.PLUGIN_VERSIONS)
        if value.kind != SEQUENCE:
            raise _error("Value of required_plugin_versions must be a sequence", context)
        for plugin in value.value:
            where = context.at(plugin.mark, ctx.PLUGIN_VERSION)
            if plugin.kind != MAP:
                raise _error("Plugin version must be a mapping", where)
            entry = _keys(plugin)
            name = self._required(entry, "name", where)
            where = context.at(plugin.mark, ctx.PLUGIN_VERSION, name)
            alternatives = [(name, self._required(entry, "version", where))]
            others = entry.get("alternatives")
            if others is not None:
                if others.kind != SEQUENCE:
                    raise _error("Value of plugin version alternatives must be a sequence", where)
                for other in others.value:
                    spot = where.at(other.mark, ctx.PLUGIN_ALTERNATIVE)
                    if other.kind != MAP:
                        raise _error("Plugin version alternative must be a mapping", spot)
                    other_keys = _keys(other)
                    name = self._required(other_keys, "name", spot)
                    spot = where.at(other.mark, ctx.PLUGIN_ALTERNATIVE, name)
                    alternatives.append((name, self._required(other_keys, "version", spot)))
            self.collector.require_plugin(PluginRequirement(alternatives, where))
        self._warn_unknown_keys(node, ("required_plugin_versions",), self.file.at(node.mark, ctx.PLUGIN_VERSIONS))

    def _append_flag(self, keys: Keys, context: Context) -> bool:
        flag = self._bool(keys, "append", False, context)
        if flag:
            self.result.warn("LOAD_DEPRECATED_ITEM", _APPEND_DEPRECATED, context)
        return flag

    def _list(self, node: Yaml, keys: Keys) -> None:
        name = self._required(keys, "list", self.file.at(node.mark, ctx.LIST))
        context = self.file.at(node.mark, ctx.LIST, name)
        if not _LIST_NAME.fullmatch(name):
            self.result.warn(
                "LOAD_INVALID_LIST_NAME",
                "List has an invalid name. List names should match a regular expression: ([^()\"'[:space:]=,]+)",
                context,
            )
        item = ListItem(name, self._sequence(keys, "items", context, False), context)
        append = self._append_flag(keys, context)
        appended, replaced = self._overrides(node, keys, ("items",), ("items",), context)
        if append and (appended or replaced):
            raise _error(_OVERRIDE_AND_APPEND, context)
        if append or "items" in appended:
            self.collector.append_list(item, node)
        else:
            self.collector.define_list(item, node)
        if len(node.value) != 2:
            self._warn_unknown_keys(node, LIST_KEYS, context)

    def _macro(self, node: Yaml, keys: Keys) -> None:
        name = self._required(keys, "macro", self.file.at(node.mark, ctx.MACRO))
        context = self.file.at(node.mark, ctx.MACRO, name)
        if not _MACRO_NAME.fullmatch(name):
            self.result.warn(
                "LOAD_INVALID_MACRO_NAME",
                "Macro has an invalid name. Macro names should match a regular expression: ([a-zA-Z]+[a-zA-Z0-9_]*)",
                context,
            )
        condition = self._required(keys, "condition", context)
        where = context.at(keys["condition"].mark, ctx.MACRO_CONDITION)
        item = MacroItem(name, condition, context, where, node)
        append = self._append_flag(keys, context)
        appended, replaced = self._overrides(node, keys, ("condition",), ("condition",), context)
        if append and (appended or replaced):
            raise _error(_OVERRIDE_AND_APPEND, context)
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
        if value.kind == SEQUENCE and value.value:
            raise _BadConversionError(
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
                    raise _error(
                        f"Key '{key}' cannot be appended to, use 'replace' instead",
                        where.at(key_node.mark, ctx.OVERRIDE, key),
                    )
                appended.add(key)
            elif operation == "replace":
                if key not in replaceable:
                    raise _error(f"Key '{key}' cannot be replaced", where.at(key_node.mark, ctx.OVERRIDE, key))
                replaced.add(key)
            else:
                allowed = [word for word, ok in (("append", key in appendable), ("replace", key in replaceable)) if ok]
                raise _error(
                    f"Invalid override operation for key '{key}': '{operation}'. "
                    f"Allowed values are: {' '.join(allowed)}",
                    where.at(operation_node.mark, ctx.VALUE_FOR, key),
                )
        return appended, replaced

    # rules

    def _rule(self, node: Yaml, keys: Keys) -> None:
        name = self._required(keys, "rule", self.file.at(node.mark, ctx.RULE))
        context = self.file.at(node.mark, ctx.RULE, name)
        source = ""
        value = keys.get("source")
        if value is not None and value.kind != NULL:
            if value.kind != SCALAR:
                raise _error("Value is not a scalar value", context.at(value.mark, ctx.VALUE_FOR, "source"))
            source = value.value
        append = self._append_flag(keys, context)
        appended, replaced = self._overrides(node, keys, APPENDABLE, REPLACEABLE, context)
        if append and (appended or replaced):
            raise _error(_OVERRIDE_AND_APPEND, context)
        if appended or replaced:
            self._rule_override(node, keys, name, source, appended, replaced, context)
        elif append:
            self._rule_append(node, keys, name, source, context)
        elif "condition" in keys or "output" in keys or "desc" in keys or "priority" in keys:
            self._rule_define(node, keys, name, context)
        else:
            rule = Rule(name, context)
            rule.nodes[""] = node
            text = self._required(keys, "enabled", context)
            enabled = to_bool(text)
            if enabled is None:
                raise _error(
                    "Can't decode YAML scalar value", context.at(keys["enabled"].mark, ctx.VALUE_FOR, "enabled")
                )
            rule.enabled = enabled
            self.result.warn("LOAD_DEPRECATED_ITEM", _ENABLED_DEPRECATED, context)
            self.collector.enable_rule(rule)
        self._warn_unknown_keys(node, RULE_KEYS, context)

    def _rule_define(self, node: Yaml, keys: Keys, name: str, context: Context) -> None:
        rule = Rule(name, context)
        rule.condition = self._required(keys, "condition", context)
        rule.condition_context = context.at(keys["condition"].mark, ctx.RULE_CONDITION)
        output = self._required(keys, "output", context)
        rule.output_context = context.at(keys["output"].mark, ctx.RULE_OUTPUT)
        rule.desc = self._required(keys, "desc", context)
        rule.output = output.strip(" \t\n\v\f\r")
        rule.priority = self._priority(keys, context)
        value = keys.get("source")
        rule.source = DEFAULT_SOURCE if value is None else self._scalar(value, "source", context)
        rule.enabled = self._bool(keys, "enabled", True, context)
        rule.capture = self._bool(keys, "capture", False, context)
        rule.capture_duration = self._number(keys, "capture_duration", 0, context)
        rule.warn_evttypes = self._bool(keys, "warn_evttypes", True, context)
        rule.skip_if_unknown_filter = self._bool(keys, "skip-if-unknown-filter", False, context)
        rule.tags = set(self._sequence(keys, "tags", context, True))
        rule.exceptions = self._exceptions(keys, context, False)
        rule.nodes = {"": node, "condition": keys["condition"], "output": keys["output"]}
        self.collector.define_rule(rule, self.result)

    def _rule_append(self, node: Yaml, keys: Keys, name: str, source: str, context: Context) -> None:
        update = RuleUpdate(name, context)
        update.source = source
        update.nodes[""] = node
        if "condition" in keys:
            update.condition = self._required(keys, "condition", context)
        if "exceptions" in keys:
            update.exceptions = self._exceptions(keys, context, True)
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
        expected = {key for key in REPLACEABLE if key in keys}

        def wanted(names: set[str], kind: str, key: str) -> bool:
            if key not in names:
                return False
            if key not in expected:
                raise _error(f"An {kind} override for '{key}' was specified but '{key}' is not defined", context)
            expected.discard(key)
            return True

        if appended:
            update = RuleUpdate(name, context)
            update.nodes[""] = node
            if wanted(appended, "append", "condition"):
                update.source = source
                update.condition = self._required(keys, "condition", context)
            if wanted(appended, "append", "exceptions"):
                update.exceptions = self._exceptions(keys, context, True)
            if wanted(appended, "append", "output"):
                update.output = self._required(keys, "output", context)
            if wanted(appended, "append", "desc"):
                update.desc = self._required(keys, "desc", context)
            if wanted(appended, "append", "tags"):
                update.tags = set(self._sequence(keys, "tags", context, True))
            self.collector.append_rule(update)
        if replaced:
            update = RuleUpdate(name, context)
            update.nodes[""] = node
            if wanted(replaced, "replace", "condition"):
                update.source = source
                update.condition = self._required(keys, "condition", context)
            if wanted(replaced, "replace", "exceptions"):
                update.exceptions = self._exceptions(keys, context, False)
            if wanted(replaced, "replace", "output"):
                update.output = self._required(keys, "output", context)
            if wanted(replaced, "replace", "desc"):
                update.desc = self._required(keys, "desc", context)
            if wanted(replaced, "replace", "tags"):
                update.tags = set(self._sequence(keys, "tags", context, True))
            if wanted(replaced, "replace", "priority"):
                update.priority = self._priority(keys, context)
            if wanted(replaced, "replace", "capture"):
                update.capture = self._bool(keys, "capture", False, context)
            if wanted(replaced, "replace", "capture_duration"):
                update.capture_duration = self._number(keys, "capture_duration", 0, context)
            if wanted(replaced, "replace", "enabled"):
                update.enabled = self._bool(keys, "enabled", True, context)
            if wanted(replaced, "replace", "warn_evttypes"):
                update.warn_evttypes = self._bool(keys, "warn_evttypes", True, context)
            if wanted(replaced, "replace", "skip-if-unknown-filter"):
                update.skip_if_unknown_filter = self._bool(keys, "skip-if-unknown-filter", False, context)
            self.collector.replace_rule(update)
        for key in sorted(expected):
            raise _error(
                f"Unexpected key '{key}': no corresponding entry under 'override' is defined.",
                context.at(keys[key].mark, ctx.OVERRIDE, key),
            )

    # exceptions

    def _exceptions(self, keys: Keys, parent: Context, append: bool) -> list[RuleException]:
        found: list[RuleException] = []
        node = keys.get("exceptions")
        if node is None or node.kind == NULL:
            return found
        context = parent.at(node.mark, ctx.EXCEPTIONS)
        if node.kind != SEQUENCE:
            raise _error("Rule exceptions must be a sequence", context)
        for entry in node.value:
            where = context.at(entry.mark, ctx.EXCEPTION)
            if entry.kind != MAP:
                raise _error("Rule exception must be a mapping", where)
            entry_keys = _keys(entry)
            name = self._required(entry_keys, "name", where)
            where = parent.at(entry.mark, ctx.EXCEPTION, name)
            exception = RuleException(name, where)
            for other in found:
                if other.name == name:
                    self.result.warn(
                        "LOAD_EXCEPTION_NAME_NOT_UNIQUE",
                        f"Multiple definitions of exception '{name}' in the same rule",
                        where,
                    )
            fields = entry_keys.get("fields")
            if fields is None and not append:
                raise _error("Item has no mapping for key 'fields'", where)
            if fields is not None:
                exception.fields = self._entry(fields, "fields", where)
            comps = entry_keys.get("comps")
            if comps is not None:
                exception.comps = self._entry(comps, "comps", where)
            values = entry_keys.get("values")
            if values is not None:
                spot = where.at(values.mark, ctx.EXCEPTION_VALUES)
                if values.kind != SEQUENCE:
                    raise _error("Rule exception values must be a sequence", spot)
                for value in values.value:
                    exception.values.append(self._entry(value, "", spot.at(value.mark, ctx.EXCEPTION_VALUE)))
            elif append:
                self.result.warn("LOAD_APPEND_NO_VALUES", "Overriding/appending exception with no values", where)
            found.append(exception)
        return found

    def _entry(self, node: Yaml, key: str, context: Context) -> Entry:
        if node.kind == SCALAR:
            if not node.value:
                raise _error("Value must be non-empty", context.at(node.mark, ctx.VALUE_FOR, key))
            return Entry(node.value)
        if node.kind == SEQUENCE:
            where = context
            return Entry("", [self._entry(item, "", where) for item in node.value])
        return Entry()
