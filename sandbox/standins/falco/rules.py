"""Rules files, loaded by the collection's own loader into its engine; verdicts on them in Falco's words."""

from __future__ import annotations

import fnmatch
import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import catalogue
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import CompiledRule, Engine
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.items import Rule
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.result import LoadResult
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loaded, Loader, RulesFile, decode

from .config import Config

VERSION = "0.44"
"""Of the Falco whose language it is."""


class BrokenRulesError(Exception):
    """Rules that Falco does not start with.

    Attributes:
        verdicts: on each file up to the broken one.
    """

    def __init__(self, message: str, verdicts: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.verdicts = list(verdicts)


class LoadedRules:
    """Rules as they were loaded once; a reload makes new ones.

    Attributes:
        engine: evaluates them.
        active: the rules that can fire.
        digests: base name and SHA-256 of each file, sorted.
        state: digest over names and contents of the files, to notice changes.
        verdicts: on each file.
        loaded_ns: when, in nanoseconds since 1970.
        matches: how often each rule fired.
    """

    def __init__(self, config: Config, loaded: Loaded, contents: Mapping[Path, bytes]) -> None:
        for compiled in loaded.compiler.rules.values():
            compiled.rule.enabled = _enabled(compiled.rule, config.rules)
        self.engine = Engine(loaded, config.rule_matching, config.priority, config.append_output)
        self.active: list[CompiledRule] = [rule for rule in self.engine.rules.values() if rule.fires]
        self.digests = sorted((path.name, hashlib.sha256(text).hexdigest()) for path, text in contents.items())
        self.state = state_of(contents)
        self.verdicts = verdicts(loaded)
        self.loaded_ns = time.time_ns()
        self.matches: dict[str, int] = {rule.name: 0 for rule in self.active}


def read_files(paths: Iterable[Path]) -> dict[Path, bytes]:
    """Contents by path, in order.

    Raises:
        BrokenRulesError: one cannot be read.
    """
    contents = {}
    for path in paths:
        try:
            contents[path] = path.read_bytes()
        except OSError as error:
            raise BrokenRulesError(f"could not read rules file {path}: {error.strerror}") from error
    return contents


def state_of(contents: Mapping[Path, bytes]) -> str:
    """A digest over names and contents of files."""
    state = hashlib.sha256()
    for path, text in contents.items():
        state.update(f"{path}\0{len(text)}\0".encode())
        state.update(text)
    return state.hexdigest()


def load(config: Config) -> LoadedRules:
    """Load the rules files that are configured.

    Raises:
        BrokenRulesError: Falco would not start with them.
    """
    if not config.rules_files:
        raise BrokenRulesError("you must specify at least one rules file: rules_files is empty")
    contents = read_files(config.files())
    loaded = load_contents(contents, config.plugin_names)
    if not loaded.successful:
        said = verdicts(loaded)
        broken = [position for position, result in enumerate(loaded.results) if not result.successful]
        raise BrokenRulesError(said[broken[0]], said[: broken[0] + 1])
    return LoadedRules(config, loaded, contents)


def load_contents(contents: Mapping[Path, bytes], plugins: tuple[str, ...]) -> Loaded:
    """Load files as a Falco with these plugins does."""
    files = [RulesFile(str(path), decode(text)) for path, text in contents.items()]
    return Loader(catalogue(VERSION, plugins)).load(files)


def _enabled(rule: Rule, switches: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a rule is enabled after `rules` of falco.yaml, which are applied in order."""
    enabled = rule.enabled
    for switch in switches:
        for verb, after in (("enable", True), ("disable", False)):
            selection = switch.get(verb)
            if isinstance(selection, Mapping) and _selects(selection, rule):
                enabled = after
    return enabled


def _selects(selection: Mapping[str, Any], rule: Rule) -> bool:
    pattern = selection.get("rule")
    return selection.get("tag") in rule.tags or (
        isinstance(pattern, str) and fnmatch.fnmatchcase(rule.name, pattern.replace("[", "[[]").replace("?", "[?]"))
    )


def verdicts(loaded: Loaded) -> list[str]:
    """What Falco writes of each file that it loads."""
    return [_verdict(result, details) for result, details in zip(loaded.results, loaded.to_json(), strict=True)]


def _verdict(result: LoadResult, details: Mapping[str, Any]) -> str:
    if result.successful:
        return f"{result.name}: Ok{', with warnings' if result.warnings else ''}"
    errors = details["errors"]
    lines = [f"{result.name}: Invalid", f"{len(errors)} Errors:"]
    for error in errors:
        lead = "In"
        for place in error["context"]["locations"]:
            at, name = place["position"], place["item_name"]
            named = f" '{name}'" if name else ""
            lines.append(f"{lead} {place['item_type']}{named}: ({at['name']}:{at['line']}:{at['column']})")
            lead = "   "
        lines += ["------", error["context"]["snippet"].rstrip("\n"), "------"]
        lines.append(f"{error['code']} ({error['codedesc']}): {error['message']}")
    return "\n".join(lines)
