"""Alerts: the shape that Falco 0.44 was observed to give."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import Event

from sandbox.standins.falco.alerts import alert_line, internal_line
from sandbox.standins.falco.config import Config
from sandbox.standins.falco.rules import load

from .setting import configured

SEEN: dict[str, Any] = {
    "evt.type": "execve",
    "proc.name": "sh",
    "proc.cmdline": "sh -c id",
    "proc.tty": 34816,
    "container.id": "fc071ef77e0b",
    "container.name": "main",
    "container.image.repository": "docker.io/library/alpine",
    "container.image.tag": "3.20",
    "k8s.pod.name": "v1",
    "k8s.ns.name": "prod",
}
TEXT = (
    "shell sh -c id tty=34816 parent=<NA> container_id=fc071ef77e0b container_name=main "
    "container_image_repository=docker.io/library/alpine container_image_tag=3.20 k8s_pod_name=v1 k8s_ns_name=prod"
)


def lines(config: Config, **fields: str) -> list[str]:
    seen = {**SEEN, **{name.replace("_", "."): value for name, value in fields.items()}}
    event = Event("syscall", seen, time_ns=1795251527573375270)
    engine = load(config).engine
    return [alert_line(rule.alert(event), config, "worker01") for rule in engine.matches(event)]


def test_json(tmp_path: Path) -> None:
    (line,) = lines(configured(tmp_path))
    alert = json.loads(line)
    assert list(alert) == ["hostname", "output", "output_fields", "priority", "rule", "source", "tags", "time"]
    assert alert["output"] == f"08:58:47.573375270: Notice {TEXT}"
    assert (alert["hostname"], alert["priority"], alert["source"]) == ("worker01", "Notice", "syscall")
    assert alert["time"] == "2026-11-21T08:58:47.573375270Z"
    assert alert["tags"] == ["a", "b"]
    fields = alert["output_fields"]
    assert fields["evt.time"] == 1795251527573375270
    assert fields["proc.aname[2]"] is None
    assert fields["proc.tty"] == 34816


def test_text_and_times_in_iso_8601(tmp_path: Path) -> None:
    assert lines(configured(tmp_path, "", "json_output=false")) == [f"08:58:47.573375270: Notice {TEXT}"]
    config = configured(tmp_path, "time_format_iso_8601: true\n", "json_output=false")
    assert lines(config) == [f"2026-11-21T08:58:47.573375270+0000: Notice {TEXT}"]


def test_members_that_are_left_out(tmp_path: Path) -> None:
    config = configured(
        tmp_path,
        "json_include_output_property: false\njson_include_output_fields_property: false\n"
        "json_include_tags_property: false\n",
    )
    (line,) = lines(config)
    assert list(json.loads(line)) == ["hostname", "priority", "rule", "source", "time"]


def test_what_is_appended_depends_on_the_rule(tmp_path: Path) -> None:
    config = configured(
        tmp_path,
        "append_output: [{match: {rule: Shell}, extra_output: 'who=%user.name', "
        "extra_fields: [fd.name, {n: '%proc.name'}]}, "
        "{match: {tags: [nosuch]}, extra_output: never}]\n",
    )
    (line,) = lines(config)
    alert = json.loads(line)
    assert alert["output"].endswith("parent=<NA> who=<NA>")
    assert alert["output_fields"]["n"] == "sh"
    assert alert["output_fields"]["fd.name"] is None


def test_rule_matching(tmp_path: Path) -> None:
    own = "- rule: Own\n  desc: d\n  condition: evt.type = execve\n  output: own\n  priority: ERROR\n"
    for mode, count in (("first", 1), ("all", 2)):
        config = configured(tmp_path, f"rule_matching: {mode}\n")
        (tmp_path / "rules.d" / "own.yaml").write_text(own)
        assert len(lines(config)) == count


def test_bytes_that_are_no_utf_8_are_replaced(tmp_path: Path) -> None:
    (line,) = lines(configured(tmp_path), proc_cmdline="sh \udcff")
    assert "sh \ufffd" in json.loads(line)["output"]


def test_what_falco_tells_of_itself(tmp_path: Path) -> None:
    config = configured(tmp_path)
    alert = json.loads(internal_line("Falco internal: x", "Critical", "words", {}, config, "n"))
    assert (alert["source"], alert["output"], alert["output_fields"]) == ("internal", "words", {})
    assert internal_line("r", "Critical", "words", {}, configured(tmp_path, "", "json_output=false"), "n") == "words"
