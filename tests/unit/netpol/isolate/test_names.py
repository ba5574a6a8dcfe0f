"""What a quarantine is called: later runs and later releases find what an earlier one made by these names."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.netpol.isolate.names import identity, policy_name


def test_an_identity_is_the_pods_name_and_a_part_of_a_digest() -> None:
    assert identity("prod", "web-1") == "web-1-7341fee8"
    assert policy_name(identity("prod", "web-1")) == "quarantine-web-1-7341fee8"
    assert identity("dev", "web-1") != identity("prod", "web-1")


def test_an_identity_is_a_labels_value_however_long_the_name() -> None:
    """A label's value has at most 63 characters and ends with a letter or digit."""
    assert len(identity("prod", "a" * 253)) == 63
    assert identity("prod", "a" * 53 + "." + "b" * 9).startswith("a" * 53 + "-")
