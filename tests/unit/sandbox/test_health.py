"""What a sandbox's pods say of its network: the pods that are asked, what is told, and when it is mended."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from sandbox import doctor, health, instance, machines, network, up
from sandbox.api import Api
from sandbox.errors import SandboxError
from sandbox.health import Health
from sandbox.instance import NODE_NETWORKS, NODES, Instance

SANDBOX = Instance("x", NODE_NETWORKS[0])
MEMBERS = [member.name for member in NODES]
#: The questions to it are answered by others.
NO_API = cast(Api, object())


def pod(name: str, phase: str = "Running", ip: str = "10.244.0.2", **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"uid": f"uid-{name}", **metadata},
        "spec": {"nodeName": name},
        "status": {"phase": phase, "podIP": ip},
    }


def test_only_pods_that_run_lend_their_network() -> None:
    pods = [pod("a"), pod("b", "Pending"), pod("c", ip=""), pod("d", deletionTimestamp="2026-01-01T00:00:00Z")]
    assert health.lenders(pods) == {"a": "uid-a"}


@pytest.mark.parametrize("group", ["/kubepods/podab-cd/x", "/kubepods.slice/kubepods-podab_cd.slice/x"])
def test_a_pods_process_is_found_by_its_control_group(tmp_path: Path, group: str) -> None:
    for number, text in (("1", "0::/"), ("7", f"0::{group}\n"), ("self", f"0::{group}\n")):
        (tmp_path / number).mkdir()
        (tmp_path / number / "cgroup").write_text(text)
    (tmp_path / "9").mkdir()  # it ended meanwhile
    assert health.process_of("ab-cd", tmp_path) == 7
    assert health.process_of("ef", tmp_path) is None


@pytest.mark.parametrize(
    ("one", "good", "text"),
    [
        (Health("a", {}), True, "DNS and Services answer a pod"),
        (Health("a", {"DNS over TCP": "timed out"}), False, "DNS over TCP does not answer (timed out)"),
        (Health("a", {}, "no pod runs"), False, "nothing could be asked: no pod runs"),
    ],
)
def test_what_is_told(one: Health, good: bool, text: str) -> None:
    assert (one.good, one.text()) == (good, text)


class Proxies:
    """A cluster whose nodes serve nothing until their kube-proxy is started again."""

    def __init__(self, broken: list[str], hopeless: bool = False) -> None:
        self.broken, self.hopeless = list(broken), hopeless
        self.restarted: list[str] = []

    def ask(self, _api: object) -> list[Health]:
        return [Health(name, {"DNS over UDP": "refused"} if name in self.broken else {}) for name in MEMBERS]

    def order(self, pid: str, request: dict[str, str]) -> dict[str, str]:
        assert request == {"do": "restart", "service": "kube-proxy"}
        self.restarted.append(pid)
        if not self.hopeless:
            self.broken.remove(pid)
        return {}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "NETWORK_LIMIT_SECONDS", 0.1)
    monkeypatch.setattr(up, "SYNC_SECONDS", 0.1)
    monkeypatch.setattr(machines, "find", lambda _sandbox, name: (name, "digest"))


@pytest.mark.usefixtures("quick")
def test_a_node_that_serves_nothing_gets_its_kube_proxy_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    proxies = Proxies([MEMBERS[1]])
    monkeypatch.setattr(health, "ask", proxies.ask)
    monkeypatch.setattr(machines, "order", proxies.order)
    assert up.wait_for_network(SANDBOX, NO_API) == [MEMBERS[1]]
    assert proxies.restarted == [MEMBERS[1]]


@pytest.mark.usefixtures("quick")
def test_a_node_that_cannot_be_mended_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    proxies = Proxies([MEMBERS[1]], hopeless=True)
    monkeypatch.setattr(health, "ask", proxies.ask)
    monkeypatch.setattr(machines, "order", proxies.order)
    with pytest.raises(SandboxError, match=rf"{MEMBERS[1]}: DNS over UDP does not answer \(refused\)") as told:
        up.wait_for_network(SANDBOX, NO_API)
    assert "kube-proxy.log" in told.value.hint


@pytest.mark.usefixtures("quick")
def test_nothing_is_started_again_where_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ask", Proxies([]).ask)
    monkeypatch.setattr(machines, "order", lambda *_: pytest.fail("something was started again"))
    assert up.wait_for_network(SANDBOX, NO_API) == []


def test_the_doctor_asks_the_sandboxes_that_run(monkeypatch: pytest.MonkeyPatch) -> None:
    other, stopped = instance.Instance("other", NODE_NETWORKS[1]), instance.Instance("stopped", NODE_NETWORKS[2])
    sick = {"DNS over TCP": "x"}
    monkeypatch.setattr(instance, "known", lambda: [SANDBOX, other, stopped])
    monkeypatch.setattr(network, "links_of", lambda one: [] if one is stopped else ["cable"])
    monkeypatch.setattr(health, "Api", lambda one, _keys: one)
    monkeypatch.setattr(
        health, "ask", lambda one: [Health("cp01", {}), Health("worker01", sick if one is other else {})]
    )
    facts = doctor.look_inside(doctor.Facts())
    assert facts.running == {"x": "", "other": "worker01: DNS over TCP does not answer (x)"}
    told = {one.what: one for one in doctor.judge(facts)}
    assert told["sandbox x runs: DNS and Services answer a pod on every node"].level == "ok"
    found = told["sandbox other runs, but worker01: DNS over TCP does not answer (x)"]
    assert (found.level, found.advice.split(",")[0]) == ("error", "python -m sandbox --name other up")
    assert doctor.look_inside(doctor.Facts(uid=1000)).running == {}


def test_a_sandbox_that_cannot_be_asked_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(instance, "STATE", tmp_path)
    assert "No such file" in health.complaint(SANDBOX)
    monkeypatch.setattr(health, "Api", lambda *_: None)

    def silent(_api: object) -> list[Health]:
        raise SandboxError("the API server at x does not answer: refused\nmore")

    monkeypatch.setattr(health, "ask", silent)
    assert health.complaint(SANDBOX) == "the API server at x does not answer: refused"
