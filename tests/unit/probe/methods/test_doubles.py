"""Doubles of pods: what they carry over, what they leave, and how probes are rewritten to run between them."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.probe.methods.doubles import (
    Doubles,
    declared_ports,
    listeners,
)
from ansible_collections.falconet.k8s.plugins.module_utils.probe.model import Pod, Probe

WEB = Pod(
    "a",
    "web-0",
    "u1",
    "n1",
    ("192.0.2.1", "2001:db8::1"),
    "c",
    labels={"app": "web", "job-name": "x", "pod-template-hash": "h"},
    named_ports={("http", "TCP"): 80},
    ports=((80, "TCP"), (53, "UDP")),
)
DB = Pod("b", "db", "u2", "n2", ("192.0.2.2", "2001:db8::2"), "c", labels={"app": "db"})


class Workspace:
    """Notes the Jobs that are made and pretends that their pods run."""

    def __init__(self) -> None:
        self.jobs: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {}

    def container(self, command: list[str]) -> dict[str, Any]:
        return {"command": command}

    def job(self, role: str, spec: dict[str, Any], labels: dict[str, str], namespace: str) -> None:
        self.jobs[role] = (spec, labels, namespace)

    def pods(self, roles: list[str]) -> dict[str, Pod]:
        assert sorted(roles) == sorted(self.jobs)
        return {
            role: replace(WEB, name=role, addresses=(f"198.51.100.{n}", f"2001:db8::1:{n}"))
            for n, role in enumerate(roles, 1)
        }


def test_probes_run_between_doubles_in_the_same_order() -> None:
    workspace = Workspace()
    probes = [
        Probe(WEB, "TCP", "192.0.2.2", 5432, "b/db", DB, ((DB, "TCP", 5432),), True),
        Probe(DB, "UDP", "2001:db8::1", 53, "a/web-0", WEB, (), False),
        Probe(WEB, "TCP", "203.0.113.9", 443, "outside", None, ((DB, "TCP", 1),), False),
    ]
    first, second, outside = Doubles(workspace).stand_in(probes)  # type: ignore[arg-type]  # a stand-in for the test
    assert (first.source.name, first.host, first.expected) == ("double-0", "198.51.100.2", True)
    assert first.controls == ((first.target_pod, "TCP", 5432),)
    assert (second.source.name, second.host) == ("double-1", "2001:db8::1:1")
    assert (outside.source.name, outside.host, outside.controls) == ("double-0", "203.0.113.9", ())
    spec, labels, namespace = workspace.jobs["double-0"]
    assert (namespace, spec["nodeName"], labels) == ("a", "n1", {"app": "web", "pod-template-hash": "h"})
    assert spec["readinessGates"] == [{"conditionType": "falconet.k8s/never"}]
    assert "--udp --http=false --port=53" in spec["containers"][0]["command"][2]
    assert len(workspace.jobs) == 2


def test_named_ports_keep_their_names() -> None:
    assert declared_ports(WEB) == [
        {"containerPort": 80, "protocol": "TCP", "name": "http"},
        {"containerPort": 53, "protocol": "UDP"},
    ]


def test_the_listeners_are_a_valid_shell_command() -> None:
    command = listeners([("TCP", 80), ("UDP", 53), ("SCTP", 9)])
    assert subprocess.run(["sh", "-n", "-c", command]).returncode == 0
    assert "SCTP" not in command
    assert listeners([]) == "while :; do sleep 3600; done"
