"""falco.yaml: what the stand-in obeys, and what it refuses by the key's name."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from sandbox.standins.falco.config import Config, ConfigError, HttpOutput, Plugin, Webserver, read_config

from .setting import configured

IMAGE = Path(__file__).resolve().parents[4] / "sandbox" / "standins" / "image" / "etc" / "falco"


def read(folder: Path, text: str, *overrides: str) -> Config:
    (folder / "falco.yaml").write_text(text)
    return read_config(folder / "falco.yaml", overrides)


def test_what_is_absent_is_as_falco_has_it(tmp_path: Path) -> None:
    config = read(tmp_path, "rules_files: [/x]\n")
    assert config == Config(
        sha256=hashlib.sha256(b"rules_files: [/x]\n").hexdigest(),
        rules_files=("/x",),
        webserver=Webserver("0.0.0.0", 8765, "/healthz", metrics=False),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rule_matching: some", "rule_matching is 'some'; first or all is wanted"),
        ("priority: loud", "unknown priority 'loud'"),
        ("load_plugins: [k8smeta]", "load_plugins names 'k8smeta': the stand-in has container, json, k8saudit alone"),
        ("webserver: {ssl_enabled: true}", "webserver.ssl_enabled: "),
        ("webserver: {listen_port: many}", "webserver.listen_port: a number is wanted"),
        ("json_output: perhaps", "json_output: true or false is wanted"),
        ("rules_files: {a: b}", "rules_files: a list is wanted, of texts"),
        ("append_output: [suggested]", "append_output: a list is wanted, of mappings"),
        ("metrics: [1]", "metrics: a mapping is wanted"),
        ("plugins: [{name: k8saudit, init_config: '{'}]", "init_config of k8saudit is no JSON"),
        ("plugins: [{name: k8saudit, init_config: [1]}]", "init_config of k8saudit: a mapping is wanted"),
        ("[1]", "falco.yaml: a mapping is wanted"),
        ("a: [", "falco.yaml: "),
    ],
)
def test_what_it_cannot_follow_is_refused_by_name(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert told in str(caught.value)


def test_a_configuration_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_config(tmp_path / "falco.yaml")


def test_overrides_of_the_command_line(tmp_path: Path) -> None:
    config = configured(tmp_path, "", "json_output=false", "webserver.listen_port=1234", 'priority="error"')
    assert not config.json_output
    assert config.webserver is not None
    assert config.webserver.port == 1234
    assert config.priority == "error"
    with pytest.raises(ConfigError, match="-o what: KEY=VALUE is wanted"):
        configured(tmp_path, "", "what")


def test_booleans_are_those_of_falcos_yaml_reader(tmp_path: Path) -> None:
    assert read(tmp_path, "json_output: yes\nwatch_config_files: Off\n").json_output
    assert not read(tmp_path, "json_output: yes\nwatch_config_files: Off\n").watch_config_files


def test_plugins_are_those_that_are_loaded_and_described(tmp_path: Path) -> None:
    described = (
        "plugins: [{name: json, init_config: ''}, "
        "{name: k8saudit, init_config: {maxEventSize: 10}, open_params: 'http://:9765/k8s-audit'}]\n"
    )
    audit = Plugin("k8saudit", {"maxEventSize": 10}, "http://:9765/k8s-audit")
    assert read(tmp_path, described + "load_plugins: [k8saudit, container]\n").plugins == (audit,)
    assert read(tmp_path, described).plugin_names == ("json", "k8saudit")
    assert read(tmp_path, described + "load_plugins: []\n").plugins == ()
    text = described.replace("{maxEventSize: 10}", "'" + json.dumps({"maxEventSize": 10}) + "'")
    assert audit in read(tmp_path, text).plugins


def test_config_files_add_to_lists_and_replace_the_rest(tmp_path: Path) -> None:
    (tmp_path / "config.d").mkdir()
    (tmp_path / "config.d" / "a.yaml").write_text("priority: error\nload_plugins: [json]\nplugins: [{name: json}]\n")
    config = read(
        tmp_path,
        f"config_files: [{tmp_path}/config.d, {tmp_path}/absent.yaml]\npriority: debug\nload_plugins: [container]\n"
        "plugins: [{name: container}]\n",
    )
    assert config.priority == "error"
    assert config.plugin_names == ("container", "json")


def test_the_images_own_configuration(tmp_path: Path) -> None:
    text = (IMAGE / "falco.yaml").read_text().replace("/etc/falco", str(IMAGE))
    config = read(tmp_path, text)
    assert config.plugin_names == ("container",)
    assert [path.name for path in config.files()] == ["falco_rules.yaml", "falco_rules.local.yaml"]


def test_http_output_and_its_trust(tmp_path: Path) -> None:
    assert configured(tmp_path, "http_output: {enabled: false, url: 'http://x'}\n").http_output is None
    plain = configured(tmp_path, "http_output: {enabled: true, url: 'http://x', client_cert: /c}\n").http_output
    assert plain == HttpOutput("http://x")
    mutual = configured(
        tmp_path, "http_output: {enabled: true, url: 'https://x', mtls: true, client_cert: /c, ca_cert: /ca}\n"
    ).http_output
    assert mutual == HttpOutput("https://x", ca_cert="/ca", client_cert="/c", client_key="/etc/ssl/certs/client.key")


def test_folders_of_configmaps_are_read_once(tmp_path: Path) -> None:
    config = configured(tmp_path)
    data = tmp_path / "rules.d" / "..2026"
    data.mkdir()
    (data / "b.yaml").write_text("[]")
    (tmp_path / "rules.d" / "..data").symlink_to("..2026")
    (tmp_path / "rules.d" / "b.yaml").symlink_to("..data/b.yaml")
    (tmp_path / "rules.d" / "a.yaml").write_text("[]")
    assert [path.name for path in config.files()] == ["falco_rules.yaml", "a.yaml", "b.yaml"]
