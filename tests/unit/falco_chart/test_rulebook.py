"""The channel to a rulebook: one variable becomes an output, a Secret, mounts; what is wrong with it is told."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.outputs import build_outputs
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.rulebook import CERTIFICATES, with_rulebook
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.settings import DEFAULTS
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import (
    build_sidekick_releases,
    build_values,
)

ADDRESS = "https://rulebook.falco.svc:5000/alerts"
MUTUAL = {"address": ADDRESS, "mutual_tls": True, "tls_secret": "certs"}


def secret(rulebook: dict[str, Any], **variables: Any) -> dict[str, str]:
    found = with_rulebook({**DEFAULTS, **variables, "rulebook": rulebook})
    return dict(build_outputs(found["outputs"]).secret)


def test_a_token_goes_as_a_header_of_webhook() -> None:
    found = secret({"address": ADDRESS, "token": "aB-_.~+/9==", "minimum_priority": "Warning"})
    assert found == {
        "WEBHOOK_ADDRESS": ADDRESS,
        "WEBHOOK_CUSTOMHEADERS": "Authorization:Bearer aB-_.~+/9==",
        "WEBHOOK_MINIMUMPRIORITY": "warning",
    }


def test_where_webhook_has_a_destination_nodered_carries_it() -> None:
    found = secret({"address": ADDRESS, "token": "t"}, outputs={"webhook": {"address": "https://a.example"}})
    assert found["WEBHOOK_ADDRESS"] == "https://a.example"
    assert (found["NODERED_ADDRESS"], found["NODERED_CUSTOMHEADERS"]) == (ADDRESS, "Authorization:Bearer t")


def test_certificates_are_mounted_in_the_first_sidekick_alone() -> None:
    variables = {
        "rulebook": MUTUAL,
        "sidekick_more": [{"name": "more", "outputs": {"slack": {"webhookurl": "https://x"}}}],
    }
    sidekick = build_values(variables)["falcosidekick"]
    assert sidekick["extraVolumes"] == [{"name": "rulebook-certs", "secret": {"secretName": "certs"}}]
    assert sidekick["config"]["tlsclient"] == {"cacertfile": f"{CERTIFICATES}/ca.crt"}
    assert sidekick["config"]["mutualtlsclient"]["keyfile"] == f"{CERTIFICATES}/client.key"
    (further,) = build_sidekick_releases(variables)
    assert "extraVolumes" not in further["values"]
    assert secret(MUTUAL)["WEBHOOK_MUTUALTLS"] == "true"


def test_without_the_variable_nothing_is_different() -> None:
    assert secret({}) == {}
    assert "extraVolumes" not in build_values({})["falcosidekick"]


@pytest.mark.parametrize(
    ("rulebook", "variables", "said"),
    [
        ("https://x", {}, "falco_rulebook: must be a mapping with address and token, not a string."),
        ({"adress": ADDRESS}, {}, "falco_rulebook.adress: is unknown. Did you mean address?"),
        ({"address": ADDRESS, "token": 7}, {}, "falco_rulebook.token: must be of type str"),
        ({"address": "http://x", "token": "t"}, {}, "falco_rulebook.address: must be an https:// URL"),
        ({"token": "t"}, {}, "falco_rulebook.address: must be an https:// URL"),
        ({"address": ADDRESS}, {}, "falco_rulebook: needs a token, mutual_tls, or both."),
        ({"address": ADDRESS, "token": "a:b,SECRET"}, {}, "falco_rulebook.token: must be letters"),
        ({"address": ADDRESS, "mutual_tls": True}, {}, "falco_rulebook.tls_secret: is missing"),
        ({"address": ADDRESS, "token": "t", "minimum_priority": "waring"}, {}, "Did you mean warning?"),
        ({"address": ADDRESS, "token": "t"}, {"sidekick_enabled": False}, "falco_rulebook: needs Falcosidekick."),
        ({"address": ADDRESS, "token": "t"}, {"outputs_existing_secret": "s"}, "WEBHOOK_CUSTOMHEADERS"),
        (MUTUAL, {"outputs": {"webhook": {}}}, "needs the output webhook, which has a destination of its own."),
        (
            {"address": ADDRESS, "token": "t"},
            {"outputs": {"webhook": {}, "nodered": {}}},
            "needs one of the outputs webhook and nodered",
        ),
        (MUTUAL, {"sidekick_tls": "mutual", "sidekick_more": [{}]}, "falco_rulebook.tls_secret: cannot stand beside"),
    ],
)
def test_what_is_wrong_is_told_without_the_token(rulebook: Any, variables: dict[str, Any], said: str) -> None:
    with pytest.raises(FalcoChartError) as caught:
        secret(rulebook, **variables)
    assert said in str(caught.value)
    assert "SECRET" not in str(caught.value)
