"""A misspelt variable is told from a user's own that begins as a role's does."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.variables.misspelt import (
    LETTERS_PER_SLIP,
    differing,
    is_misspelling,
    misspelling_of,
    slips,
)
from hypothesis import example, given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[3]
FILES = [ROOT / "playbooks" / "vars" / "inventory_variables.yml", *ROOT.glob("roles/*/meta/argument_specs.yml")]
DECLARED = sorted({name for f in FILES for name in yaml.safe_load(f.read_text())["argument_specs"]["main"]["options"]})
WORDS = st.text("abc_", max_size=5)

# fmt: off
OWN = [
    "cluster_domain", "cluster_name", "cluster_user", "falco_ca", "falco_chart", "falco_cluster_name",
    "falco_db_password", "falco_driver_kind", "falco_enabled", "falco_helm_values", "falco_host",
    "falco_log_path", "falco_name", "falco_namespace_name", "falco_password", "falco_port", "falco_redis_pid",
    "falco_retention_days", "falco_rules_branch", "falco_rules_dir", "falco_rules_repo", "falco_rules_version",
    "falco_sidekick_version", "falco_slack_token", "falco_slack_webhook", "falco_token", "falco_ui_ca",
    "falco_ui_domain", "falco_ui_host", "falco_ui_url", "falco_url", "falco_values", "falco_vault_password",
    "falco_verison", "falco_version", "falconet_env", "network_policies_dir", "network_policies_labels",
    "node_prep_packages", "node_prep_reboot_allowed", "verify_certs", "verify_file", "verify_image", "verify_ssl",
    "verify_timeout", "verify_tls",
]
# fmt: on
MISSPELT = {
    "flaco_chart_version": "falco_chart_version",
    "falco_chart_vresion": "falco_chart_version",
    "falco_chartversion": "falco_chart_version",
    "falco_custom_field": "falco_custom_fields",
    "falco_enabled_ui": "falco_ui_enabled",
    "falco_name_space": "falco_namespace",
    "falco_namespcae": "falco_namespace",
    "falco_redis_pasword": "falco_redis_password",
    "falco_rule_file": "falco_rule_files",
    "falco_rules_disable": "falco_rules_disabled",
    "falco_sidekick_replica": "falco_sidekick_replicas",
    "falco_tolleration": "falco_tolerations",
    "falco_ui_enabeld": "falco_ui_enabled",
    "falco_ui_tlt": "falco_ui_ttl",
    "network_policies_flows_required": "network_policies_required_flows",
    "network_policy_mode": "network_policies_mode",
    "network_polices_files": "network_policies_files",
    "node_prep_sysctl_minimum": "node_prep_sysctl_minimums",
    "verfy_triggers": "verify_triggers",
}


@pytest.mark.parametrize("name", OWN)
def test_a_name_of_its_own_is_none(name: str) -> None:
    assert misspelling_of(name, DECLARED) is None


@pytest.mark.parametrize(("name", "meant"), MISSPELT.items())
def test_a_misspelt_name_is_told_with_what_was_meant(name: str, meant: str) -> None:
    assert misspelling_of(name, DECLARED) == meant


def slipped(name: str) -> set[str]:
    """Each way in which a finger slips once in a word that is long enough to be known again."""
    found = set()
    start = 0
    for word in name.split("_"):
        for at in range(start, start + len(word)):
            if at + 1 < start + len(word):
                found.add(name[:at] + name[at + 1] + name[at] + name[at + 2 :])
            if len(word) >= LETTERS_PER_SLIP:
                found |= {
                    name[:at] + name[at + 1 :],
                    name[:at] + name[at] + name[at:],
                    name[:at] + "x" + name[at + 1 :],
                }
        start += len(word) + 1
    return found - {name}


@pytest.mark.parametrize("name", DECLARED)
def test_every_single_slip_is_caught(name: str) -> None:
    assert {wrong for wrong in slipped(name) if not is_misspelling(wrong, name)} == set()


def test_declared_names_are_not_taken_for_one_another() -> None:
    alike = [(one, other) for one in DECLARED for other in DECLARED if one < other and is_misspelling(one, other)]
    assert alike == [("falco_rule_files", "falco_rules_files"), ("k8s_audit_resources", "k8s_audit_sources")]


@pytest.mark.parametrize(
    ("one", "other", "left"),
    [
        ("a_b", "a", ("b", "")),
        ("a", "a_b", ("", "b")),
        ("a_b", "b", ("a", "")),
        ("b", "a_b", ("", "a")),
        ("a_b_c", "a_x_c", ("b", "x")),
    ],
)
def test_words_that_both_names_begin_and_end_with_are_left_out(one: str, other: str, left: tuple[str, str]) -> None:
    assert differing(one, other) == left


@pytest.mark.parametrize(
    ("name", "meant", "misspelt"),
    [
        ("verify_admxnistratxr", "verify_administrator", True),
        ("verify_admxnxstratxr", "verify_administrator", False),  # three slips are too many in a word of any length
        ("key_bxdfgzij", "key_bcdfghij", True),
        ("falco_ids", "falco_id", True),
        ("falco_silent", "falco_listen", False),  # the same letters, and not two of them swapped
    ],
)
def test_two_slips_in_a_long_word_and_a_plural_are_all(name: str, meant: str, misspelt: bool) -> None:
    assert is_misspelling(name, meant) is misspelt


def reference(one: str, other: str) -> int:
    """The distance as its definition says it."""
    if not one or not other:
        return len(one) + len(other)
    ways = [reference(one[:-1], other) + 1, reference(one, other[:-1]) + 1]
    ways.append(reference(one[:-1], other[:-1]) + (one[-1] != other[-1]))
    if one[-2:] == other[-2:][::-1] and len(one) > 1 and len(other) > 1:
        ways.append(reference(one[:-2], other[:-2]) + 1)
    return min(ways)


@given(WORDS, WORDS)
@example("aaa", "a")
@example("ab", "ab")
def test_slips_are_counted_as_defined(one: str, other: str) -> None:
    assert slips(one, other) == reference(one, other) == slips(other, one)


@given(st.text("ab_", max_size=12), st.text("ab_", max_size=12))
def test_what_differs_keeps_the_distance_in_words(one: str, other: str) -> None:
    mine, theirs = differing(one, other)
    assert mine in one
    assert theirs in other
    assert (mine == theirs == "") == (one == other) or not (mine and theirs)


@given(WORDS)
def test_a_name_is_no_misspelling_of_itself(name: str) -> None:
    assert not is_misspelling(name, name)
