"""Plugins that Falco's image does not load: known as soon as rules name them, and not before."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco.catalogue.catalogue import (
    FURTHER,
    catalogue,
    catalogue_for,
    plugins_named,
)
from ansible_collections.falconet.k8s.plugins.module_utils.falco.errors import FalcoError
from ansible_collections.falconet.k8s.plugins.module_utils.falco.judge.findings import findings_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import RulesFile, load

RULE = "- rule: R\n  desc: d\n  condition: {}\n  output: o\n  priority: NOTICE\n  source: {}\n"
CASES = [
    (
        "cloudtrail",
        'ct.name = "ConsoleLogin" and ct.request.host exists and ec2.imageids intersects (x)',
        "aws_cloudtrail",
    ),
    ("github", "github.type = push", "github"),
    (
        "okta",
        "okta.mfa.failure.countlast[60] > 3 and okta.actor.Type = User and okta.targets.displayName[0] = x",
        "okta",
    ),
    ("gcpaudit", "gcp.methodName endswith .delete and gcp.callerIP = 10.0.0.1", "gcp_auditlog"),
    ("krsi", "krsi.name = openat and krsi.fd > 2", "syscall"),
]


@pytest.mark.parametrize(("plugin", "condition", "source"), CASES)
def test_rules_that_name_a_plugin_are_judged_with_its_fields(plugin: str, condition: str, source: str) -> None:
    text = RULE.format(condition, source)
    assert plugins_named([text]) == (plugin,)
    assert "R" not in load([RulesFile("f", text)]).compiler.rules
    loaded = load([RulesFile("f", text)], catalogue_for("0.44", None, [text]))
    assert [one.message for one in findings_of(loaded) if one.code != "LOAD_NO_EVTTYPE"] == []
    assert "R" in loaded.compiler.rules


@pytest.mark.parametrize("plugin", ["k8saudit-eks", "k8saudit-gke", "k8saudit-aks", "k8saudit-ovh"])
def test_a_requirement_brings_a_plugin_in(plugin: str) -> None:
    text = f"- required_plugin_versions:\n    - name: {plugin}\n      version: 0.1.0\n"
    text += RULE.format("ka.verb = get", "k8s_audit")
    assert not load([RulesFile("f", text)]).successful
    assert load([RulesFile("f", text)], catalogue_for("0.44", None, [text])).successful


def test_a_misspelt_field_of_a_plugin_has_its_nearest() -> None:
    text = RULE.format("ct.nmae = x", "aws_cloudtrail")
    (finding,) = findings_of(load([RulesFile("f", text)], catalogue_for("0.44", None, [text])))
    assert "did you mean 'ct.name'" in finding.hint


def test_other_rules_have_falcos_own_plugins_alone() -> None:
    assert catalogue_for("0.44", None, [RULE.format("evt.type = open", "syscall")]).plugins.keys() == (
        catalogue("0.44").plugins.keys()
    )
    assert not set(FURTHER) & set(catalogue("0.44").plugins)


def test_plugins_that_are_given_count() -> None:
    assert list(catalogue("0.44", ("container", "okta")).plugins) == ["container", "okta"]
    text = RULE.format("ct.name = x", "aws_cloudtrail")
    assert list(catalogue_for("0.44", ("container",), [text]).plugins) == ["container"]
    with pytest.raises(FalcoError, match=r"has container, .*cloudtrail"):
        catalogue("0.44", ("cloudtrial",))
