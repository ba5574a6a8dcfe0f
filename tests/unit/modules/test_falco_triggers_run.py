"""falco_triggers_run: pods on every node that is watched, actions in them, alerts followed, and nothing left."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.kube.lease import run_identity
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco import awaiting
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco import triggers as live

from ..kube.fake_api import Answer, FakeApi, serve
from ..module_runner import run_module

READ = {"name": "read", "rule": "R", "namespace": "prod", "command": ["/bin/cat", "/etc/shadow"]}
SHELL = {"name": "shell", "rule": "S", "namespace": "prod", "command": ["/bin/sh", "-c", "exit 0"], "tty": True}
QUIET = {"name": "quiet", "namespace": "dev", "command": ["/bin/true"], "expect_alert": False}
RECEIVER = {"name": "webhook", "receiver": {"namespace": "alerts", "service": "receiver", "port": 8080}}
PODS = "/api/v1/namespaces/{}/pods"
BEGAN = re.compile(r"falconet-trigger (\d+) began")


def rfc3339(moment_ns: int) -> str:
    seconds, rest = divmod(moment_ns, 10**9)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:09}Z"


class Cluster(FakeApi):
    """Nodes with a kubelet that starts pods at once, a Falco each that alerts on every action, and a receiver."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()
        self.rules = ["R", "S", ""]
        self.deaf: set[str] = set()
        self.states: dict[str, dict[str, Any]] = {}
        self.logs: dict[str, list[str]] = {}
        self.received: list[str] = []
        self.lines_of_sidekick = False
        self.exec = self.act
        self.faults = self.extra
        nodes = [("cp01", {"role": "cp"}), ("worker01", {}), ("worker02", {})]
        self.collections["/api/v1/nodes"] = [{"metadata": {"name": name, "labels": labels}} for name, labels in nodes]
        self.collections[PODS.format("prod")] = []
        self.collections[PODS.format("dev")] = []
        self.collections[PODS.format("falco")] = [
            *(self.falco(name, "falco") for name, _labels in nodes),
            self.falco("x", "falcosidekick", component="core"),
        ]

    @staticmethod
    def falco(node: str, name: str, **labels: str) -> dict[str, Any]:
        more = {f"app.kubernetes.io/{key}": value for key, value in {"name": name, **labels}.items()}
        about = {"name": f"{name}-{node}", "namespace": "falco", "uid": f"u-{name}-{node}", "labels": more}
        return {"metadata": about, "spec": {"nodeName": node}, "status": {}}

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        with self.lock:
            if method == "POST" and path.endswith("/pods"):
                state = self.states.get(body["spec"]["nodeName"], {"running": {}})
                body = {**body, "status": {"containerStatuses": [{"name": "trigger", "state": state}]}}
            return super().answer(method, path, query, body)

    def extra(self, method: str, path: str, query: dict[str, list[str]]) -> Answer | None:
        if path.endswith("/log"):
            return 200, "".join(self.logs.get(path.split("/")[-2], [])).encode()
        if "/proxy/" in path:
            return 200, "\n".join(self.received).encode()
        return None

    def act(self, path: str, argv: list[str], _stdin: bytes) -> tuple[str, int] | None:
        namespace, pod = path.split("/")[4], path.split("/")[6]
        with self.lock:
            node = next(
                one["spec"]["nodeName"]
                for one in self.collections[PODS.format(namespace)]
                if one["metadata"]["name"] == pod
            )
            output = ""
            for number in map(int, BEGAN.findall(argv[-1])):
                began = time.time_ns() // 1000 * 1000
                output += f"falconet-trigger {number} began {began / 1e9:.6f}\r\n"
                rule = self.rules[number]
                if rule and node not in self.deaf:
                    self.alert(rule, node, pod, began + 500_000)
                time.sleep(0.002)
                output += f"falconet-trigger {number} ended {time.time_ns() / 1e9:.6f} 0\r\n"
            return output, 0

    def alert(self, rule: str, node: str, pod: str, moment: int) -> None:
        fields = {"k8s.pod.name": pod}
        alert = {"rule": rule, "output": f"{rule} in {pod}", "output_fields": fields, "time": rfc3339(moment)}
        self.logs.setdefault(f"falco-{node}", []).append(f"{rfc3339(moment + 10**6)} {json.dumps(alert)}\n")
        wrapped = {"received": rfc3339(moment + 5 * 10**6), "destination": "webhook", "text": "", "alert": alert}
        self.received.append(json.dumps(wrapped))
        if self.lines_of_sidekick:
            line = f"{rfc3339(moment + 3 * 10**6)} [DEBUG] : Falco's payload : {json.dumps(alert)}\n"
            self.logs.setdefault("falcosidekick-x", []).append(line)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.setattr(live, "SETTLE_SECONDS", 0.0)
    monkeypatch.setattr(live, "POLL_SECONDS", 0.01)
    api = Cluster()
    with serve(api):
        yield api


def run(cluster: Cluster, *triggers: dict[str, Any], check_mode: bool = False, **options: Any) -> dict[str, Any]:
    arguments = {"host": cluster.url, "image": "busybox", "triggers": list(triggers), "alert_timeout_seconds": 0}
    return run_module("falco_triggers_run", {**arguments, **options}, check_mode=check_mode)


def made(cluster: Cluster) -> list[dict[str, Any]]:
    return [body for method, path, _query, body in cluster.requests if method == "POST" and path.endswith("/pods")]


def left(cluster: Cluster) -> list[str]:
    paths = [PODS.format(name) for name in ("prod", "dev")]
    return [one["metadata"]["name"] for path in paths for one in cluster.collections[path]]


def arrived(result: dict[str, Any], place: str = "falco") -> dict[str, list[str]]:
    """By trigger the nodes from which its alert is at a place."""
    return {
        trigger["name"]: [one["node"] for one in trigger["nodes"] if one["places"].get(place, {}).get("arrived")]
        for trigger in result["triggers"]
    }


NODES = ["cp01", "worker01", "worker02"]


def test_every_node_does_every_trigger_and_alerts_are_followed(cluster: Cluster) -> None:
    cluster.lines_of_sidekick = True
    result = run(cluster, READ, SHELL, QUIET, destinations=[RECEIVER], alert_timeout_seconds=20)
    assert "msg" not in result
    assert result["changed"] is False
    assert result["nodes"] == NODES
    assert arrived(result) == {"read": NODES, "shell": NODES, "quiet": []}
    assert arrived(result, "webhook") == {"read": NODES, "shell": NODES, "quiet": []}
    seen = result["triggers"][0]["nodes"][0]
    assert (seen["event_ms"], seen["falco_ms"], seen["sidekick_ms"]) == (0.5, 1.5, 3.5)
    assert seen["places"]["webhook"]["latency_ms"] == 5.5
    assert [one["alerts"] for one in result["triggers"][2]["nodes"]] == [[], [], []]
    assert result["unread"] == {}
    assert left(cluster) == []


def test_a_node_has_one_pod_a_namespace_and_one_shell_a_kind_of_action(cluster: Cluster) -> None:
    cluster.rules = ["R", "R", "R", "S", ""]
    run(cluster, *[{**READ, "name": f"read {number}"} for number in range(3)], SHELL, QUIET)
    assert len(made(cluster)) == 6
    execs = [query for method, _path, query, _body in cluster.requests if method == "EXEC"]
    assert len(execs) == 9
    assert [query.get("tty") for query in execs].count(["true"]) == 3
    assert all(("tty" in query) != ("stderr" in query) for query in execs)


def test_a_pod_is_bound_to_its_node_and_says_whose_it_is(cluster: Cluster) -> None:
    run(cluster, READ, nodes=["worker01"], image_pull_secrets=["mirror"])
    (pod,) = made(cluster)
    assert pod["spec"]["nodeName"] == "worker01"
    assert pod["spec"]["tolerations"] == [{"operator": "Exists"}]
    assert pod["spec"]["activeDeadlineSeconds"] > 100
    assert pod["spec"]["imagePullSecrets"] == [{"name": "mirror"}]
    assert pod["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "falconet.k8s"


def test_nodes_that_falco_is_not_to_watch_are_left_out(cluster: Cluster) -> None:
    result = run(cluster, READ, node_selector={"role": "cp"}, node_groups=[{"name": "old", "nodes": ["worker02"]}])
    assert result["nodes"] == ["cp01", "worker02"]
    assert result["left_out"] == ["worker01"]


def test_a_missing_alert_says_from_where(cluster: Cluster) -> None:
    cluster.deaf = {"worker02"}
    result = run(cluster, READ, alert_timeout_seconds=1)
    assert arrived(result) == {"read": ["cp01", "worker01"]}
    assert 1 <= result["waited_seconds"] < 5
    assert left(cluster) == []


@pytest.mark.parametrize("ready", [False, True])
def test_what_no_falcosidekick_can_send_on_is_awaited_no_longer(
    cluster: Cluster, ready: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(awaiting, "NOBODY_SECONDS", 0.2)
    sidekick = cluster.collections[PODS.format("falco")][-1]
    sidekick["status"] = {"conditions": [{"type": "Ready", "status": str(ready)}]}
    result = run(cluster, READ, destinations=[{**RECEIVER, "name": "slack"}], alert_timeout_seconds=2)
    assert (arrived(result), arrived(result, "slack")) == ({"read": NODES}, {"read": []})
    assert (result["waited_seconds"] >= 2) is ready


def test_a_pod_that_does_not_start_keeps_no_other_from_it(cluster: Cluster) -> None:
    cluster.states["worker01"] = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
    result = run(cluster, READ)
    assert arrived(result) == {"read": ["cp01", "worker02"]}
    errors = [one["error"] for one in result["triggers"][0]["nodes"]]
    assert errors == ["", "its pod does not start: ErrImagePull no such image", ""]
    assert left(cluster) == []


def test_a_pod_that_is_late_is_waited_for_until_the_limit(cluster: Cluster) -> None:
    cluster.states["worker01"] = {"waiting": {"reason": "ContainerCreating"}}
    result = run(cluster, READ, start_timeout_seconds=1)
    assert "ContainerCreating" in result["triggers"][0]["nodes"][1]["error"]


@pytest.mark.parametrize(("refusals", "nodes"), [(1, ["cp01"]), (2, [])])
def test_a_shell_that_does_not_start_is_tried_once_more(cluster: Cluster, refusals: int, nodes: list[str]) -> None:
    left_over = [1] * refusals

    def refuse(method: str, path: str, query: dict[str, list[str]]) -> Answer | None:
        if method == "EXEC" and left_over:
            left_over.pop()
            return 400, {"kind": "Status", "reason": "BadRequest", "message": "busy"}
        return cluster.extra(method, path, query)

    cluster.faults = refuse
    result = run(cluster, READ, nodes=["cp01"])
    assert arrived(result) == {"read": nodes}
    assert ("busy" in result["triggers"][0]["nodes"][0]["error"]) is not bool(nodes)


def test_a_pod_that_is_refused_says_why(cluster: Cluster) -> None:
    def refuse(method: str, path: str, query: dict[str, list[str]]) -> Answer | None:
        if method == "POST":
            return 403, {"kind": "Status", "reason": "Forbidden", "message": 'violates PodSecurity "restricted:latest"'}
        return cluster.extra(method, path, query)

    cluster.faults = refuse
    result = run(cluster, READ)
    assert all("PodSecurity" in one["error"] for one in result["triggers"][0]["nodes"])


def test_what_a_killed_run_left_is_removed_and_another_run_s_is_not(cluster: Cluster) -> None:
    def pod(name: str, **annotations: str) -> dict[str, Any]:
        return {"metadata": {"name": name, "labels": live.LABELS, "annotations": annotations, "namespace": "prod"}}

    later = str(int(time.time()) + 600)
    cluster.collections[PODS.format("prod")] = [
        pod("over", **{live.DEADLINE: "5", live.OWNER: "elsewhere/1/1"}),
        pod("killed", **{live.DEADLINE: later, live.OWNER: run_identity().rpartition("/")[0] + "/1"}),
        pod("without"),
        pod("other", **{live.DEADLINE: later, live.OWNER: "elsewhere/1/1"}),
    ]
    run(cluster, READ)
    assert left(cluster) == ["other"]


def test_nothing_is_left_when_reading_fails(cluster: Cluster) -> None:
    cluster.collections[PODS.format("falco")] = []
    result = run(cluster, READ)
    assert "no pod in namespace falco" in result["unread"]["falco"]
    assert left(cluster) == []


def test_nothing_is_left_by_an_interrupt(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(live.TriggerPods, "act", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(cluster, READ)
    assert made(cluster)
    assert left(cluster) == []


def test_what_is_skipped_stays_in_its_place(cluster: Cluster) -> None:
    result = run(cluster, {**SHELL, "skipped": "the rule is switched off"}, READ)
    assert [(one["name"], len(one["nodes"])) for one in result["triggers"]] == [("shell", 0), ("read", 3)]


def test_check_mode_does_nothing(cluster: Cluster) -> None:
    result = run(cluster, READ, check_mode=True)
    assert result["nodes"] == NODES
    assert result["triggers"][0]["nodes"] == []
    assert made(cluster) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [({"nodes": ["worker1"]}, "no node worker1"), ({"node_selector": {"a": "b"}}, "no node that Falco is to watch")],
)
def test_a_node_that_is_none_is_told(cluster: Cluster, options: dict[str, Any], words: str) -> None:
    result = run(cluster, READ, **options)
    assert result["failed"]
    assert words in result["msg"]
    assert made(cluster) == []


def test_clocks_are_compared(cluster: Cluster) -> None:
    clock = run(cluster, READ)["clocks"]["cp01"]
    assert clock["least_ms"] <= 0 <= clock["most_ms"]
