"""Differences from other analysers that are meant, with the reason; whatever else differs is a defect of one of us."""

from __future__ import annotations

import re

_NETWORKS = "networks of admin policies match pods too, as the API says; there they match addresses outside alone"
_OTHERS = "user-defined and secondary networks are not analysed, and listed as such (not_analysed)"
#: Why a test differs whose input has such an object; whatever else differs there is not looked at.
REFUSED = "an object that the API server refuses is left out here"

#: What the name of a test begins with, and why it differs.
REASONS: tuple[tuple[str, str], ...] = (
    (r"anp_and_banp_using_networks_test", _NETWORKS),
    (r"anp_and_banp_using_networks_with_ipv6_test", _NETWORKS),
    (r"exposure_test_with_anp_13_", _NETWORKS),
    (r"minikube_resources_", "pods that have run to their end take no part here"),
    (r"(cudn|nad|udn)_", _OTHERS),
    (r"diff_between_udn_", _OTHERS),
    (r"case \d+: udn_", _OTHERS),
    (r"test-no-fw-rules-scheme: onlineboutique", "there a DNS server is assumed where the input has none"),
    (r"withEndPort-scheme", "there other protocols than TCP, UDP and SCTP are counted"),
)


def reason(name: str) -> tuple[str, str]:
    """The pattern that a test's name meets, and why it differs; both empty if there is none."""
    return next(((pattern, said) for pattern, said in REASONS if re.match(pattern, name)), ("", ""))
