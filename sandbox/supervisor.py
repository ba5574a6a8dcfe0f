"""PID 1 of a node: sets its network up, keeps its services running, reaps orphans, takes orders.

Runs inside the node with the node's own Python; standard library only. Reads /run/sandbox/spec.json:
``network`` (see `configure_network`) and ``services``, each ``{name, argv, env, wait, at_stop}``, where
``wait`` lists conditions: ``{"path": P}`` exists, ``{"tcp": "address:port"}`` accepts.

Orders come as one JSON document per connection to /run/sandbox/control.sock:
``{"do": "status"}``, or ``{"do": "start" | "stop" | "restart", "service": NAME}``; the answer is a JSON document.
A stopped service stays stopped when the node starts again.
"""

from __future__ import annotations

import errno
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

RUN = Path("/run/sandbox")
DISABLED = Path("/var/lib/sandbox/disabled")
LOGS = Path("/var/log/sandbox")

#: A service that dies is started again after this long, doubled for each quick death up to the longest.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 5.0
#: A service that lived this long did not die quickly.
STEADY_SECONDS = 10.0
#: Logs are cut at this size; what was there before stays in ``<name>.log.1``.
LOG_BYTES = 16 << 20
TICK_SECONDS = 0.05
STOP_SECONDS = 5.0


def next_pause(previous_seconds: float, lived_seconds: float) -> float:
    """How long to wait before a service that died is started again."""
    if lived_seconds >= STEADY_SECONDS:
        return FIRST_PAUSE_SECONDS
    return min(LONGEST_PAUSE_SECONDS, max(FIRST_PAUSE_SECONDS, previous_seconds * 2))


def holds(condition: dict[str, str]) -> bool:
    """Whether a condition of ``wait`` is met now."""
    if "path" in condition:
        return Path(condition["path"]).exists()
    host, _, port = condition["tcp"].rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=0.2):
            return True
    except OSError:
        return False


def rotate(log: Path, limit: int = LOG_BYTES) -> None:
    """Keep a log below the limit; whoever has it open for appending goes on in the emptied file."""
    if log.exists() and log.stat().st_size > limit:
        shutil.copyfile(log, log.with_name(log.name + ".1"))
        os.truncate(log, 0)


class Service:
    """A program that is to run, with what became of it so far."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.name: str = spec["name"]
        self.argv: list[str] = spec["argv"]
        self.env: dict[str, str] = spec.get("env", {})
        self.wait: list[dict[str, str]] = spec.get("wait", [])
        self.at_stop: list[str] = spec.get("at_stop", [])
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.not_before = 0.0
        self.pause_seconds = 0.0
        self.restarts = -1
        self.last_exit: int | None = None
        self.waits_for: dict[str, str] | None = None

    @property
    def marker(self) -> Path:
        """This file exists while the service is to stay stopped."""
        return DISABLED / self.name

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return LOGS / f"{self.name}.log"

    def tick(self, now: float) -> None:
        """Start it if it is to run, does not, and its conditions hold; note its death."""
        if self.process is not None:
            code = self.process.poll()
            if code is None:
                return
            self.note(f"ended with exit code {code}")
            self.last_exit, self.process = code, None
            self.pause_seconds = next_pause(self.pause_seconds, now - self.started)
            self.not_before = now + self.pause_seconds
        if self.marker.exists() or now < self.not_before:
            return
        self.waits_for = next((condition for condition in self.wait if not holds(condition)), None)
        if self.waits_for is None:
            self.start(now)

    def start(self, now: float) -> None:
        """Start the program, its output appended to the log."""
        self.restarts += 1
        self.started = now
        try:
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    self.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **self.env},
                    start_new_session=True,
                )
        except OSError as error:
            self.note(f"cannot be started: {error}")
            self.pause_seconds = next_pause(self.pause_seconds, 0)
            self.not_before = now + self.pause_seconds

    def stop(self) -> None:
        """End the program, in peace if it can, and undo what it leaves behind."""
        process, self.process = self.process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self.last_exit = process.returncode
        if self.at_stop:
            subprocess.run(
                self.at_stop, stdin=subprocess.DEVNULL, capture_output=True, timeout=STOP_SECONDS, check=False
            )

    def note(self, text: str) -> None:
        """Write a line of ours into the service's log."""
        with self.log.open("a") as log:
            log.write(f"supervisor: {self.name} {text}\n")

    def state(self) -> dict[str, Any]:
        """What ``status`` says about it."""
        running = self.process is not None and self.process.poll() is None
        word = (
            "running" if running else "stopped" if self.marker.exists() else "waiting" if self.waits_for else "failed"
        )
        return {
            "state": word,
            "pid": self.process.pid if running and self.process else None,
            "restarts": max(0, self.restarts),
            "last_exit": self.last_exit,
            "waits_for": self.waits_for if word == "waiting" else None,
        }


def configure_network(network: dict[str, Any], limit_seconds: float = 60) -> None:
    """Wait for ``eth0`` and give it addresses and routes.

    Args:
        network: ``addresses`` of eth0 and ``loopback`` of lo, in CIDR form; ``routes``: pairs of a
            destination and a gateway, where a gateway of ``""`` means directly on eth0.
        limit_seconds: when to give up waiting.
    """

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, timeout=10)

    for name in ("all", "default"):
        Path(f"/proc/sys/net/ipv4/conf/{name}/rp_filter").write_text("0")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    ip("link", "set", "lo", "up")
    for address in network.get("loopback", []):
        ip("address", "replace", address, "dev", "lo")
    deadline = time.monotonic() + limit_seconds
    while not Path("/sys/class/net/eth0").exists():
        if time.monotonic() > deadline:
            raise SystemExit(f"no eth0 after {limit_seconds:.0f} s: nobody plugged a cable in")
        time.sleep(0.02)
    for address in network["addresses"]:
        ip("address", "replace", address, "dev", "eth0")
    ip("link", "set", "eth0", "up")
    for destination, gateway in network["routes"]:
        ip("route", "replace", destination, *(["via", gateway] if gateway else []), "dev", "eth0")


def answer(order: dict[str, Any], services: dict[str, Service]) -> dict[str, Any]:
    """Carry an order out and say how it went."""
    verb, name = order.get("do"), order.get("service", "")
    if verb == "status":
        return {name: service.state() for name, service in services.items()}
    if name not in services:
        return {"error": f"there is no service {name!r}; services are: {', '.join(services)}"}
    service = services[name]
    if verb in ("stop", "restart"):
        if verb == "stop":
            service.marker.parent.mkdir(parents=True, exist_ok=True)
            service.marker.touch()
        service.stop()
    if verb in ("start", "restart"):
        service.marker.unlink(missing_ok=True)
        service.not_before = service.pause_seconds = 0.0
        service.tick(time.monotonic())
    if verb not in ("start", "stop", "restart"):
        return {"error": f"unknown order {verb!r}"}
    return service.state()


def take_order(listener: socket.socket, services: dict[str, Service]) -> None:
    """Serve one connection; a client that says nothing sensible does no harm."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(2)
        try:
            order = json.loads(connection.makefile("r").readline())
            connection.sendall(json.dumps(answer(order, services)).encode() + b"\n")
        except (OSError, ValueError, AttributeError) as error:
            print(f"bad order: {error}", file=sys.stderr, flush=True)


def reap(services: dict[str, Service]) -> None:
    """Collect orphans of the node (container shims and the like); services are collected by their own object."""
    ours = {service.process.pid for service in services.values() if service.process}
    while True:
        try:
            dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if dead is None or dead.si_pid in ours:
            return
        os.waitpid(dead.si_pid, os.WNOHANG)


def confine(top: Path = Path("/sys/fs/cgroup"), limit_seconds: float = 20) -> None:
    """Leave the top group of version 2: it may hold no process once its children get controllers.

    Args:
        top: the group at the root of our control group namespace.
        limit_seconds: how long to wait for the process that started us to be moved away too; it is outside
            of our PID namespace, so only the sandbox itself can do that (`cgroups.move_launcher`).

    Raises:
        OSError: a controller cannot be given to the children.
    """
    if not (top / "cgroup.controllers").exists():
        return
    leaf = top / "sandbox-services"
    leaf.mkdir(exist_ok=True)
    for pid in (top / "cgroup.procs").read_text().split():
        # Zero is a process that we cannot see.
        if pid != "0":
            (leaf / "cgroup.procs").write_text(pid)
    deadline = time.monotonic() + limit_seconds
    for controller in (top / "cgroup.controllers").read_text().split():
        while True:
            try:
                (top / "cgroup.subtree_control").write_text(f"+{controller}")
                break
            except OSError as error:
                if error.errno != errno.EBUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


def main() -> None:
    """Bring the node up and look after it for ever."""
    spec = json.loads((RUN / "spec.json").read_text())
    LOGS.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    confine()
    services = {service["name"]: Service(service) for service in spec["services"]}
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(RUN / "control.sock"))
    listener.listen(16)
    configure_network(spec["network"])
    (RUN / "network-ready").touch()
    next_rotation = 0.0
    while True:
        now = time.monotonic()
        for service in services.values():
            service.tick(now)
        reap(services)
        if now > next_rotation:
            for service in services.values():
                rotate(service.log)
            next_rotation = now + 30
        if select.select([listener], [], [], TICK_SECONDS)[0]:
            take_order(listener, services)


if __name__ == "__main__":
    main()
