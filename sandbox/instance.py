"""One sandbox among several on a machine: its name, addresses, folders and lock."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from sandbox.cache import write_atomically
from sandbox.errors import SandboxError

#: State of all instances.
STATE = Path("/var/lib/falconet-sandbox")

#: One of these per instance; the last octet of a node's address says which node it is.
NODE_NETWORKS = tuple(IPv4Network(f"10.{number}.0.0/24") for number in range(250, 256))
POD_NETWORK = IPv4Network("10.244.0.0/16")
SERVICE_NETWORK = IPv4Network("10.96.0.0/16")
KUBERNETES_SERVICE = SERVICE_NETWORK[1]
DNS_SERVICE = SERVICE_NETWORK[10]
#: TEST-NET-2 (RFC 5737): the world outside the cluster, as far as its pods can tell.
OUTSIDE_NETWORK = IPv4Network("198.51.100.0/24")
OUTSIDE_ADDRESS = OUTSIDE_NETWORK[10]

_NAME = re.compile(r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?")


@dataclass(frozen=True)
class Node:
    """A node of the cluster.

    Attributes:
        name: host name and Kubernetes name.
        number: last octet of its address.
        index: which /24 of the pod network is its own.
        control_plane: whether etcd and the control plane run on it.
    """

    name: str
    number: int
    index: int
    control_plane: bool

    @property
    def pod_cidr(self) -> IPv4Network:
        """The addresses of this node's pods."""
        return list(POD_NETWORK.subnets(new_prefix=24))[self.index]


NODES = (
    Node("cp01", 11, 0, control_plane=True),
    Node("worker01", 21, 1, control_plane=False),
    Node("worker02", 22, 2, control_plane=False),
)
#: The machine that stands for the world outside; not a node of the cluster.
OUTSIDE = "outside"
OUTSIDE_NUMBER = 254


@dataclass(frozen=True)
class Instance:
    """A sandbox: its name and the network that its nodes share."""

    name: str
    network: IPv4Network

    @property
    def folder(self) -> Path:
        """State of this instance."""
        return STATE / self.name

    @property
    def bridge(self) -> str:
        """Name of the bridge (15 characters at most, so it carries the network's number and not our name)."""
        return f"falconet{self.network.network_address.packed[1]}"

    @property
    def cgroup(self) -> str:
        """Name of the control group that holds all of the instance's processes."""
        return f"falconet-sandbox-{self.name}"

    @property
    def gateway(self) -> IPv4Address:
        """The machine's own address among the nodes."""
        return self.network[1]

    @property
    def api_url(self) -> str:
        """Where the API server answers."""
        return f"https://{self.address(NODES[0])}:6443"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.folder / "kubeconfig"

    @property
    def ssh_key(self) -> Path:
        """Private key that opens root on every node."""
        return self.folder / "ssh_key"

    def address(self, node: Node) -> IPv4Address:
        """A node's address."""
        return self.network[node.number]

    def link(self, number: int) -> str:
        """Name of our end of the cable to the machine with that number."""
        return f"{self.bridge}-{number}"

    def logs(self, machine: str) -> Path:
        """Where a node's services write."""
        return self.folder / "logs" / machine


def check_name(name: str) -> str:
    """Return the name if it can be one.

    Raises:
        SandboxError: it is not 1 to 20 lower case letters, digits and hyphens.
    """
    if not _NAME.fullmatch(name):
        raise SandboxError(
            f"{name!r} cannot be the name of a sandbox",
            "1 to 20 lower case letters, digits and hyphens, starting with a letter and ending with a letter or digit",
        )
    return name


def find_node(name: str) -> Node:
    """The node of that name.

    Raises:
        SandboxError: there is none.
    """
    for node in NODES:
        if node.name == name:
            return node
    raise SandboxError(f"there is no node {name!r}", f"nodes are: {', '.join(node.name for node in NODES)}")


def choose_network(taken: Collection[IPv4Network]) -> IPv4Network:
    """The first node network that overlaps none of those taken.

    Args:
        taken: networks of other instances and of the machine's routes.

    Raises:
        SandboxError: all are taken.
    """
    for network in NODE_NETWORKS:
        if not any(network.overlaps(other) for other in taken):
            return network
    raise SandboxError(
        f"no free network for the nodes: all of {NODE_NETWORKS[0]} to {NODE_NETWORKS[-1]} are in use",
        "take another sandbox down: python -m sandbox --name NAME down",
    )


def load(name: str) -> Instance | None:
    """The instance of that name, or None if it was never made (or is purged)."""
    file = STATE / check_name(name) / "instance.json"
    try:
        document = json.loads(file.read_text())
        return Instance(name, IPv4Network(document["network"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError) as error:
        raise SandboxError(f"{file} is damaged: {error}", f"python -m sandbox --name {name} down --purge") from error


def load_damaged(name: str) -> Instance:
    """The instance as far as it can be known, for taking it down.

    Without its state the network is unknown; it is then taken from the bridge that carries the name,
    and a network that is nobody's stands in if there is none.
    """
    try:
        instance = load(name)
    except SandboxError:
        instance = None
    if instance:
        return instance
    for network in NODE_NETWORKS:
        candidate = Instance(name, network)
        alias = Path("/sys/class/net", candidate.bridge, "ifalias")
        if alias.exists() and alias.read_text().strip() == bridge_alias(name):
            return candidate
    return Instance(name, IPv4Network("10.0.0.0/24"))


def bridge_alias(name: str) -> str:
    """What the bridge of an instance says about itself."""
    return f"falconet sandbox {name}"


def known() -> list[Instance]:
    """All instances that have state on this machine."""
    if not STATE.is_dir():
        return []
    found = (load(folder.name) for folder in sorted(STATE.iterdir()) if (folder / "instance.json").exists())
    return [instance for instance in found if instance is not None]


def create(name: str, taken: Collection[IPv4Network]) -> Instance:
    """Load the instance, or choose a network for it and write that down."""
    existing = load(name)
    if existing:
        return existing
    with exclusive("networks"):
        others = [other.network for other in known()]
        instance = Instance(name, choose_network([*taken, *others]))
        document = json.dumps({"network": str(instance.network)}) + "\n"
        write_atomically(instance.folder / "instance.json", document)
    return instance


@contextmanager
def exclusive(name: str, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of that name; the kernel drops it when we die.

    Raises:
        SandboxError: somebody else holds it and ``wait`` is false.
    """
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / f".{name}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise SandboxError(
                f"another command is at work on sandbox {name!r} (process {holder})",
                "wait for it, or end it, then try again",
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
