"""What is left out until the role and the chart take the rest, and what is other than before."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.chart import Chart
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.importing import import_values

from tests.unit.falco_chart.importing.notes import told


def test_a_variable_that_the_role_refuses_is_left_out_with_its_reason() -> None:
    result = import_values({"driver": {"kind": "nonsense"}, "tolerations": 3})
    assert not {"falco_driver", "falco_tolerations"} & set(result.variables)
    notes = told(result)
    assert notes["falco_driver"].endswith("not 'nonsense'. It was left out.")
    assert notes["falco_tolerations"] == "must be a list. It was left out."
    assert notes["driver.kind"] == "is 'modern_ebpf' now."


@pytest.mark.parametrize("key", ["example.org/settings", "example.org", 5])
def test_a_secret_below_a_key_that_no_path_can_name_goes_with_what_holds_it(key: object) -> None:
    result = import_values({"falco": {key: {"token": "planted"}}, "healthChecks": {"a": 1}})
    assert result.variables["falco_extra_values"] == {"healthChecks": {"a": 1}}
    assert result.left_out == {f"falco.{key}.token": {key: {"token": "planted"}}}


def test_so_it_does_at_the_top() -> None:
    result = import_values({"a": {"b": 1}, "a.b": {"token": "planted"}})
    assert result.variables["falco_extra_values"] == {"a": {"b": 1}}
    assert result.left_out == {"a.b.token": {"token": "planted"}}


def test_a_template_that_looks_like_the_vault_s_stays_as_it_is() -> None:
    annotations = {"note": "{{ vault_falco_mine }}"}
    result = import_values({"podAnnotations": annotations})
    assert result.variables["falco_pod_annotations"] == annotations
    assert dict(result.secrets) == {}


def test_however_much_is_refused_the_rest_is_taken() -> None:
    result = import_values({"many": {f"token{number}_token": "planted" for number in range(40)}, "one": {"a": 1}})
    assert result.variables["falco_extra_values"] == {"one": {"a": 1}}
    assert len(result.left_out) == 40


def test_defaults_of_a_chart_within_the_chart_are_left_out_and_the_outer_one_s_come_first() -> None:
    template = ("{{ .Values.listenport }}{{ .Values.extra }}",)
    part = Chart("falcosidekick", "1", "2", {"listenport": 2801, "extra": {"a": 1}, "replicaCount": 2}, template)
    chart = Chart("falco", "9.1.0", "0.44.1", {"falcosidekick": {"extra": {"a": 2}}}, (), {"falcosidekick": part})
    for given, kept in (({"a": 2}, {}), ({"a": 1}, {"extra": {"a": 1}})):
        values = {"falcosidekick": {"enabled": True, "listenport": 2801, "replicaCount": 2, "extra": given}}
        variables = import_values(values, chart).variables
        assert "falco_sidekick_replicas" not in variables
        assert variables.get("falco_extra_values", {}).get("falcosidekick", {}) == kept


def test_what_is_empty_and_gone_needs_no_word() -> None:
    webui = {"enabled": True, "ingress": {"enabled": False, "hosts": [], "tls": ["certificate"]}}
    notes = told(import_values({"falcosidekick": {"enabled": True, "webui": webui}}))
    assert "falcosidekick.webui.ingress.hosts" not in notes
    assert notes["falcosidekick.webui.ingress.tls"] == "is not set any more; the chart's default holds."


@pytest.mark.parametrize("refs", [None, "", {}])
def test_a_list_that_was_none_before_is_told(refs: object) -> None:
    result = import_values({"falcoctl": {"config": {"artifact": {"install": {"refs": refs}}}}})
    assert told(result)["falcoctl.config.artifact.install.refs"] == "is other than before."


@pytest.mark.parametrize("falcoctl", [{"artifact": {"follow": None}}, {"artifact": None}, None])
def test_what_is_null_in_the_values_follows_nothing(falcoctl: object) -> None:
    result = import_values({"falcoctl": falcoctl, "a": 1})
    assert result.variables["falco_extra_values"]["a"] == 1


def test_a_driver_that_is_no_name_is_left_out() -> None:
    result = import_values({"driver": {"kind": {"a": {"b": ["c"]}}, "modernEbpf": {"bufSizePreset": 3}}})
    assert result.variables["falco_driver_buffer_preset"] == 3
    assert "falco_driver" not in result.variables
    assert told(result)["driver.kind"].startswith("must be the name of a driver, not a mapping; left out.")


def test_passwords_of_digits_go_to_the_vault() -> None:
    result = import_values({"x": {"password": 12345}, "podAnnotations": {"password": 67}})
    assert result.left_out == {"x.password": 12345}
    assert list(result.secrets.values()) == [67]
    assert not {"12345", "67"} & set(str(dict(result.variables)).replace("'", " ").split())
