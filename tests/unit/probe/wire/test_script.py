"""The programs that run in pods: with each tool that an image may have, in a real shell, on loopback addresses."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.probe.wire.bash_script import BASH
from ansible_collections.falconet.k8s.plugins.module_utils.probe.wire.node_python import NODE_PYTHON
from ansible_collections.falconet.k8s.plugins.module_utils.probe.wire.node_script import (
    CNI_FILES,
    LISTEN_SHELL,
    NODE_SHELL,
    SILENCE,
)
from ansible_collections.falconet.k8s.plugins.module_utils.probe.wire.protocol import (
    PROBE_FAILED,
    VERDICTS,
    Settings,
    Target,
    node_input,
    pod_input,
    read,
)
from ansible_collections.falconet.k8s.plugins.module_utils.probe.wire.script import PYTHON, READER, SHELL
from hypothesis import given, settings
from hypothesis import strategies as st

from ...kube.cluster import closed_port, listening

ADDRESS = "127.0.0.9"
# What every image with a shell has; the tools to be tested come on top.
BASE = ("sh", "grep", "wc", "true", "timeout", "cat", "head", "sort", "tr")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with listening(ADDRESS) as number:
        yield number


def image(tmp_path: Path, *tools: str) -> str:
    """A directory with some programs, as PATH."""
    for name in (*BASE, *tools):
        found = shutil.which(name)
        if found is None:
            pytest.skip(reason=f"this machine has no {name}")
        (tmp_path / name).symlink_to(Path(found).resolve())
    return str(tmp_path)


def run(path: str, targets: list[Target]) -> tuple[dict[int, str], dict[int, str]]:
    """Verdicts and tools by the targets' numbers."""
    done = subprocess.run(
        ["/bin/sh", *READER[1:]],
        input=pod_input(targets, Settings(wait_seconds=1)),
        capture_output=True,
        env={"PATH": path},
        timeout=60,
        check=True,
    )
    attempts = read(done.stdout.decode(), targets, error=done.stderr.decode())
    return {n: a.verdict for n, a in attempts.items()}, {n: a.tool for n, a in attempts.items()}


@pytest.mark.parametrize(("tools", "expected"), [(("python3",), "python3"), (("bash",), "bash"), (("nc",), "nc")])
def test_each_tool_tells_open_closed_and_unknown_names_apart(
    tmp_path: Path, port: int, tools: tuple[str, ...], expected: str
) -> None:
    path = image(tmp_path, *tools)
    closed = closed_port(ADDRESS)
    targets = [
        Target(1, "TCP", ADDRESS, port),
        Target(2, "TCP", ADDRESS, closed),
        Target(3, "TCP", "no-such-name.invalid", 80),
        Target(4, "TCP", "::1", closed_port(ADDRESS)),
    ]
    verdicts, used = run(path, targets)
    assert verdicts == {1: "allowed", 2: "refused", 3: "unresolved", 4: "refused"}
    assert set(used.values()) == {expected}


@pytest.mark.parametrize("tool", ["python3", "bash", "nc"])
def test_udp_is_open_when_it_answers(tmp_path: Path, port: int, tool: str) -> None:
    targets = [Target(1, "UDP", ADDRESS, port), Target(2, "UDP", ADDRESS, closed_port(ADDRESS))]
    verdicts, used = run(image(tmp_path, tool), targets)
    if tool == "nc" and not used[1]:
        pytest.skip(reason="this machine's nc has no UDP")
    # Netcat hears nothing of a closed port.
    assert verdicts == {1: "allowed", 2: "dropped" if tool == "nc" else "refused"}


@pytest.mark.parametrize("tool", ["python3", "bash", "nc"])
def test_each_tool_has_ipv6(tmp_path: Path, tool: str) -> None:
    with listening("::1") as number:
        targets = [Target(1, "TCP", "::1", number), Target(2, "TCP", "::1", closed_port("::1"))]
        if tool != "nc":
            targets += [Target(3, "UDP", "::1", number), Target(4, "UDP", "::1", closed_port("::1"))]
        verdicts, used = run(image(tmp_path, tool), targets)
    expected = {1: "allowed", 2: "refused", 3: "allowed", 4: "refused"}
    assert verdicts == {target.ident: expected[target.ident] for target in targets}
    assert set(used.values()) == {tool}


def counted(tmp_path: Path, tool: str, shell: str) -> Path:
    """Has each start of a tool noted in a file."""
    log = tmp_path / "started"
    real = (tmp_path / tool).resolve()
    (tmp_path / tool).unlink()
    (tmp_path / tool).write_text(f'#!{shell}\necho x >>{log}\nexec {real} "$@"\n')
    (tmp_path / tool).chmod(0o755)
    return log


def test_python_starts_once_for_all_protocols(tmp_path: Path, port: int) -> None:
    path = image(tmp_path, "python3")
    log = counted(tmp_path, "python3", "/bin/sh")
    targets = [Target(n, protocol, ADDRESS, port) for n, protocol in enumerate(("TCP", "UDP") * 5)]
    verdicts, used = run(path, targets)
    assert set(verdicts.values()) == {"allowed"}
    assert set(used.values()) == {"python3"}
    assert log.read_text() == "x\n"


def test_a_python_that_does_not_work_leaves_it_to_the_next_tool(tmp_path: Path, port: int) -> None:
    path = image(tmp_path, "bash")
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    verdicts, used = run(path, [Target(1, "TCP", ADDRESS, port), Target(2, "UDP", ADDRESS, port)])
    assert (verdicts, used) == ({1: "allowed", 2: "allowed"}, {1: "bash", 2: "bash"})


def test_a_python_that_cannot_try_a_protocol_says_so(tmp_path: Path, port: int) -> None:
    path = image(tmp_path)
    python = tmp_path / "python3"
    python.write_text("#!/bin/sh\ncat >/dev/null\necho 'N tcp probe_failed (no sockets)'\n")
    python.chmod(0o755)
    targets = [Target(1, "TCP", ADDRESS, port)]
    done = subprocess.run(
        ["/bin/sh", *READER[1:]], input=pod_input(targets, Settings()), capture_output=True, env={"PATH": path}
    )
    attempt = read(done.stdout.decode(), targets)[1]
    assert attempt.verdict == PROBE_FAILED
    assert "python3 says probe_failed (no sockets) of a closed port" in attempt.detail


def test_one_bash_tries_everything_of_a_protocol_side_by_side(tmp_path: Path, port: int) -> None:
    """Many that never answer and some that do: each has its own deadline, and only its own."""
    silent = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(60)]
    try:
        for sock in silent:
            sock.bind((ADDRESS, 0))
        targets = [Target(n, "UDP", ADDRESS, sock.getsockname()[1]) for n, sock in enumerate(silent)]
        targets += [Target(100 + n, "UDP", ADDRESS, port) for n in range(20)]
        targets += [Target(200, "UDP", "localhost", closed_port("127.0.0.1")), Target(201, "UDP", "no.invalid", 1)]
        path = image(tmp_path, "bash")
        log = counted(tmp_path, "bash", str((tmp_path / "bash").resolve()))
        done = subprocess.run(
            ["/bin/sh", *READER[1:]],
            input=pod_input(targets, Settings(wait_seconds=3)),
            capture_output=True,
            env={"PATH": path},
            timeout=60,
            check=True,
        )
    finally:
        for sock in silent:
            sock.close()
    attempts = read(done.stdout.decode(), targets)
    assert [attempts[n].verdict for n in range(60)] == ["dropped"] * 60
    assert [attempts[100 + n].verdict for n in range(20)] == ["allowed"] * 20
    assert (attempts[200].verdict, attempts[201].verdict) == ("refused", "unresolved")
    assert all((attempts[100 + n].latency_ms or 0) < 3000 for n in range(20))
    assert log.read_text() == "x\n"


@pytest.mark.parametrize("sed", ["no sed", "sed", "busybox"])
def test_the_input_ends_by_itself(tmp_path: Path, port: int, sed: str) -> None:
    """An exec stream stays open, so whoever reads the input must not wait for its end."""
    path = image(tmp_path, "bash", *([] if sed == "no sed" else [sed]))
    if sed == "busybox":
        (tmp_path / sed).rename(tmp_path / "sed")
    targets = [Target(1, "TCP", ADDRESS, port), Target(2, "UDP", ADDRESS, port)]
    with subprocess.Popen(
        ["/bin/sh", *READER[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": path}
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write(pod_input(targets, Settings()))
        process.stdin.flush()
        waiting = threading.Timer(20, process.kill)
        waiting.start()
        output = process.stdout.read().decode()
        waiting.cancel()
    attempts = read(output, targets)
    assert [attempts[n].verdict for n in (1, 2)] == ["allowed", "allowed"], output


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_bash_to_which_a_closed_port_is_open_tries_nothing(protocol: str) -> None:
    """As where something between answers for everybody, such as the sidecar of a service mesh."""
    opened = BASH.replace("connect_tcp() {", "connect_tcp() { return;").replace("ask_udp() {", "ask_udp() { return;")
    for program, ends in ((BASH, 0), (opened, 1)):
        command = ["bash", "-c", program, "many", protocol, "1", "8", "x", "x"]
        done = subprocess.run(command, input=b"", capture_output=True, timeout=20)
        assert (done.returncode, bool(done.stdout)) == (ends, ends == 0)


def test_an_image_without_tools_says_so(tmp_path: Path, port: int) -> None:
    targets = [Target(1, "TCP", ADDRESS, port)]
    path = image(tmp_path)
    done = subprocess.run(
        ["/bin/sh", *READER[1:]], input=pod_input(targets, Settings()), capture_output=True, env={"PATH": path}
    )
    attempt = read(done.stdout.decode(), targets)[1]
    assert attempt.verdict == PROBE_FAILED
    assert "no python3, bash, nc or agnhost in the image" in attempt.detail


def test_a_tool_that_calls_everything_open_is_not_used(tmp_path: Path, port: int) -> None:
    path = image(tmp_path)
    liar = tmp_path / "nc"
    liar.write_text("#!/bin/sh\nexit 0\n")
    liar.chmod(0o755)
    verdicts, used = run(path, [Target(1, "TCP", ADDRESS, port)])
    assert (verdicts[1], used[1]) == (PROBE_FAILED, "")


@pytest.mark.parametrize("bound", [1, 7])
def test_more_targets_than_may_be_open_at_once(tmp_path: Path, port: int, bound: int) -> None:
    targets = [Target(n, "TCP", ADDRESS, port) for n in range(20)]
    done = subprocess.run(
        ["/bin/sh", *READER[1:]],
        input=pod_input(targets, Settings(bound=bound)),
        capture_output=True,
        env={"PATH": image(tmp_path, "bash")},
    )
    assert {a.verdict for a in read(done.stdout.decode(), targets).values()} == {"allowed"}


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "busybox"])
def test_the_programs_are_posix(shell: str) -> None:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(reason=f"this machine has no {shell}")
    command = [found, "sh"] if shell == "busybox" else [found]
    for text in (SHELL, NODE_SHELL, LISTEN_SHELL, SILENCE[2], CNI_FILES[2]):
        assert subprocess.run([*command, "-n"], input=text, text=True).returncode == 0


@pytest.mark.parametrize("host", ["$(reboot)", "a b", "'", "-oProxyCommand", "a;b", "", "x" * 300])
def test_what_is_no_host_never_reaches_a_shell(host: str) -> None:
    with pytest.raises(KubeError, match="not a target"):
        pod_input([Target(1, "TCP", host, 80)], Settings())


@pytest.mark.parametrize(("protocol", "port"), [("ICMP", 80), ("TCP", 0), ("TCP", 65536)])
def test_what_is_no_port_is_refused(protocol: str, port: int) -> None:
    with pytest.raises(KubeError, match="not a target"):
        node_input([("uid", "192.0.2.1", [Target(1, protocol, "192.0.2.1", port)])], Settings())


def wait_until(condition: Callable[[], bool], limit_seconds: float = 10.0) -> None:
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def by_node_python(pods: str, abreast: int = 2) -> str:
    """What the program prints that tries all pods of a node, on this machine; an empty process id enters nothing."""
    head = [sys.executable, "-I", "-S", "-c", NODE_PYTHON, "1", "128", "00", "00", str(abreast), PYTHON]
    return subprocess.run(head, input=pods, capture_output=True, text=True, check=True, timeout=60).stdout


def test_one_python_tries_the_connections_of_all_pods_of_a_node(port: int) -> None:
    if os.geteuid():
        pytest.skip(reason="root alone enters network namespaces")
    pods = [
        f"P u{n} {os.getpid()}\n{n} tcp {ADDRESS} {port}\n{n + 10} udp {ADDRESS} {closed_port(ADDRESS)}\n"
        for n in range(5)
    ]
    found = sorted(line.split()[1:3] for line in by_node_python("".join(pods)).splitlines())
    assert found == sorted([[str(n), "allowed"] for n in range(5)] + [[str(n + 10), "refused"] for n in range(5)])


def test_a_python_that_does_not_call_closed_ports_closed_tries_nothing() -> None:
    lies = "for number in range(2): print('R', number, 'allowed 1', flush=True)"
    head = [sys.executable, "-I", "-S", "-c", NODE_PYTHON, "1", "128", "00", "00", "2", lies]
    done = subprocess.run(head, input=f"P here {os.getpid()}\n", capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not call a closed port closed" in done.stderr


def test_what_is_tried_for_a_pod_is_tried_from_its_network(port: int) -> None:
    if os.geteuid() or not shutil.which("unshare"):
        pytest.skip(reason="root alone makes network namespaces")
    # A namespace of its own, in which not even the loopback is up.
    with subprocess.Popen(["unshare", "--net", "sleep", "60"]) as apart:
        try:
            own, other = Path("/proc/self/ns/net"), Path(f"/proc/{apart.pid}/ns/net")
            wait_until(lambda: other.readlink() != own.readlink())
            pods = f"P apart {apart.pid}\n1 tcp {ADDRESS} {port}\nP here {os.getpid()}\n2 tcp {ADDRESS} {port}\n"
            found = dict(line.split()[1:3] for line in by_node_python(pods).splitlines())
        finally:
            apart.kill()
    assert found == {"1": "probe_failed", "2": "allowed"}


def test_a_pod_whose_process_ended_is_told_and_the_others_are_tried(port: int) -> None:
    own = os.getpid() if os.geteuid() == 0 else None
    pods = f"P gone 999999999\n1 tcp {ADDRESS} {port}\n" + (f"P here {own}\n2 tcp {ADDRESS} {port}\n" if own else "")
    lines = sorted(by_node_python(pods).splitlines())
    assert lines[-1].startswith("X gone its network namespace could not be entered: ")
    assert not own or lines[0].startswith("R 2 allowed ")


def test_a_pod_that_cannot_be_entered_fails_its_own_targets_only() -> None:
    targets = [Target(1, "TCP", "192.0.2.1", 80), Target(2, "TCP", "192.0.2.1", 80)]
    output = "T tcp nc \nX u1 none of its processes runs on this node\nR 2 allowed 3 \nE\n"
    attempts = read(output, targets, {"u1": [1], "u2": [2]})
    assert (attempts[1].verdict, attempts[1].detail) == (PROBE_FAILED, "none of its processes runs on this node")
    assert (attempts[2].verdict, attempts[2].latency_ms) == ("allowed", 3.0)


def test_a_report_that_was_cut_off_leaves_failed_probes() -> None:
    targets = [Target(1, "TCP", "192.0.2.1", 80), Target(2, "TCP", "192.0.2.1", 81)]
    attempts = read("T tcp nc \nR 1 dropped 2000 timed out\n", targets, error="Killed")
    assert attempts[1].verdict == "dropped"
    assert (attempts[2].verdict, attempts[2].detail) == (PROBE_FAILED, "the probe was cut off: Killed")


@settings(deadline=None)
@given(st.text(alphabet="RTXE 0123abcdelowpd\n-.", max_size=200), st.integers(1, 4))
def test_no_output_makes_a_verdict_out_of_nothing(output: str, count: int) -> None:
    targets = [Target(n, "TCP", "192.0.2.1", 80) for n in range(count)]
    attempts = read(output, targets, {"0": [0]})
    assert set(attempts) == set(range(count))
    for number, attempt in attempts.items():
        assert attempt.verdict in VERDICTS
        if attempt.verdict != PROBE_FAILED:
            assert f"R {number} {attempt.verdict}" in output
