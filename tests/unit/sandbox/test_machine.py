"""What runs inside a node (init, supervisor, outside server), and what the machine's tables say."""

from __future__ import annotations

import json
import socket
import sys
import time
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import cgroups, init, outside_server, supervisor
from sandbox.down import mounts_below
from sandbox.errors import SandboxError
from sandbox.network import parse_routes
from sandbox.process import run, wait_for


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(supervisor, "LOGS", tmp_path)
    monkeypatch.setattr(supervisor, "DISABLED", tmp_path / "disabled")
    return tmp_path


def service(*argv: str, **more: object) -> supervisor.Service:
    return supervisor.Service({"name": "thing", "argv": list(argv), **more})


def test_service_that_dies_is_started_again_after_a_pause(folders: Path) -> None:
    one = service(sys.executable, "-c", "print('alive'); raise SystemExit(3)")
    one.tick(100.0)
    assert one.process is not None
    one.process.wait(10)
    one.tick(100.1)
    assert one.process is None
    assert one.last_exit == 3
    assert one.state()["state"] == "failed"
    one.tick(100.2)
    assert one.process is None, "too early"
    one.tick(100.1 + supervisor.FIRST_PAUSE_SECONDS)
    assert one.process is not None
    one.process.wait(10)
    assert one.state()["restarts"] == 1
    log = one.log.read_text()
    assert log.startswith("alive\n")
    assert "supervisor: thing ended with exit code 3" in log


@given(st.floats(0, 100), st.floats(0, 1000))
def test_pauses_are_bounded(previous: float, lived: float) -> None:
    pause = supervisor.next_pause(previous, lived)
    assert supervisor.FIRST_PAUSE_SECONDS <= pause <= supervisor.LONGEST_PAUSE_SECONDS
    if lived >= supervisor.STEADY_SECONDS:
        assert pause == supervisor.FIRST_PAUSE_SECONDS


def test_service_waits_for_its_conditions(folders: Path) -> None:
    one = service("sleep", "60", wait=[{"path": str(folders / "flag")}])
    one.tick(1.0)
    assert one.state() == {
        "state": "waiting",
        "pid": None,
        "restarts": 0,
        "last_exit": None,
        "waits_for": {"path": str(folders / "flag")},
    }
    (folders / "flag").touch()
    one.tick(2.0)
    assert one.state()["state"] == "running"
    one.stop()


def test_tcp_condition() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        assert supervisor.holds({"tcp": address})
    assert not supervisor.holds({"tcp": address})


def test_stopped_service_stays_stopped_and_cleans_up(folders: Path) -> None:
    one = service("sleep", "60", at_stop=["touch", str(folders / "cleaned")])
    services = {"thing": one}
    one.tick(1.0)
    process = one.process
    assert process is not None
    assert supervisor.answer({"do": "stop", "service": "thing"}, services)["state"] == "stopped"
    assert process.poll() is not None
    assert (folders / "cleaned").exists()
    one.tick(100.0)
    again = service("sleep", "60")
    again.tick(100.0)
    assert one.process is None
    assert again.process is None, "a stopped service stays stopped when the node starts again"
    assert supervisor.answer({"do": "start", "service": "thing"}, services)["state"] == "running"
    one.stop()


def test_program_that_is_not_there_is_noted(folders: Path) -> None:
    one = service("/no/such/program")
    one.tick(1.0)
    assert "cannot be started" in one.log.read_text()
    assert one.state()["state"] == "failed"


def test_unknown_orders_are_refused(folders: Path) -> None:
    services = {"thing": service("true")}
    assert "no service 'other'" in supervisor.answer({"do": "stop", "service": "other"}, services)["error"]
    assert "unknown order" in supervisor.answer({"do": "dance", "service": "thing"}, services)["error"]
    assert supervisor.answer({"do": "status"}, services)["thing"]["state"] == "failed"


def test_log_is_cut_but_its_writer_goes_on(folders: Path) -> None:
    log = folders / "thing.log"
    with log.open("a") as writer:
        writer.write("x" * 100)
        writer.flush()
        supervisor.rotate(log, limit=50)
        writer.write("new")
    assert log.read_text() == "new"
    assert (folders / "thing.log.1").read_text() == "x" * 100


def test_files_of_a_node_are_written_and_edits_are_kept(tmp_path: Path) -> None:
    def file(path: str, text: str, *, keep: bool = False) -> dict[str, object]:
        return {"path": path, "text": text, "mode": 0o600, "keep": keep}

    init.write_files(tmp_path, [file("/etc/plain", "1"), file("/etc/kept", "1", keep=True)])
    assert (tmp_path / "etc/plain").stat().st_mode & 0o777 == 0o600
    init.write_files(tmp_path, [file("/etc/plain", "2"), file("/etc/kept", "2", keep=True)])
    assert (tmp_path / "etc/kept").read_text() == "2", "nobody edited it"
    (tmp_path / "etc/plain").write_text("edited")
    (tmp_path / "etc/kept").write_text("edited")
    init.write_files(tmp_path, [file("/etc/plain", "3"), file("/etc/kept", "3", keep=True)])
    assert (tmp_path / "etc/plain").read_text() == "3"
    assert (tmp_path / "etc/kept").read_text() == "edited"


def test_outside_server_speaks_http_and_echoes_the_rest() -> None:
    answer, over = outside_server.reply(b"GET / HTTP/1.1\r\n\r\n", "10.244.1.2")
    assert over
    assert answer.endswith(b"\r\n\r\noutside saw 10.244.1.2\n")
    assert outside_server.reply(b"HEAD / HTTP/1.1\r\n\r\n", "x")[0].endswith(b"\r\n\r\n")
    assert outside_server.reply(b"hello", "x") == (b"hello", False)


def test_routes_of_the_machine() -> None:
    routes = [{"dst": "default"}, {"dst": "10.250.0.0/24"}, {"dst": "192.0.2.7"}, {"dst": "broadcast"}]
    assert parse_routes(routes) == [IPv4Network("10.250.0.0/24"), IPv4Network("192.0.2.7/32")]


def test_mounts_below_a_folder_innermost_first() -> None:
    table = "1 2 0:1 / /state/a rw\n1 2 0:1 / /state/a/b\\040c rw\n1 2 0:1 / /state/ab rw\n1 2 0:1 / / rw\n"
    assert mounts_below(Path("/state/a"), table) == ["/state/a/b c", "/state/a"]


def hierarchy(root: Path, names: list[str]) -> None:
    for name in names:
        (root / name).mkdir(parents=True)
        if name == "cpuset":
            (root / name / "cpuset.cpus").write_text("0-1\n")
            (root / name / "cpuset.mems").write_text("0\n")


def test_groups_of_version_1_are_made_in_every_hierarchy(tmp_path: Path) -> None:
    hierarchy(tmp_path, ["memory", "cpuset", "cpu,cpuacct"])
    (tmp_path / "cpu").symlink_to("cpu,cpuacct")
    groups = cgroups.ensure_groups("parent", "node", tmp_path)
    assert [str(group.relative_to(tmp_path)) for group in groups] == [
        "cpu,cpuacct/parent/node",
        "cpuset/parent/node",
        "memory/parent/node",
    ]
    assert cgroups.ensure_groups("parent", "node", tmp_path) == groups
    (tmp_path / "memory/parent/node/cgroup.procs").write_text("7\n0\n9\n")
    assert cgroups.processes("parent", tmp_path) == {7, 9}
    (tmp_path / "memory/parent/node/cgroup.procs").unlink()
    assert cgroups.remove("parent", root=tmp_path) == []
    assert not (tmp_path / "cpuset/parent").exists()


def test_groups_of_version_2_get_the_controllers(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    (tmp_path / "parent").mkdir()
    (tmp_path / "parent/cgroup.controllers").write_text("cpu memory\n")
    assert cgroups.ensure_groups("parent", "node", tmp_path) == [tmp_path / "parent/node"]
    # A real kernel keeps all that was written; a plain file the last.
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory"
    assert (tmp_path / "parent/cgroup.subtree_control").read_text() == "+memory"


@pytest.mark.parametrize(
    ("version", "file", "weight"), [(1, "cpu/parent/cpu.shares", "8192"), (2, "parent/cpu.weight", "800")]
)
def test_a_sandbox_weighs_as_much_as_several_processes(version: int, file: str, weight: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text("1024" if version == 1 else "100")
    if version == 2:
        for name in (".", "parent"):
            (tmp_path / name / "cgroup.controllers").write_text("cpu\n")
    (group,) = cgroups.ensure_groups("parent", "node", tmp_path)
    assert (tmp_path / file).read_text() == weight
    # Its nodes share that as they did.
    assert not (group / Path(file).name).exists()


def test_launcher_of_a_node_leaves_its_group_in_version_2(tmp_path: Path) -> None:
    (tmp_path / "parent").mkdir()
    cgroups.move_launcher("parent", 7, tmp_path)
    assert not (tmp_path / "parent/launchers").exists()
    (tmp_path / "cgroup.controllers").touch()
    cgroups.move_launcher("parent", 7, tmp_path)
    assert (tmp_path / "parent/launchers/cgroup.procs").read_text() == "7"


def test_supervisor_leaves_the_top_group_in_version_2(tmp_path: Path) -> None:
    supervisor.confine(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "cgroup.controllers").write_text("memory\n")
    (tmp_path / "cgroup.procs").write_text("1\n0\n")
    supervisor.confine(tmp_path)
    assert (tmp_path / "sandbox-services/cgroup.procs").read_text() == "1"
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+memory"


def test_memory_of_a_group(tmp_path: Path) -> None:
    (tmp_path / "memory/parent").mkdir(parents=True)
    (tmp_path / "memory/parent/memory.stat").write_text("cache 5\ntotal_rss 1048576\n")
    assert cgroups.memory_bytes("parent", tmp_path) == 1 << 20
    assert cgroups.memory_bytes("absent", tmp_path) is None


def test_programs_that_fail_are_quoted(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"exit code 3 from: sh -c(.|\n)*went wrong"):
        run(["sh", "-c", "echo went wrong >&2; exit 3"])
    with pytest.raises(SandboxError, match="/no/such is not installed"):
        run(["/no/such"])
    with pytest.raises(SandboxError, match="still running after 0 s"):
        run(["sleep", "5"], timeout_seconds=0.1)
    assert run(["cat"], text_input="given").stdout == "given"


def test_waiting_ends_with_a_sentence() -> None:
    began = time.monotonic()
    with pytest.raises(SandboxError, match="in vain for: the moon") as caught:
        wait_for("the moon", lambda: False, timeout_seconds=0.1, hint="look up")
    assert caught.value.hint == "look up"
    assert time.monotonic() - began < 5
    assert wait_for("a value", lambda: json.loads("[1]"), timeout_seconds=1) == [1]
