"""falco.yaml: the keys that the stand-in obeys; others are read by the real Falco alone.

Source: `userspace/falco/configuration.cpp` of falcosecurity/falco.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.engine import ALL, FIRST, priority_number
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.documents import read_documents
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.nodes import MAP, NULL, SCALAR, Yaml, to_bool

K8SAUDIT = "k8saudit"
PLUGINS = ("container", "json", K8SAUDIT)
"""What the stand-in has of Falco's plugins; of the first two there is nothing but their fields."""


class ConfigError(Exception):
    """A configuration that the stand-in does not start with; says the key."""


@dataclass(frozen=True)
class Plugin:
    """A plugin that is loaded: its name, its `init_config` and its `open_params`."""

    name: str
    init_config: Mapping[str, Any] = field(default_factory=dict)
    open_params: str = ""


@dataclass(frozen=True)
class HttpOutput:
    """`http_output`: where alerts are sent, and how its server is trusted; files are paths."""

    url: str
    user_agent: str = "falcosecurity/falco"
    insecure: bool = False
    ca_cert: str = ""
    ca_bundle: str = ""
    ca_path: str = ""
    client_cert: str = ""
    client_key: str = ""


@dataclass(frozen=True)
class Webserver:
    """`webserver`."""

    address: str
    port: int
    healthz: str
    metrics: bool
    """Whether /metrics is there."""


@dataclass(frozen=True)
class Config:
    """What falco.yaml says; the names are its keys' where nothing else is said."""

    sha256: str
    rules_files: tuple[str, ...]
    rules: tuple[Mapping[str, Any], ...] = ()
    rule_matching: str = FIRST
    priority: str = "debug"
    watch_config_files: bool = True
    time_format_iso_8601: bool = False
    json_output: bool = False
    json_include_output_property: bool = True
    json_include_output_fields_property: bool = True
    json_include_tags_property: bool = True
    append_output: tuple[Mapping[str, Any], ...] = ()
    plugins: tuple[Plugin, ...] = ()
    stdout_output: bool = True
    file_output: str | None = None
    http_output: HttpOutput | None = None
    webserver: Webserver | None = None
    rules_counters_enabled: bool = True
    engine_kind: str = "modern_ebpf"

    @property
    def plugin_names(self) -> tuple[str, ...]:
        return tuple(plugin.name for plugin in self.plugins)

    def with_rules_files(self, files: Sequence[str]) -> Config:
        """The same for other rules files, as `-r` has it."""
        return replace(self, rules_files=tuple(files))

    def files(self) -> list[Path]:
        """The rules files in load order: entries as named, folders by file name; what is absent is left out."""
        found: list[Path] = []
        for entry in map(Path, self.rules_files):
            if entry.is_dir():
                # volumes of ConfigMaps hold "..data" and dated folders beside the files
                found += sorted(path for path in entry.iterdir() if path.is_file() and not path.name.startswith(".."))
            elif entry.exists():
                found.append(entry)
        return found


def plain(node: Yaml) -> Any:
    """A YAML node as plain data; of scalars only those without quotes can be numbers and booleans."""
    if node.kind == NULL:
        return None
    if node.kind == SCALAR:
        return node.value if node.style else _scalar(node.value)
    if node.kind == MAP:
        found: dict[str, Any] = {}
        for key, value in node.value:
            if key.kind == SCALAR:
                found.setdefault(key.value, plain(value))  # of two keys of a name yaml-cpp has the first
        return found
    return [plain(item) for item in node.value]


def _scalar(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    try:
        return int(text) if text.lstrip("+-").isdigit() else float(text) if text[:1].isdigit() else text
    except ValueError:
        return text


def _document(text: str, name: str) -> dict[str, Any]:
    try:
        documents = read_documents(text)
    except FalcoError as error:
        raise ConfigError(f"{name}: {error}") from error
    value = plain(documents[0]) if documents else {}
    if not isinstance(value, dict):
        raise ConfigError(f"{name}: a mapping is wanted")
    return value


def _merge(document: dict[str, Any], other: Mapping[str, Any]) -> None:
    """What `config_files` do by default: lists grow, everything else is replaced."""
    for key, value in other.items():
        known = document.get(key)
        document[key] = [*known, *value] if isinstance(known, list) and isinstance(value, list) else value


def _override(document: dict[str, Any], assignment: str) -> None:
    """`-o KEY=VALUE`, dots for levels."""
    key, found, value = assignment.partition("=")
    if not found:
        raise ConfigError(f"-o {assignment}: KEY=VALUE is wanted")
    *levels, last = key.split(".")
    for level in levels:
        below = document.get(level)
        if not isinstance(below, dict):
            below = document[level] = {}
        document = below
    document[last] = _document(f"value: {value}\n", f"-o {assignment}").get("value")


class _Keys:
    """Typed access to a mapping; errors name the key with the mapping's own."""

    def __init__(self, value: object, path: str = "") -> None:
        if value is not None and not isinstance(value, dict):
            raise ConfigError(f"{path}: a mapping is wanted")
        self._value: dict[str, Any] = value or {}
        self._path = path + "." if path else ""

    def below(self, key: str) -> _Keys:
        return _Keys(self._value.get(key), self._path + key)

    def flag(self, key: str, default: bool) -> bool:
        value = self._value.get(key, default)
        if isinstance(value, str):
            value = to_bool(value)
        if not isinstance(value, bool):
            raise ConfigError(f"{self._path}{key}: true or false is wanted")
        return value

    def text(self, key: str, default: str = "") -> str:
        value = self._value.get(key)
        return default if value is None else str(value)

    def number(self, key: str, default: int) -> int:
        value = self._value.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ConfigError(f"{self._path}{key}: a number is wanted")
        return value

    def items(self, key: str, kind: type) -> list[Any]:
        value = self._value.get(key)
        value = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(item, kind) for item in value):
            raise ConfigError(f"{self._path}{key}: a list is wanted, of {'texts' if kind is str else 'mappings'}")
        return value

    def has(self, key: str) -> bool:
        return key in self._value


def read_config(file: Path, overrides: Sequence[str] = ()) -> Config:
    """Read falco.yaml, what its `config_files` add, and `-o`.

    Raises:
        ConfigError: it cannot be read, a key has a wrong type, or it asks for what the stand-in does not have.
    """
    try:
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    document = _document(text, str(file))
    for entry in map(Path, _Keys(document).items("config_files", str)):
        inside = sorted(entry.glob("*.y*ml")) if entry.is_dir() else [entry] if entry.is_file() else []
        for path in inside:
            _merge(document, _document(path.read_text(encoding="utf-8"), str(path)))
    for assignment in overrides:
        _override(document, assignment)
    keys = _Keys(document)
    config = Config(
        sha256=hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest(),
        rules_files=tuple(keys.items("rules_files", str)),
        rules=tuple(keys.items("rules", dict)),
        rule_matching=keys.text("rule_matching", FIRST),
        priority=keys.text("priority", "debug"),
        watch_config_files=keys.flag("watch_config_files", True),
        time_format_iso_8601=keys.flag("time_format_iso_8601", False),
        json_output=keys.flag("json_output", False),
        json_include_output_property=keys.flag("json_include_output_property", True),
        json_include_output_fields_property=keys.flag("json_include_output_fields_property", True),
        json_include_tags_property=keys.flag("json_include_tags_property", True),
        append_output=tuple(keys.items("append_output", dict)),
        plugins=_plugins(keys),
        stdout_output=keys.below("stdout_output").flag("enabled", True),
        file_output=_file_output(keys.below("file_output")),
        http_output=_http_output(keys.below("http_output")),
        webserver=_webserver(keys),
        rules_counters_enabled=keys.below("metrics").flag("rules_counters_enabled", True),
        engine_kind=keys.below("engine").text("kind", "modern_ebpf"),
    )
    if config.rule_matching not in (FIRST, ALL):
        raise ConfigError(f"{file}: rule_matching is '{config.rule_matching}'; {FIRST} or {ALL} is wanted")
    try:
        priority_number(config.priority)
    except FalcoError as error:
        raise ConfigError(f"{file}: priority: {error}") from error
    return config


def _plugins(keys: _Keys) -> tuple[Plugin, ...]:
    """Those of `plugins` that `load_plugins` names, or all where there is no such key; each once."""
    described = {str(entry.get("name")): entry for entry in keys.items("plugins", dict)}
    wanted = keys.items("load_plugins", str) if keys.has("load_plugins") else list(described)
    unknown = [name for name in wanted if name not in PLUGINS]
    if unknown:
        raise ConfigError(f"load_plugins names '{unknown[0]}': the stand-in has {', '.join(PLUGINS)} alone")
    return tuple(_plugin(described[name]) for name in dict.fromkeys(wanted) if name in described)


def _plugin(entry: Mapping[str, Any]) -> Plugin:
    name, given = str(entry.get("name")), entry.get("init_config")
    if isinstance(given, str) and given.strip():
        try:
            given = json.loads(given)
        except ValueError as error:
            raise ConfigError(f"plugins: init_config of {name} is no JSON: {error}") from error
    if given and not isinstance(given, dict):
        raise ConfigError(f"plugins: init_config of {name}: a mapping is wanted")
    return Plugin(name, given or {}, str(entry.get("open_params") or ""))


def _file_output(keys: _Keys) -> str | None:
    return keys.text("filename") if keys.flag("enabled", False) else None


def _http_output(keys: _Keys) -> HttpOutput | None:
    if not keys.flag("enabled", False):
        return None
    mutual = keys.flag("mtls", False)
    return HttpOutput(
        url=keys.text("url"),
        user_agent=keys.text("user_agent", HttpOutput.user_agent),
        insecure=keys.flag("insecure", False),
        ca_cert=keys.text("ca_cert"),
        ca_bundle=keys.text("ca_bundle"),
        ca_path=keys.text("ca_path"),
        client_cert=keys.text("client_cert", "/etc/ssl/certs/client.crt") if mutual else "",
        client_key=keys.text("client_key", "/etc/ssl/certs/client.key") if mutual else "",
    )


def _webserver(keys: _Keys) -> Webserver | None:
    own = keys.below("webserver")
    if own.flag("ssl_enabled", False):
        raise ConfigError("webserver.ssl_enabled: the stand-in's web server speaks plain HTTP only")
    if not own.flag("enabled", True):
        return None
    metrics = own.flag("prometheus_metrics_enabled", False) and keys.below("metrics").flag("enabled", False)
    return Webserver(
        address=own.text("listen_address", "0.0.0.0"),  # noqa: S104 - Falco's default, in a pod
        port=own.number("listen_port", 8765),
        healthz=own.text("k8s_healthz_endpoint", "/healthz"),
        metrics=metrics,
    )
