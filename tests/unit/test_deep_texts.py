"""Texts that are nested deeper than any parser may call itself are refused as others that are none, at each reader."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.cursor import read_positions
from ansible_collections.falconet.k8s.plugins.module_utils.alerts.reading import AlertsError, read_line
from ansible_collections.falconet.k8s.plugins.module_utils.evidence.changes import previous_report
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import parse_event
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.format import read_tests
from ansible_collections.falconet.k8s.plugins.module_utils.falco.tune.reading import Lines
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.documents import read_documents
from ansible_collections.falconet.k8s.plugins.module_utils.falco.yaml.nodes import MAX_DEPTH, YamlError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.importing.source import read_values
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.files.chart import read_manifests
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.yamltext import TextError, read
from ansible_collections.falconet.k8s.plugins.module_utils.node.state import RecordError, record_of
from ansible_collections.falconet.k8s.plugins.module_utils.probe.cluster.cni import configured

from .falco.testing.rulesets import LOADER

DEEP = 1500
LIST = "[" * DEEP + "]" * DEEP
OBJECT = '{"kind": "Event", "auditID": "a", "requestObject": ' + '{"a":' * DEEP + "1" + "}" * DEEP + "}"
NOT_A_DAY = "tag: 2026-02-31\n"


@pytest.mark.parametrize("text", [LIST, OBJECT], ids=["list", "object"])
def test_what_is_no_alert_report_or_configuration_is_passed_over(text: str) -> None:
    assert read_line('{"rule": ' + text + "}") is None
    assert previous_report(text, "c", 1) is None
    assert configured(text, "node") == []
    lines = Lines(())
    assert list(lines.read([text.encode()])) == []
    assert lines.skipped == 1


@pytest.mark.parametrize(
    ("reader", "error", "message"),
    [
        (parse_event, FalcoError, "event 1: nested too deeply"),
        (lambda text: read_positions(text, "falco"), AlertsError, "cursor is none"),
        (read_values, FalcoChartError, "nested too deeply"),
        (read_manifests, KubeError, "is no YAML"),
    ],
    ids=["event", "cursor", "values", "manifests"],
)
@pytest.mark.parametrize("text", [LIST, OBJECT], ids=["list", "object"])
def test_what_must_be_read_is_refused(
    reader: Callable[[str], object], error: type[Exception], message: str, text: str
) -> None:
    with pytest.raises(error, match=message):
        reader(text)


def test_a_manifest_in_json_is_refused_with_its_place() -> None:
    (found,) = read(OBJECT)
    assert isinstance(found, TextError)
    assert (found.line, "nest" in found.message) == (1, True)


def test_the_record_of_a_node_is_refused(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(LIST)
    with pytest.raises(RecordError, match="cannot be read"):
        record_of(str(tmp_path / "record.json"))


@pytest.mark.parametrize("text", ["- " * DEEP, "[" * DEEP, "{a: " * DEEP, "? " * DEEP])
def test_falcos_yaml_is_bound_by_its_own_bound_wherever_it_is_read(text: str) -> None:
    with pytest.raises(YamlError):
        read_documents(text)
    _tests, findings = read_tests("t.yaml", text, LOADER.tables)
    assert [one.code for one in findings] == ["FT001"]


def test_what_is_just_within_the_bound_is_read() -> None:
    depth = MAX_DEPTH - 2
    (found,) = read_documents("[" * depth + "]" * depth + " # \u00e9")
    assert found.kind
    assert len(parse_event(json.dumps({"fields": {"evt.type": "open"}}))) == 1


@pytest.mark.parametrize(("reader", "error"), [(read_values, FalcoChartError), (read_manifests, KubeError)])
def test_a_date_that_no_calendar_has_is_refused(reader: Callable[[str], object], error: type[Exception]) -> None:
    with pytest.raises(error):
        reader(NOT_A_DAY)
