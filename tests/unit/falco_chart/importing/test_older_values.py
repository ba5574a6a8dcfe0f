"""Values of older charts under the names that newer ones have, or left out with what replaces them."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.importing import import_values

from tests.unit.falco_chart.importing.notes import told


def test_the_legacy_probe_becomes_the_modern_one_with_its_privileges() -> None:
    result = import_values({"driver": {"kind": "ebpf", "ebpf": {"leastPrivileged": True}}})
    assert result.variables["falco_driver"] == "modern_ebpf"
    assert result.variables["falco_driver_least_privileged"] is True
    assert told(result)["driver.kind"] == (
        "was the legacy eBPF probe, which is gone since Falco 0.44; it became modern_ebpf."
    )


def test_what_is_said_of_the_modern_probe_itself_holds() -> None:
    values = {"driver": {"kind": "ebpf", "ebpf": {"leastPrivileged": True}, "modernEbpf": {"leastPrivileged": False}}}
    assert import_values(values).variables["falco_driver_least_privileged"] is False


def test_where_no_engine_is_on_the_nodes_are_asked() -> None:
    result = import_values({"collectors": {"docker": {"enabled": False}, "containerd": {"enabled": False}}})
    assert "falco_container_engine" not in result.variables
    assert told(result)["collectors"] == "does not say which one engine the nodes have. The role asks the nodes (auto)."


def test_an_engine_by_both_of_its_old_names_is_one() -> None:
    values = {"containerd": {"enabled": True, "socket": "/a.sock"}, "collectors": {"cri": {"enabled": True}}}
    variables = import_values(values).variables
    assert variables["falco_container_engine"] == "containerd"
    assert variables["falco_container_engine_socket"] == "/a.sock"


def test_of_an_old_name_and_the_new_one_the_new_one_holds() -> None:
    result = import_values({"priorityClassName": "old", "podPriorityClassName": "new"})
    assert result.variables["falco_priority_class"] == "new"
    assert result.left_out == {"priorityClassName": "old"}
    assert told(result)["priorityClassName"] == (
        "is podPriorityClassName in newer charts. That is given, too, and was taken."
    )


def test_a_mapping_by_both_names_is_put_together() -> None:
    result = import_values({"falcotalon": {"enabled": True, "a": 1}, "falco-talon": {"enabled": False}})
    assert result.variables["falco_extra_values"] == {"falco-talon": {"enabled": False, "a": 1}}
    assert told(result)["falcotalon"] == "is falco-talon in newer charts."


def test_selectors_by_a_label_that_no_pod_has_are_left_out_and_told_once() -> None:
    two = [{"key": "app", "operator": "In", "values": ["falco"]}] * 2
    result = import_values({"affinity": {"podAntiAffinity": {"labelSelector": {"matchExpressions": two}}}})
    assert "falco_affinity" not in result.variables
    assert [note.message for note in result.notes if note.path.startswith("affinity")] == [
        "selects app in (falco). It was left out."
    ]


def test_such_a_selector_within_a_list_is_kept_and_told() -> None:
    term = {"podAffinityTerm": {"labelSelector": {"matchLabels": {"app": "falco"}}}}
    result = import_values({"affinity": {"podAntiAffinity": {"preferred": [term]}}})
    assert result.variables["falco_affinity"] == {"podAntiAffinity": {"preferred": [term]}}
    assert told(result)["affinity.podAntiAffinity.preferred[0].podAffinityTerm.labelSelector.matchLabels"] == (
        "selects app: falco, which no pod has. It was kept, since it is in a list. Use app.kubernetes.io/name: falco."
    )
