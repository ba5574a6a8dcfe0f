"""A machine of the sandbox: its specification, starting it, finding it, giving it orders, ending it."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import cgroups, control_plane, network, node_files
from sandbox.cache import cache_root, digest, digest_files, produce, write_atomically
from sandbox.errors import SandboxError
from sandbox.instance import (
    BALANCER,
    BALANCER_NUMBER,
    OUTSIDE,
    OUTSIDE_ADDRESS,
    OUTSIDE_NETWORK,
    OUTSIDE_NUMBER,
    POD_NETWORK,
    SERVICE_NETWORK,
    Instance,
    Node,
)
from sandbox.process import tail_file, wait_for

HERE = Path(__file__).resolve().parent
AGENT = HERE / "netpol_agent"
LIBRARY = "usr/local/lib/sandbox"
IMAGES_READY = "/run/sandbox/images-ready"

#: Names by which the Kubernetes program is called on a node.
_KUBERNETES_LINKS = ("kubelet", "kube-proxy", "kubectl")
# A shell that moves itself into control groups ("0" means the writer) and becomes what follows "--".
_JOIN_GROUPS = 'while [ "$1" != -- ]; do echo 0 > "$1/cgroup.procs"; shift; done; shift; exec "$@"'
OUTSIDE_TCP_PORTS = (80, 443, 4444)
OUTSIDE_UDP_PORTS = (53, 4444)


@dataclass(frozen=True)
class Machine:
    """What the sandbox starts: a node or the outside world."""

    name: str
    number: int
    spec: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Hash of the specification; a machine that runs with another one is out of date."""
        return digest([json.dumps(self.spec, sort_keys=True)])


def program_layer(outputs: Mapping[str, Path]) -> Path:
    """A layer for the nodes' root with everything that does not come from Debian.

    Args:
        outputs: name of each build to its folder.

    Returns:
        A folder in the cache, to be laid over the root file system.
    """
    scripts = [HERE / name for name in ("supervisor.py", "outside_server.py", "api_balancer.py")]
    programs = {
        f"usr/local/bin/{name}": outputs["containerd"] / name
        for name in ("containerd", "containerd-shim-runc-v2", "ctr")
    }
    programs["usr/local/bin/kubernetes"] = outputs["kubernetes"] / "kubernetes"
    programs["usr/local/bin/ociwrap"] = outputs["ociwrap"] / "ociwrap"
    programs["usr/local/bin/helm"] = outputs["helm"] / "helm"
    programs |= {f"opt/cni/bin/{path.name}": path for path in sorted(outputs["cni"].iterdir())}
    programs |= {f"{LIBRARY}/{path.name}": path for path in scripts}

    def make(folder: Path) -> None:
        for name, source in programs.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                if source in scripts:
                    raise OSError
                # A second name for the same bytes; a copy where the cache spans file systems.
                os.link(source, target)
            except OSError:
                shutil.copy(source, target)
        for name in _KUBERNETES_LINKS:
            (folder / "usr/local/bin" / name).symlink_to("kubernetes")

    # Builds are named by their content; scripts are not, and another clone of the repository has the same elsewhere.
    named = [name if path in scripts else f"{name}={path}" for name, path in sorted(programs.items())]
    key = digest(named + [path.read_bytes() for path in scripts])
    return produce(cache_root() / "programs" / key, make)


def disk(instance: Instance, name: str) -> Path:
    """Where a machine keeps what outlives it: the writable part of its root, containerd's and the kubelet's state."""
    return instance.folder / "nodes" / name


def _common(instance: Instance, name: str, lower: Sequence[Path]) -> dict[str, Any]:
    folder = disk(instance, name)
    return {
        "instance": instance.name,
        "name": name,
        "lower": [str(path) for path in lower],
        "root": str(folder / "root"),
        "disk": str(folder),
        "binds": {"/var/log/sandbox": str(instance.logs(name))},
        "sysctls": node_files.SHIELDED_SYSCTLS,
        # Changes of init.py reach a machine when it starts again, so they make its specification another one.
        "init": digest([(HERE / "init.py").read_bytes()]),
    }


def _services(node: Node, api: str) -> list[dict[str, Any]]:
    etc = "/etc/kubernetes"
    containerd = {"path": "/run/containerd/containerd.sock"}
    ready = [containerd, {"path": IMAGES_READY}]
    # The control plane's kubelet starts the API server, so it alone does not wait for it.
    kubelet_waits = ready if node.control_plane else [*ready, {"tcp": api}]
    agent = ["--kubeconfig", f"{etc}/netpol-agent.conf", "--pod-cidr", str(POD_NETWORK), "--node-ip", "{address}"]
    return [
        {"name": "sshd", "argv": ["/usr/sbin/sshd", "-D", "-e"]},
        {"name": "containerd", "argv": ["/usr/local/bin/containerd"]},
        {
            "name": "kubelet",
            "argv": [
                "/usr/local/bin/kubelet",
                f"--config={etc}/kubelet.yaml",
                f"--kubeconfig={etc}/kubelet.conf",
                f"--hostname-override={node.name}",
                "--node-ip={address}",
            ],
            "wait": kubelet_waits,
        },
        {
            "name": "kube-proxy",
            "argv": ["/usr/local/bin/kube-proxy", f"--config={etc}/kube-proxy.yaml"],
            "wait": [{"tcp": api}],
        },
        {
            "name": "netpol-agent",
            "argv": ["/usr/bin/python3", "-m", "netpol_agent", *agent, "--state", "/run/sandbox/netpol-state.json"],
            "env": {"PYTHONPATH": f"/{LIBRARY}", "PYTHONUNBUFFERED": "1"},
            "wait": [{"path": f"/{LIBRARY}/netpol_agent/__main__.py"}, {"tcp": api}],
            "at_stop": ["nft", "delete", "table", "inet", "netpol"],
        },
    ]


def cluster_machine(instance: Instance, node: Node, lower: Sequence[Path], keys: Path) -> Machine:
    """The specification of a node.

    Args:
        instance: the sandbox.
        node: which of its nodes.
        lower: layers of the root file system, topmost first.
        keys: folder of `pki.ensure_keys`.
    """
    address = str(instance.address(node))
    api = f"{instance.api_address}:6443"
    spec = _common(instance, node.name, lower)
    for place in ("containerd", "kubelet", "etcd"):
        # On the machine's disk: overlayfs cannot have its writable part on another overlayfs.
        spec["binds"][f"/var/lib/{place}"] = f"{spec['disk']}/{place}"
    routes = [[str(SERVICE_NETWORK), ""], [str(OUTSIDE_NETWORK), str(instance.network[OUTSIDE_NUMBER])]]
    routes += [[str(other.pod_cidr), str(instance.address(other))] for other in instance.nodes if other != node]
    spec["network"] = {"addresses": [f"{address}/{instance.network.prefixlen}"], "routes": routes}
    spec["files"] = node_files.files(instance, node, keys)
    if node.control_plane:
        spec["files"] += control_plane.files(instance, node, keys / "kubernetes")
    spec["services"] = [
        {**service, "argv": [part.replace("{address}", address) for part in service["argv"]]}
        for service in _services(node, api)
    ]
    return Machine(node.name, node.number, spec)


def outside_machine(instance: Instance, lower: Sequence[Path]) -> Machine:
    """The specification of the world outside: an address beyond the nodes, with a server behind it."""
    spec = _common(instance, OUTSIDE, lower)
    address = f"{instance.network[OUTSIDE_NUMBER]}/{instance.network.prefixlen}"
    spec["network"] = {
        "addresses": [address],
        "loopback": [f"{OUTSIDE_ADDRESS}/{OUTSIDE_NETWORK.prefixlen}"],
        "routes": [[str(node.pod_cidr), str(instance.address(node))] for node in instance.nodes],
    }
    spec["files"] = _names(OUTSIDE)
    ports = [",".join(map(str, ports)) for ports in (OUTSIDE_TCP_PORTS, OUTSIDE_UDP_PORTS)]
    server = ["/usr/bin/python3", f"/{LIBRARY}/outside_server.py", str(OUTSIDE_ADDRESS), *ports]
    spec["services"] = [{"name": "server", "argv": server}]
    return Machine(OUTSIDE, OUTSIDE_NUMBER, spec)


def balancer_machine(instance: Instance, lower: Sequence[Path]) -> Machine:
    """The specification of the machine before several API servers: connections go to one that says it is ready."""
    spec = _common(instance, BALANCER, lower)
    own = instance.network[BALANCER_NUMBER]
    spec["network"] = {"addresses": [f"{own}/{instance.network.prefixlen}"], "routes": []}
    spec["files"] = _names(BALANCER)
    servers = [str(instance.address(node)) for node in instance.nodes if node.control_plane]
    argv = ["/usr/bin/python3", f"/{LIBRARY}/api_balancer.py", str(own), "6443", *servers]
    spec["services"] = [{"name": "balancer", "argv": argv}]
    return Machine(BALANCER, BALANCER_NUMBER, spec)


def _names(name: str) -> list[dict[str, Any]]:
    return [
        {"path": "/etc/hostname", "text": f"{name}\n"},
        {"path": "/etc/hosts", "text": "127.0.0.1 localhost\n"},
    ]


def marker(instance: Instance, name: str) -> str:
    """An argument by which the first process of a machine is recognised in the process table."""
    return f"falconet-sandbox={instance.name}/{name}"


def _arguments(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return []


def find(instance: Instance, name: str) -> tuple[int, str] | None:
    """The first process of a machine, as the process table shows it: no state file could be wrong about that.

    Returns:
        Its PID on this machine and the digest of the specification that it was started with; None if
        the machine does not run.
    """
    wanted = marker(instance, name)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        arguments = _arguments(int(entry.name))
        if wanted not in arguments:
            continue
        try:
            numbers = next(line for line in (entry / "status").read_text().splitlines() if line.startswith("NSpid:"))
        except (OSError, StopIteration):
            continue
        # PID 1 of its own PID namespace.
        if numbers.split()[-1] == "1" and len(numbers.split()) > 2:
            return int(entry.name), arguments[-1]
    return None


def alive(pid: int) -> bool:
    """Whether the process is there; `find` cannot tell at the moment when it becomes another program."""
    return Path(f"/proc/{pid}").exists()


def inside(pid: int, path: str) -> Path:
    """A path of a running machine as seen from here."""
    return Path(f"/proc/{pid}/root") / path.lstrip("/")


def order(pid: int, document: Mapping[str, str], timeout_seconds: float = 15) -> dict[str, Any]:
    """Give the supervisor of a running machine an order and return its answer.

    Raises:
        SandboxError: it does not answer, or refuses.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout_seconds)
        try:
            connection.connect(str(inside(pid, "/run/sandbox/control.sock")))
            connection.sendall(json.dumps(document).encode() + b"\n")
            answer: dict[str, Any] = json.loads(connection.makefile("r").readline())
        except (OSError, ValueError) as error:
            raise SandboxError(f"the supervisor with PID {pid} does not answer: {error}") from error
    if "error" in answer:
        raise SandboxError(str(answer["error"]))
    return answer


def stop(instance: Instance, name: str) -> bool:
    """Kill a machine with everything that runs in it; False if it did not run."""
    found = find(instance, name)
    if found is None:
        return False
    pid = found[0]
    os.kill(pid, signal.SIGKILL)
    wait_for(f"the processes of {name} to end", lambda: not alive(pid), timeout_seconds=20)
    return True


def start(instance: Instance, machine: Machine) -> int:
    """Start a machine and plug it in; returns the PID of its first process.

    Raises:
        SandboxError: it dies while it mounts; the message has its last words.
    """
    folder = disk(instance, machine.name)
    logs = instance.logs(machine.name)
    logs.mkdir(parents=True, exist_ok=True)
    lower_file = folder / "lower.json"
    lower = json.dumps(machine.spec["lower"][-1:])
    if folder.exists() and (not lower_file.exists() or lower_file.read_text() != lower):
        # overlayfs does not promise anything for changes kept from over another root file system.
        for name in ("upper", "work"):
            shutil.rmtree(folder / name, ignore_errors=True)
    write_atomically(lower_file, lower)
    spec_file = folder / "spec.json"
    write_atomically(spec_file, json.dumps(machine.spec, indent=1), mode=0o600)
    # Groups that the last run left would be taken for containers by the kubelet, which looks at each for seconds.
    cgroups.remove(f"{instance.cgroup}/{machine.name}")
    groups = cgroups.ensure_groups(instance.cgroup, machine.name)
    namespaces = ["--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup"]
    argv = ["sh", "-euc", _JOIN_GROUPS, "sh", *map(str, groups), "--"]
    argv += ["unshare", *namespaces, "--propagation", "private", "--fork", sys.executable, "-I", str(HERE / "init.py")]
    argv += [str(spec_file), marker(instance, machine.name), machine.digest]
    log_file = logs / "init.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
        )

    def first_process() -> int | None:
        if process.poll() is not None:
            raise SandboxError(f"{machine.name} did not start (exit code {process.returncode}):\n{tail_file(log_file)}")
        found = find(instance, machine.name)
        return found[0] if found else None

    pid: int = wait_for(f"{machine.name} to start", first_process, timeout_seconds=20, hint=f"see {log_file}")
    cgroups.move_launcher(instance.cgroup, process.pid)
    network.ensure_cable(instance, machine.number, pid)
    return pid


def network_is_up(pid: int) -> bool:
    """Whether a machine has its addresses and routes; its services start at that moment."""
    return inside(pid, "/run/sandbox/network-ready").exists()


def booted_at(pid: int) -> datetime.datetime:
    """When a running machine came up, to the second."""
    seconds = int(inside(pid, "/run/sandbox/network-ready").stat().st_mtime)
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def ensure_agent(pid: int) -> bool:
    """The NetworkPolicy agent on the node is the one of this source tree; True if it had to be changed."""
    if not (AGENT / "__main__.py").exists():
        return False
    target = inside(pid, f"/{LIBRARY}/netpol_agent")
    wanted = digest(digest_files(AGENT, ["*.py"]))
    mark = target / ".digest"
    if mark.exists() and mark.read_text() == wanted:
        return False
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(AGENT, target, ignore=shutil.ignore_patterns("__pycache__"))
    mark.write_text(wanted)
    return True
