"""Falcosidekick on a cluster: two channels of one kind, a release of its own, data that survive, Secrets taken back.

It has a namespace, a release and a Redis of its own, beside those of the site.
"""

from __future__ import annotations

import base64
import datetime
import json
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .cluster import Cluster, wait_for
from .playbook import Outcome, Site

pytestmark = [
    pytest.mark.cluster,
    # Each installs or upgrades a release, or several.
    pytest.mark.long,
    pytest.mark.skipif(
        "INVENTORY" in os.environ and "SANDBOX_NAME" not in os.environ,
        reason="its directory for Redis is made on a node of the sandbox",
    ),
]

NAME = "falco-channels"
FIRST, ONCALL, REDIS = f"{NAME}-falcosidekick", f"{NAME}-falcosidekick-oncall", f"{NAME}-falcosidekick-ui-redis"
DIRECTORY = "/mnt/falco-channels-redis"
PLANTED = "planted-in-test-falco-sidekick"
UNINSTALL, SECRETS = "../tests/integration/falco_uninstall.yml", "../tests/integration/falco_secrets.yml"


def slack(receiver: str, **settings: str) -> dict[str, Any]:
    return {"slack": {"webhookurl": f"http://{receiver}.{NAME}.svc:8080/services/{PLANTED}/{receiver}", **settings}}


ALL, CRITICAL = slack("all"), slack("critical", minimumpriority="critical")
VARIABLES: dict[str, Any] = {
    "falco_namespace": NAME,
    "falco_release_name": NAME,
    "falco_sidekick_replicas": 1,
    "falco_timeout_seconds": 120,
    "falco_ui_node_port": 30199,
    "falco_redis_storage": "local",
    "falco_redis_directory": DIRECTORY,
    "falco_outputs": ALL,
    "falco_sidekick_more": [{"name": "oncall", "outputs": CRITICAL}],
}


def falco(site: Site, *arguments: str, **extra: Any) -> Outcome:
    return site.run("falco.yml", *arguments, extra={**VARIABLES, **extra})


def up(outcome: Outcome) -> Outcome:
    assert outcome.returncode == 0, outcome.output[-6000:]
    return outcome


def receiver(name: str) -> str:
    """The sandbox's receiver of alerts, once more: each channel has one, since it does not tell paths apart."""
    labels = {"app": name}
    container = {"name": "receiver", "image": "sandbox.local/standin-alert-receiver:0.1.0"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    deployment = {"selector": {"matchLabels": labels}, "template": pod}
    objects = [
        ("apps/v1", "Deployment", deployment),
        ("v1", "Service", {"selector": labels, "ports": [{"port": 8080}]}),
    ]
    return "\n---\n".join(
        json.dumps({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": NAME}, "spec": spec})
        for version, kind, spec in objects
    )


def service(name: str, port: int) -> str:
    """Path of a Service behind the API server."""
    return f"/api/v1/namespaces/{NAME}/services/{name}:{port}/proxy"


def received(cluster: Cluster, name: str) -> set[str]:
    lines = cluster.kubectl("get", "--raw", f"{service(name, 8080)}/alerts").splitlines()
    return {json.loads(line)["rule"] for line in lines}


def send(cluster: Cluster, rule: str, priority: str) -> None:
    """An alert, as Falco posts it to Falcosidekick."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    fields = {"proc.name": "cat"}
    alert = {
        "rule": rule,
        "priority": priority,
        "time": now,
        "output": rule,
        "source": "syscall",
        "hostname": "worker01",
    }
    body = json.dumps({**alert, "output_fields": fields, "tags": []})
    cluster.kubectl("create", "--raw", f"{service(FIRST, 2801)}/", "-f", "-", stdin=body)


@contextmanager
def forwarded(cluster: Cluster, target: str, port: int) -> Iterator[int | None]:
    """A port of this machine that leads to a Service's pod; None if no pod runs."""
    forward = subprocess.Popen(
        ["kubectl", "-n", NAME, "port-forward", target, f":{port}"],
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert forward.stdout is not None
        found = re.search(r"127\.0\.0\.1:(\d+)", forward.stdout.readline())
        yield int(found[1]) if found else None
    finally:
        forward.terminate()
        forward.wait()


def kept(cluster: Cluster) -> set[str]:
    """Rules of the events that the UI reads back from Redis, with the login from its Secret; none if it is away."""
    login = cluster.get("secret", f"{NAME}-ui-credentials", "-n", NAME)["data"]["FALCOSIDEKICK_UI_USER"]
    with forwarded(cluster, f"service/{FIRST}-ui", 2802) as port:
        if port is None:
            return set()
        url = f"http://127.0.0.1:{port}/api/v1/events/search?limit=100"
        request = urllib.request.Request(url, headers={"Authorization": f"Basic {login}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return {event["rule"] for event in json.load(answer)["results"]}


def secrets(cluster: Cluster) -> dict[str, dict[str, str]]:
    items = cluster.get("secrets", "-n", NAME, "-l", "app.kubernetes.io/managed-by=falconet.k8s")["items"]
    return {item["metadata"]["name"]: item["data"] for item in items}


def releases(cluster: Cluster) -> dict[str, str]:
    found = json.loads(cluster.helm("list", "-n", NAME, "-a", "-o", "json"))
    return {entry["name"]: entry["status"] for entry in found}


def generation(cluster: Cluster, kind: str, name: str) -> int:
    return int(cluster.get(kind, name, "-n", NAME)["metadata"]["generation"])


@pytest.fixture(scope="module")
def installed(site: Site, cluster: Cluster) -> Iterator[Outcome]:
    cluster.sandbox("exec", "worker01", "--", "install", "-d", "-o", "999", "-g", "999", "-m", "0750", DIRECTORY)
    try:
        cluster.kubectl("create", "namespace", NAME)
        cluster.kubectl("apply", "-f", "-", stdin=f"{receiver('all')}\n---\n{receiver('critical')}")
        outcome = up(falco(site))
        for name in ("all", "critical"):
            cluster.kubectl("-n", NAME, "rollout", "status", f"deployment/{name}", "--timeout=60s")
        yield outcome
    finally:
        gone = site.run(UNINSTALL, extra={**VARIABLES, "falco_uninstall_data": True})
        cluster.sandbox("exec", "worker01", "--", "rm", "-rf", DIRECTORY)
        up(gone)


def test_one_channel_gets_everything_and_another_what_is_critical(cluster: Cluster, installed: Outcome) -> None:
    send(cluster, "Small thing", "Notice")
    send(cluster, "Big thing", "Critical")
    wait_for(lambda: received(cluster, "all") == {"Small thing", "Big thing"}, what="both alerts in one channel")
    wait_for(lambda: received(cluster, "critical") == {"Big thing"}, what="the critical alert in the other")


def test_a_second_run_changes_nothing(site: Site, cluster: Cluster, installed: Outcome) -> None:
    before = cluster.helm("list", "-n", NAME, "-o", "json")
    assert up(falco(site, "--diff")).total_changed == 0
    assert up(falco(site, "--check")).total_changed == 0
    assert cluster.helm("list", "-n", NAME, "-o", "json") == before


def test_secrets_of_every_channel_are_in_their_secrets_alone(site: Site, cluster: Cluster, installed: Outcome) -> None:
    verbose = up(falco(site, "--check", "--diff", "-vvv"))
    for output in (installed.output, verbose.output):
        assert PLANTED not in output
    for release in releases(cluster):
        assert PLANTED not in cluster.helm("get", "all", release, "-n", NAME)
    for item in cluster.get("all,configmaps,events", "-n", NAME)["items"]:
        assert PLANTED not in json.dumps(item), item["metadata"]["name"]
    holders = {
        item["metadata"]["name"]
        for item in cluster.get("secrets", "-n", NAME)["items"]
        if any(PLANTED.encode() in base64.b64decode(value) for value in item["data"].values())
    }
    assert holders == {f"{NAME}-outputs", f"{NAME}-outputs-oncall"}


def test_a_rotated_secret_restarts_its_own_instance_alone(site: Site, cluster: Cluster, installed: Outcome) -> None:
    names = (("deployment", FIRST), ("deployment", ONCALL), ("deployment", f"{FIRST}-ui"), ("daemonset", NAME))
    before = [generation(cluster, *name) for name in names]
    rotated = slack("critical", minimumpriority="critical", footer="rotated")
    up(falco(site, falco_sidekick_more=[{"name": "oncall", "outputs": rotated}]))
    assert [generation(cluster, *name) for name in names] == [before[0], before[1] + 1, before[2], before[3]]
    up(falco(site))


def test_secrets_are_as_before_when_an_upgrade_does_not_come_up(
    site: Site, cluster: Cluster, installed: Outcome
) -> None:
    before = secrets(cluster)
    outcome = falco(
        site,
        falco_outputs=slack("all", footer="never"),
        falco_sidekick_more=[
            {"name": "oncall", "outputs": slack("critical", footer="never")},
            {"name": "second", "outputs": slack("critical", footer="never")},
        ],
        falco_ui_password="never",
        falco_images={"falco": {"tag": "no-such-tag"}},
        falco_timeout_seconds=20,
    )
    assert outcome.returncode != 0
    assert "Secrets are as before this run." in outcome.output
    assert f"{ONCALL.removesuffix('oncall')}second: It was the first installation" in outcome.output
    assert secrets(cluster) == before
    assert releases(cluster) == {NAME: "deployed", ONCALL: "deployed"}
    assert up(falco(site)).total_changed == 0


def test_events_survive_all_that_happens_to_a_release(site: Site, cluster: Cluster, installed: Outcome) -> None:
    send(cluster, "Before", "Warning")
    wait_for(lambda: "Before" in kept(cluster), what="the event in Redis")

    up(falco(site, falco_redis_resources={"limits": {"memory": "256Mi"}}))
    wait_for(lambda: "Before" in kept(cluster), what="the event after an upgrade that makes the pod of Redis anew")

    old = cluster.get("pod", f"{REDIS}-0", "-n", NAME)["metadata"]["uid"]
    cluster.kubectl("-n", NAME, "delete", "pod", f"{REDIS}-0", "--wait=false")
    wait_for(lambda: cluster.get("pods", "-n", NAME)["items"] and other_pod_ready(cluster, old), what="a new Redis")
    wait_for(lambda: "Before" in kept(cluster), what="the event after the pod was deleted")

    up(falco(site))
    wait_for(lambda: "Before" in kept(cluster), what="the event after a re-run")


def other_pod_ready(cluster: Cluster, uid: str) -> bool:
    pods = [p for p in cluster.get("pods", "-n", NAME)["items"] if p["metadata"]["name"] == f"{REDIS}-0"]
    return any(
        pod["metadata"]["uid"] != uid and condition["type"] == "Ready" and condition["status"] == "True"
        for pod in pods
        for condition in pod["status"].get("conditions", [])
    )


def test_a_release_of_its_own_takes_over_with_the_data(site: Site, cluster: Cluster, installed: Outcome) -> None:
    send(cluster, "Taken along", "Warning")
    wait_for(lambda: "Taken along" in kept(cluster), what="the event in Redis")

    up(falco(site, falco_sidekick_release="own"))
    assert releases(cluster) == dict.fromkeys((NAME, FIRST, ONCALL), "deployed")
    wait_for(lambda: "Taken along" in kept(cluster), what="the event in the release of its own")
    assert up(falco(site, falco_sidekick_release="own")).total_changed == 0
    send(cluster, "To its own release", "Critical")
    wait_for(lambda: "To its own release" in received(cluster, "all"), what="an alert of the own release")
    wait_for(lambda: "To its own release" in received(cluster, "critical"), what="an alert handed on")


def test_a_release_of_its_own_gives_the_data_back_or_is_there_again(
    site: Site, cluster: Cluster, installed: Outcome
) -> None:
    up(falco(site, falco_sidekick_release="own"))
    send(cluster, "Given back", "Warning")
    wait_for(lambda: "Given back" in kept(cluster), what="the event in Redis")

    broken = falco(site, falco_images={"falcosidekick": {"tag": "no-such-tag"}}, falco_timeout_seconds=20)
    assert broken.returncode != 0
    assert f"{FIRST}: It is there again" in broken.output
    assert releases(cluster) == dict.fromkeys((NAME, FIRST, ONCALL), "deployed")
    wait_for(lambda: "Given back" in kept(cluster), what="the event after a change that was taken back")

    up(falco(site))
    assert releases(cluster) == dict.fromkeys((NAME, ONCALL), "deployed")
    wait_for(lambda: "Given back" in kept(cluster), what="the event in the first release again")
    assert up(falco(site)).total_changed == 0


def test_an_instance_that_is_no_longer_wanted_is_gone_with_its_secret(
    site: Site, cluster: Cluster, installed: Outcome
) -> None:
    up(falco(site, falco_sidekick_more=[]))
    assert releases(cluster) == {NAME: "deployed"}
    assert f"{NAME}-outputs-oncall" not in secrets(cluster)
    left = cluster.get("deployments,services", "-n", NAME)["items"]
    assert [item for item in left if "oncall" in item["metadata"]["name"]] == []


def test_uninstalling_keeps_the_data_for_the_next_installation(
    site: Site, cluster: Cluster, installed: Outcome
) -> None:
    send(cluster, "Kept", "Warning")
    wait_for(lambda: "Kept" in kept(cluster), what="the event in Redis")
    up(falco(site, falco_sidekick_release="own"))
    up(site.run(UNINSTALL, extra=VARIABLES))
    assert releases(cluster) == {}
    assert set(secrets(cluster)) == {f"{NAME}-ui-credentials", f"{NAME}-redis-credentials"}
    assert len(cluster.get("persistentvolumeclaims", "-n", NAME)["items"]) == 1
    up(falco(site))
    wait_for(lambda: "Kept" in kept(cluster), what="the event after the next installation")


def test_certificates_are_made_once_and_no_key_is_shown(site: Site, cluster: Cluster, installed: Outcome) -> None:
    """The stand-ins know no TLS, so this is what comes before Helm; chart-check holds the charts to the rest."""
    tls = {**VARIABLES, "falco_sidekick_tls": "mutual"}
    made = up(site.run(SECRETS, "-vvv", "--diff", extra=tls))
    assert "PRIVATE KEY" not in made.output
    files = {name.removeprefix(f"{NAME}-tls-"): set(data) for name, data in secrets(cluster).items() if "-tls-" in name}
    assert files == {
        "authority": {"ca.crt", "ca.key"},
        "trust": {"ca.crt"},
        "server": {"server.crt", "server.key", "ca.crt"},
        "client": {"client.crt", "client.key", "ca.crt"},
    }
    before = secrets(cluster)
    assert up(site.run(SECRETS, extra=tls)).total_changed == 0
    cluster.kubectl("delete", "secret", f"{NAME}-tls-server", "-n", NAME)
    assert up(site.run(SECRETS, extra=tls)).total_changed == 1
    after = secrets(cluster)
    assert {name for name in before if before[name] != after[name]} == {f"{NAME}-tls-server"}
    up(falco(site))
    assert not [name for name in secrets(cluster) if "-tls-" in name]


def test_nodes_with_another_driver_have_a_release_of_their_own(
    site: Site, cluster: Cluster, installed: Outcome
) -> None:
    groups = [{"name": "old", "driver": "kmod", "nodes": ["worker02"]}]
    up(falco(site, falco_driver_groups=groups))
    pods = cluster.get("pods", "-n", NAME, "-l", "app.kubernetes.io/name=falco")["items"]
    instance = "app.kubernetes.io/instance"
    where = {pod["spec"]["nodeName"]: pod["metadata"]["labels"][instance] for pod in pods}
    assert where == {"cp01": NAME, "worker01": NAME, "worker02": f"{NAME}-old"}
    assert len(pods) == 3
    assert up(falco(site, falco_driver_groups=groups)).total_changed == 0

    wrong = falco(site, falco_driver_groups=[{**groups[0], "nodes": ["worker2"]}])
    assert "worker2 is no node of this cluster. Did you mean worker02?" in " ".join(wrong.output.split())

    up(falco(site))
    assert f"{NAME}-old" not in releases(cluster)


def test_on_openshift_pods_may_use_the_constraints_that_they_need(
    site: Site, cluster: Cluster, installed: Outcome
) -> None:
    """The cluster looks like OpenShift as far as the role asks: by a label that every OpenShift 4 node has."""
    cluster.kubectl("label", "node", "worker01", "node.openshift.io/os_id=rhcos")
    try:
        up(falco(site))
    finally:
        cluster.kubectl("label", "node", "worker01", "node.openshift.io/os_id-")
    bindings = cluster.get("rolebindings", "-n", NAME)["items"]
    roles = {item["metadata"]["name"]: item["roleRef"]["name"] for item in bindings}
    assert roles[f"{NAME}-scc-privileged"] == "system:openshift:scc:privileged"
    assert roles[f"{NAME}-scc-nonroot"] == "system:openshift:scc:nonroot-v2"
