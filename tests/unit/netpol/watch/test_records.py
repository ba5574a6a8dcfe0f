"""Alerts on connections become flow records, and these the policies that allow them."""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.netpol.flows.observed import read_records
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.suggest.suggest import suggest
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.watch.records import records

from ..clusters import build
from ..lint.test_lint import pod


def alert(fields: dict[str, Any], call: str = "connect", pod_name: str = "web") -> dict[str, Any]:
    given = {"evt.type": call, "k8s.ns.name": "prod", "k8s.pod.name": pod_name, "fd.l4proto": "tcp", **fields}
    return {"rule": "any", "output_fields": given}


def test_both_ends_tell_of_the_same_flow() -> None:
    seen = [
        alert({"fd.name": "10.244.0.2:40000->10.244.0.3:5432"}),
        alert({"fd.cip": "10.244.0.2", "fd.sip": "10.244.0.3", "fd.sport": 5432}, "accept4", "db"),
    ]
    assert records(seen)["flows"] == [
        {"from": "10.244.0.2", "to": "prod/db", "protocol": "TCP", "ports": "5432"},
        {"from": "prod/web", "to": "10.244.0.3", "protocol": "TCP", "ports": "5432"},
    ]


def test_fields_go_before_the_name_that_has_them_together() -> None:
    name = "10.244.0.2:40000->10.244.0.3:5432"
    (flow,) = records([alert({"fd.name": name, "fd.cip": "10.9.9.9", "fd.sport": 6432}, "accept", "db")])["flows"]
    assert flow == {"from": "10.9.9.9", "to": "prod/db", "protocol": "TCP", "ports": "6432"}
    (flow,) = records([alert({"fd.name": name, "fd.sip": "10.9.9.9"})])["flows"]
    assert flow == {"from": "prod/web", "to": "10.9.9.9", "protocol": "TCP", "ports": "5432"}
    (flow,) = records([alert({"fd.name": name}, "accept", "db")])["flows"]
    assert flow == {"from": "10.244.0.2", "to": "prod/db", "protocol": "TCP", "ports": "5432"}


def test_alerts_are_taken_as_the_module_has_them_that_reads_them() -> None:
    raised = alert({"fd.name": "10.244.0.2:40000->10.244.0.3:5432"})
    read = {"rule": "any", "fields": raised["output_fields"], "text": "any", "destination": "falco"}
    assert records([read]) == records([raised])


def test_an_ipv6_address_is_read_up_to_its_port() -> None:
    (flow,) = records([alert({"fd.name": "fd00::2:40000->fd00::3:53", "fd.l4proto": "udp"})])["flows"]
    assert flow == {"from": "prod/web", "to": "fd00::3", "protocol": "UDP", "ports": "53"}


def test_what_is_no_connection_of_a_pod_is_counted_by_why() -> None:
    seen = [
        {"rule": "x"},
        alert({"k8s.pod.name": None, "fd.name": "1.2.3.4:1->5.6.7.8:9"}),
        alert({"k8s.ns.name": None, "fd.name": "1.2.3.4:1->5.6.7.8:9"}),
        alert({"fd.name": "/etc/passwd"}),
        alert({"fd.name": "1.2.3.4:1->5.6.7.8:0"}),
        alert({"fd.cip": "1.2.3.4", "fd.sip": "5.6.7.8"}),
        alert({"fd.cip": "1.2.3.4", "fd.sip": "<NA>", "fd.sport": 9}),
        alert({"fd.cip": "1.2.3.4", "fd.sip": "<NA>", "fd.sport": 9}, "accept"),
        alert({"fd.sip": "5.6.7.8", "fd.sport": 9}, "accept"),
        alert({"fd.name": "127.0.0.1:1->127.0.0.1:9"}),
        alert({"fd.name": "::1:1->::1:9"}),
        alert({"fd.name": "1.2.3.4:1->5.6.7.8:9", "fd.l4proto": "icmp"}),
    ]
    assert records(seen) == {
        "flows": [],
        "skipped": {
            "no alert with output_fields": 1,
            "not of a pod": 2,
            "no connection of TCP, UDP or SCTP": 6,
            "the other end has no address": 1,
            "within the pod": 2,
        },
    }


def test_a_policy_is_suggested_from_alerts_and_proven() -> None:
    model = build([pod("web", ip="10.244.0.2"), pod("db", ip="10.244.0.3"), pod("cron", ip="10.244.0.4")])
    flows = records([alert({"fd.name": "10.244.0.2:40000->10.244.0.3:5432"})])["flows"]
    result = suggest(model, read_records(model, flows), dns=False)
    assert result.proven
    assert result.missing == []
