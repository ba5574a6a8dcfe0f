"""Services of the cluster are found in addresses, whatever stands around them; other hosts are left alone."""

from __future__ import annotations

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.variables.services import services_in
from ansible_collections.falconet.k8s.plugins.module_utils.variables.subjects import Subject


@pytest.mark.parametrize(
    "address",
    [
        "http://alertmanager.monitoring.svc:9093",
        "https://user:secret@alertmanager.monitoring.svc.cluster.local/path?token=x",
        "alertmanager.monitoring.svc:9093",
        "alertmanager.monitoring.svc",
        "https://one.example.com, https://Alertmanager.Monitoring.svc./",
        "alertmanager-0.alertmanager.monitoring.svc:9093",
    ],
)
def test_a_service_is_found(address: str) -> None:
    found = services_in({"alertmanager": {"hostport": [address]}}, "falco_outputs")
    assert found == [Subject("Service", "alertmanager", "monitoring", "falco_outputs.alertmanager.hostport[0]")]
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.slack.com/services/T/B/x",
        "http://alertmanager:9093",
        "http://alertmanager.monitoring:9093",
        "https://api.prod.svc.example.com",
        "svc",
        "https://example.com/a.b.svc",
        7,
        None,
    ],
)
def test_what_may_be_anybodys_is_left_alone(address: object) -> None:
    assert services_in({"webhook": {"address": address}}, "falco_outputs") == []
