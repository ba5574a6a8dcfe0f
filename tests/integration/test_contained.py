"""From a system call in production to a pod that reaches nobody, its replacement, and the way back, without a hand.

Falco sees the kernel, Falcosidekick posts to a rulebook on this machine by the channel of role C(falco), and everything
after that is the rulebook's.
"""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox import instance

from .cluster import Cluster, wait_for
from .playbook import Site
from .probing import not_ending, probe
from .rulebook import TOKEN, Rulebook, rulebook
from .test_netpol_quarantine import LABEL

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.long,
    pytest.mark.skipif("INVENTORY" in os.environ, reason="the way to this machine is the sandbox's"),
]

PROD = "prod"
LADDER = [{"name": "production", "namespaces": [PROD], "steps": ["note", "collect", "quarantine"]}]
#: What an attacker does: a shell of the container's own that reads password hashes, of which the image has none.
ATTACK = "[ -e /etc/shadow ] || : > /etc/shadow; /bin/cat /etc/shadow; exit 0"
RUN_SECONDS = 180.0
STEPS = ["event", "response began", "collected", "held, proven by analysis", "held, proven on the live network"]


def policy(name: str, **spec: Any) -> dict[str, Any]:
    about = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    kinds = {"policyTypes": ["Ingress", "Egress"]}
    return {**about, "metadata": {"name": name, "namespace": PROD}, "spec": {**kinds, **spec}}


ALLOW_ALL = policy("contained-allow-all", podSelector={}, ingress=[{}], egress=[{}])
MERELY_DENY = policy("contained-merely-deny", podSelector={"matchLabels": {"app": "backend"}})


def is_ready(item: dict[str, Any]) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in item["status"].get("conditions", []))


def backends(cluster: Cluster) -> list[str]:
    items = cluster.get("pods", "-n", PROD, "-l", "app=backend")["items"]
    ready = [one for one in items if is_ready(one)]
    return [one["metadata"]["name"] for one in ready if not_ending(one)]


def flows(pod: str) -> list[dict[str, Any]]:
    held, other = {"namespace": PROD, "pod": pod}, {"namespace": PROD, "workload": "Deployment/frontend"}
    return [
        {"name": "to the pod", "from": other, "to": held, "ports": [8080]},
        {"name": "from the pod", "from": held, "to": other, "ports": [80]},
    ]


@contextmanager
def way_to_this_machine(cluster: Cluster, place: instance.Instance) -> Iterator[None]:
    """Pods reach this machine: their nodes lend them their addresses, since it has no route to pods."""
    made = (
        "nft add table ip contained; "
        "nft add chain ip contained out '{ type nat hook postrouting priority 100; }'; "
        f"nft add rule ip contained out ip daddr {place.gateway} masquerade"
    )
    for node in instance.NODES:
        cluster.sandbox("exec", node.name, "--", "sh", "-c", made)
    try:
        yield
    finally:
        for node in instance.NODES:
            cluster.sandbox("exec", node.name, "--", "nft", "delete", "table", "ip", "contained")


@contextmanager
def channel(cluster: Cluster, site: Site, book: Rulebook) -> Iterator[None]:
    """Falcosidekick posts to the rulebook; at the end it does so no more."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "contained-tls", "namespace": "falco"}}
    data = {"stringData": {"ca.crt": book.cert.read_text()}}
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump({**secret, **data}))
    about = {"address": book.address, "token": TOKEN, "tls_secret": "contained-tls", "minimum_priority": "warning"}
    outcome = site.run("falco.yml", extra={"falco_rulebook": about})
    assert outcome.returncode == 0, outcome.output[-6000:]
    try:
        yield
    finally:
        assert site.run("falco.yml").returncode == 0
        cluster.kubectl("-n", "falco", "delete", "secret", "contained-tls")


@pytest.fixture(scope="module")
def installed(site: Site, cluster: Cluster) -> Iterator[None]:
    """Falco and its rules, and policies of which one allows everything in the namespace."""
    for playbook in ("falco.yml", "falco_rules.yml"):
        outcome = site.run(playbook)
        assert outcome.returncode == 0, outcome.output[-6000:]
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([ALLOW_ALL, MERELY_DENY]))
    yield
    names = [one["metadata"]["name"] for one in (ALLOW_ALL, MERELY_DENY)]
    cluster.kubectl("-n", PROD, "delete", "networkpolicy", *names, "--ignore-not-found")


def noted(directory: Path) -> list[dict[str, Any]]:
    files = (directory / "incidents").glob("*/timeline.json")
    return [one for file in files for one in json.loads(file.read_text()) if one["held"]]


def evidence(site: Site, directory: Path) -> dict[str, Any]:
    """The part of the evidence on responses, of a proof of nothing else."""
    about = {"verify_evidence_directory": str(directory / "evidence"), "verify_incidents_hours": 1}
    about.update(verify_incidents_directory=str(directory / "incidents"), verify_fail=False)
    about.update(verify_catalogue=[], verify_triggers=[], verify_stages=["falco"])
    outcome = site.run("verify.yml", extra=about)
    assert outcome.returncode == 0, outcome.output[-6000:]
    found: dict[str, Any] = json.loads((directory / "evidence" / "report.json").read_text())
    return found


def test_a_shell_that_reads_password_hashes_is_contained_without_a_hand_and_let_go(
    installed: None, cluster: Cluster, site: Site, tmp_path: Path
) -> None:
    place = instance.load(os.environ.get("SANDBOX_NAME", "falconet"))
    assert place is not None
    wait_for(lambda: len(backends(cluster)) == 2, 60, "two pods")
    pod = backends(cluster)[0]
    labels = cluster.get("pod", pod, "-n", PROD)["metadata"]["labels"]
    settings: dict[str, Any] = {"respond_dry_run": False, "respond_ladder": LADDER, "respond_by": "the rulebook"}
    with (
        way_to_this_machine(cluster, place),
        rulebook(tmp_path, site, host=str(place.gateway), **settings) as book,
        channel(cluster, site, book),
    ):
        merely = probe(required_flows=flows(pod), method="node", on_unproven="fail")
        assert not merely.get("failed"), "a policy that denies is enough where another one allows?"
        cluster.kubectl("-n", PROD, "exec", pod, "--", "/bin/sh", "-c", ATTACK)
        wait_for(lambda: noted(tmp_path), RUN_SECONDS, "the response")
        (response,) = noted(tmp_path)

    # Contained, collected and proven.
    assert response["problems"] == []
    assert [one["what"] for one in response["timeline"]] == STEPS
    print(json.dumps(response["timeline"], indent=1))
    assert response["plan"]["pod"] == pod
    assert (response["shown"]["open"], response["shown"]["closed"] > 0) == ([], True)
    # Other rules alert as well; each is an incident of its own, of which the first holds the pod.
    (archive,) = (tmp_path / "incidents").glob(f"*/{response['archive']}")
    with tarfile.open(archive) as kept:
        names = {name.rpartition("/")[2] for name in kept.getnames()}
    assert {"pod.json", "processes.txt", "events.json", "owners.json", "alert.json", "manifest.json"} <= names
    now = cluster.get("pod", pod, "-n", PROD)["metadata"]
    assert LABEL in now["labels"]
    closed = probe(forbidden_flows=flows(pod), method="node", on_unproven="fail")
    assert not closed.get("failed"), closed["msg"]

    # Its replacement serves.
    wait_for(lambda: len(backends(cluster)) == 2 and pod not in backends(cluster), 60, "a replacement")
    others = {"namespace": PROD, "workload": "Deployment/backend"}
    serving = {"name": "others", "from": {"namespace": PROD, "workload": "Deployment/frontend"}, "to": others}
    cluster.kubectl("-n", PROD, "delete", "networkpolicy", "contained-merely-deny")
    assert not probe(required_flows=[{**serving, "ports": [8080]}], method="node").get("failed")

    # The evidence shows all of it, while the pod is held and after it was let go.
    told = evidence(site, tmp_path)["contained"]
    (incident,) = [one for one in told["incidents"] if one["archive"] == archive.name]
    assert [row["what"] for row in incident["timeline"]] == STEPS
    (row,) = told["quarantines"]
    assert (row["pod"], row["by"], row["expired"], bool(row["until"])) == (pod, "the rulebook", False, True)
    assert row["until"] == incident["until"]
    page = (tmp_path / "evidence" / "report.html").read_text()
    assert f"{PROD}/{pod}" in page

    released = site.run("release.yml", extra={"respond_namespace": PROD, "respond_pod": pod})
    assert released.returncode == 0, released.output[-6000:]
    wait_for(lambda: len(backends(cluster)) == 2, 60, "one pod too many to be removed")
    back = cluster.get("pods", "-n", PROD)["items"]
    assert [one["metadata"]["labels"] for one in back if one["metadata"]["name"] == pod] in ([labels], [])
    assert cluster.get("networkpolicy", "contained-allow-all", "-n", PROD)["spec"]["podSelector"] == {}
    assert evidence(site, tmp_path)["contained"]["quarantines"] == []
