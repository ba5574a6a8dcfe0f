"""The stand-in for Falco sees the kernel: actions done by hand in a pod raise the rules that they should, no others.

The names are those of the event generator's actions and of the rules that the real Falco has for them. The stand-in
has a release of its own, with the rules of its image alone.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .cluster import ROOT, Cluster, wait_for

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(
        "INVENTORY" in os.environ and "SANDBOX_NAME" not in os.environ, reason="the sensor belongs to the sandbox"
    ),
]

NAME = "sensor-test"
NODE, OTHER_NODE = "worker01", "worker02"
CHART = ROOT / "sandbox" / "standins" / "charts" / "falco"
VALUES = {
    "driver.kind": "modern_ebpf",
    "driver.modernEbpf.leastPrivileged": "true",
    "falco.json_output": "true",
    "falco.rule_matching": "all",
    "metrics.enabled": "true",
}

#: What the actions find in the pod. A link makes busybox a program of another name, and yet one of the image.
PREPARED = """
echo root:x:1:: > /etc/shadow; mkdir -p /var/log; echo old > /var/log/old.log; mkdir /tmp/links
for name in arping shred debugfs; do ln -s /bin/busybox /tmp/links/$name; done
ln -s /agnhost /tmp/links/ssh
cp /bin/busybox /tmp/true
printf '#!/bin/sh\\n/bin/sh -c true\\ntrue\\n' > /tmp/nginx; chmod +x /tmp/nginx
"""
DNS = "10.96.0.10"

ACTIONS = [
    ("Directory traversal monitored file read", "cat /etc/../etc/../etc/passwd"),
    ("Read sensitive file untrusted", "cat /etc/shadow"),
    ("Read sensitive file untrusted", "cd /etc; exec /bin/cat ./shadow"),
    ("Run shell untrusted", "exec /tmp/nginx"),
    ("Netcat Remote Code Execution in Container", "exec /bin/nc 127.0.0.1 9 -e true"),
    ("Search Private Keys or Passwords", "exec /bin/find /root -name id_ed25519"),
    ("Find AWS Credentials", "exec /bin/find /root -path .aws/credentials"),
    ("Clear Log Activities", ": > /var/log/old.log"),
    ("Remove Bulk Data from Disk", "exec /tmp/links/shred /tmp/nothing"),
    ("Create Symlink Over Sensitive Files", "exec /bin/ln -s /etc/shadow /tmp/symbolic"),
    ("Create Hardlink Over Sensitive Files", "exec /bin/ln /etc/shadow /tmp/hard"),
    ("Packet socket created in container", "exec /tmp/links/arping -c 1 -w 1 -I eth0 192.0.2.1"),
    ("Redirect STDOUT/STDIN to Network Connection in Container", f"exec /bin/busybox nc -w 2 {DNS} 53 -e true"),
    ("Detect release_agent File Container Escapes", "echo x > /tmp/release_agent"),
    ("Execution from /dev/shm", "exec /bin/sh -c /dev/shm/nothing"),
    ("Drop and execute new binary in container", "exec /tmp/true"),
    ("Disallowed SSH Connection Non Standard Port", "exec /tmp/links/ssh connect 192.0.2.1:443 --timeout=200ms"),
]
PRIVILEGED = [
    ("Debugfs Launched in Privileged Container", "exec /tmp/links/debugfs"),
    ("Mount Launched in Privileged Container", "exec /bin/mount"),
]
HARMLESS = [
    "exec /bin/cat /etc/hostname",
    "exec /bin/cat /etc/../etc/passwd",
    "echo x > /tmp/new; exec /bin/rm /tmp/new",
    "exec /bin/ln -s /etc/hostname /tmp/harmless",
    "exec /bin/find /tmp -name nothing",
    "exec /tmp/links/debugfs",
    f"exec /agnhost connect {DNS}:53 --timeout=2s",
]


def pod(name: str, *, privileged: bool = False) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": "subject",
        "image": "sandbox.local/toolbox:1",
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "3600"],
    }
    if privileged:
        container["securityContext"] = {"privileged": True}
    spec = {"nodeName": NODE, "terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": NAME}, "spec": spec}


class Watched:
    """Pods in which actions are done, and what the Falco of their node says to it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.number = 0

    def falco(self, node: str) -> str:
        selector = ["-l", "app.kubernetes.io/name=falco", "--field-selector", f"spec.nodeName={node}"]
        found: str = self.cluster.get("pods", "-n", NAME, *selector)["items"][0]["metadata"]["name"]
        return found

    def alerts(self, subject: str, node: str = NODE) -> list[dict[str, Any]]:
        lines = self.cluster.kubectl("logs", "-n", NAME, self.falco(node)).splitlines()
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [alert for alert in found if alert["output_fields"].get("k8s.pod.name") == subject]

    def sh(self, subject: str, script: str) -> None:
        """What an action's program says of itself does not matter; most of them fail."""
        argv = ["kubectl", "exec", "-n", NAME, subject, "--", "/bin/sh", "-c", script]
        environment = {**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig)}
        subprocess.run(argv, env=environment, capture_output=True, timeout=60)

    def settled(self, subject: str) -> list[dict[str, Any]]:
        """All alerts of a pod up to now: those before that of a search which marks the moment."""
        self.number += 1
        mark = f"id_rsa_mark_{self.number}"
        self.sh(subject, f"exec /bin/find /nowhere -name {mark}")
        found: list[dict[str, Any]] = []

        def seen() -> bool:
            found[:] = self.alerts(subject)
            return any(mark in alert["output"] for alert in found)

        wait_for(seen, 20, f"the alert of the search for {mark}")
        return [alert for alert in found if "id_rsa_mark_" not in alert["output"]]

    def raised(self, subject: str, script: str) -> list[dict[str, Any]]:
        before = len(self.settled(subject))
        self.sh(subject, script)
        return self.settled(subject)[before:]


@pytest.fixture(scope="module")
def watched(cluster: Cluster) -> Iterator[Watched]:
    cluster.kubectl("create", "namespace", NAME)
    try:
        settings = [part for name, value in VALUES.items() for part in ("--set", f"{name}={value}")]
        cluster.helm("install", NAME, str(CHART), "-n", NAME, *settings, "--wait", "--timeout", "60s")
        wait_for(
            lambda: "serviceaccount/default" in cluster.kubectl("get", "serviceaccounts", "-n", NAME, "-o", "name")
        )
        pods = [pod("plain"), pod("privileged", privileged=True)]
        cluster.kubectl("apply", "-f", "-", stdin="\n---\n".join(json.dumps(one) for one in pods))
        cluster.kubectl("wait", "-n", NAME, "--for=condition=Ready", "pods", "--all", "--timeout=60s")
        subject = Watched(cluster)
        for one in ("plain", "privileged"):
            subject.sh(one, PREPARED)
        yield subject
    finally:
        cluster.kubectl("delete", "namespace", NAME, "--wait")


@pytest.mark.parametrize(("rule", "script"), ACTIONS, ids=[script for _, script in ACTIONS])
def test_an_action_raises_its_rule_alone(watched: Watched, rule: str, script: str) -> None:
    assert {alert["rule"] for alert in watched.raised("plain", script)} == {rule}


@pytest.mark.parametrize(("rule", "script"), PRIVILEGED, ids=[script for _, script in PRIVILEGED])
def test_an_action_of_a_privileged_pod_raises_its_rule_alone(watched: Watched, rule: str, script: str) -> None:
    assert {alert["rule"] for alert in watched.raised("privileged", script)} == {rule}


@pytest.mark.parametrize("script", HARMLESS)
def test_what_is_harmless_raises_nothing(watched: Watched, script: str) -> None:
    assert watched.raised("plain", script) == []


def test_a_shell_at_a_terminal(watched: Watched) -> None:
    before = len(watched.settled("plain"))
    controller, terminal = pty.openpty()
    try:
        argv = ["kubectl", "exec", "-it", "-n", NAME, "plain", "--", "/bin/sh", "-c", "true"]
        environment = {**os.environ, "KUBECONFIG": str(watched.cluster.kubeconfig)}
        subprocess.run(
            argv, stdin=terminal, stdout=terminal, stderr=subprocess.DEVNULL, env=environment, timeout=60, check=True
        )
    finally:
        os.close(controller)
        os.close(terminal)
    (alert,) = watched.settled("plain")[before:]
    assert alert["rule"] == "Terminal shell in container"
    assert alert["output_fields"]["proc.tty"] == 34816


def test_an_alert_says_who_did_it_where_and_when(watched: Watched) -> None:
    began = time.time()
    (alert,) = watched.raised("plain", "exec /bin/cat /etc/shadow")
    fields = alert["output_fields"]
    assert alert["hostname"] == NODE
    assert {
        name: fields[name]
        for name in (
            "container.name",
            "container.image.repository",
            "container.image.tag",
            "k8s.ns.name",
            "evt.type",
            "fd.name",
            "proc.name",
            "proc.cmdline",
            "proc.exepath",
            "proc.pname",
            "user.name",
            "proc.tty",
        )
    } == {
        "container.name": "subject",
        "container.image.repository": "sandbox.local/toolbox",
        "container.image.tag": "1",
        "k8s.ns.name": NAME,
        "evt.type": fields["evt.type"],
        "fd.name": "/etc/shadow",
        "proc.name": "cat",
        "proc.cmdline": "cat /etc/shadow",
        "proc.exepath": "/bin/busybox",
        "proc.pname": "containerd-shim",
        "user.name": "root",
        "proc.tty": 0,
    }
    assert len(fields["container.id"]) == 12
    assert began - 1 < fields["evt.time"] / 1e9 < time.time() + 1


def test_only_the_node_of_a_pod_sees_it(watched: Watched) -> None:
    watched.raised("plain", "exec /bin/cat /etc/shadow")
    assert watched.alerts("plain", OTHER_NODE) == []


def test_it_says_that_it_is_a_stand_in_and_what_it_has_seen(watched: Watched) -> None:
    falco = watched.falco(NODE)
    log = watched.cluster.kubectl("logs", "-n", NAME, falco)
    assert "STAND-IN" in log.splitlines()[0]
    figures = watched.cluster.kubectl("get", "--raw", f"/api/v1/namespaces/{NAME}/pods/{falco}:8765/proxy/metrics")
    counted = dict(line.rsplit(" ", 1) for line in figures.splitlines() if not line.startswith("#"))
    assert float(counted["falcosecurity_scap_n_evts_total"]) > 0
    assert float(counted["falcosecurity_scap_n_drops_total"]) == 0
