"""One sandbox among several on a machine: its name, addresses, folders and lock."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Collection, Iterator, Sequence
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


_WORKERS = (Node("worker01", 21, 1, control_plane=False), Node("worker02", 22, 2, control_plane=False))
_CONTROL_PLANES = (
    Node("cp01", 11, 0, control_plane=True),
    Node("cp02", 12, 3, control_plane=True),
    Node("cp03", 13, 4, control_plane=True),
)
MOST_CONTROL_PLANES = len(_CONTROL_PLANES)
#: The nodes of a sandbox that nobody asked for more control planes.
NODES = (_CONTROL_PLANES[0], *_WORKERS)
#: The machine before the API servers of several control planes; not a node of the cluster.
BALANCER = "balancer"
BALANCER_NUMBER = 10
#: The machine that stands for the world outside; not a node of the cluster.
OUTSIDE = "outside"
OUTSIDE_NUMBER = 254


@dataclass(frozen=True)
class Instance:
    """A sandbox: its name, the network that its nodes share, and how many of them are control planes."""

    name: str
    network: IPv4Network
    control_planes: int = 1

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes of the cluster, control planes first."""
        return (*_CONTROL_PLANES[: self.control_planes], *_WORKERS)

    @property
    def etcd_nodes(self) -> tuple[Node, ...]:
        """Where a member of etcd runs: one or three, since of two the loss of either stops both."""
        return _CONTROL_PLANES[: 3 if self.control_planes >= 3 else 1]

    @property
    def machines(self) -> tuple[str, ...]:
        """Names of everything that runs: nodes, the world outside, and the balancer of several API servers."""
        return (*(node.name for node in self.nodes), OUTSIDE, *((BALANCER,) if self.balanced else ()))

    @property
    def balanced(self) -> bool:
        """Whether a balancer stands before several API servers."""
        return self.control_planes > 1

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
        """Where the API answers: its only server, or the balancer before several."""
        return f"https://{self.api_address}:6443"

    @property
    def api_address(self) -> IPv4Address:
        """The address of `api_url`."""
        return self.network[BALANCER_NUMBER] if self.balanced else self.address(self.nodes[0])

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


def find_node(name: str, nodes: Sequence[Node] = NODES) -> Node:
    """The node of that name.

    Raises:
        SandboxError: there is none.
    """
    for node in nodes:
        if node.name == name:
            return node
    raise SandboxError(f"there is no node {name!r}", f"nodes are: {', '.join(node.name for node in nodes)}")


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
        return Instance(name, IPv4Network(document["network"]), document.get("control_planes", 1))
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
        candidate = Instance(name, network, MOST_CONTROL_PLANES)
        alias = Path("/sys/class/net", candidate.bridge, "ifalias")
        if alias.exists() and alias.read_text().strip() == bridge_alias(name):
            return candidate
    return Instance(name, IPv4Network("10.0.0.0/24"), MOST_CONTROL_PLANES)


def bridge_alias(name: str) -> str:
    """What the bridge of an instance says about itself."""
    return f"falconet sandbox {name}"


def known() -> list[Instance]:
    """All instances that have state on this machine."""
    if not STATE.is_dir():
        return []
    found = (load(folder.name) for folder in sorted(STATE.iterdir()) if (folder / "instance.json").exists())
    return [instance for instance in found if instance is not None]


def create(name: str, taken: Collection[IPv4Network], control_planes: int | None = None) -> Instance:
    """Load the instance, or choose a network for it and write that down.

    Args:
        name: of the instance.
        taken: networks of the machine's routes.
        control_planes: how many nodes are to be control planes; None: as many as it has, one if it is new.

    Raises:
        SandboxError: it has another number of control planes. etcd's members cannot be made more by a restart.
    """
    existing = load(name)
    if existing:
        if control_planes not in (None, existing.control_planes):
            raise SandboxError(
                f"sandbox {name!r} has {existing.control_planes} control plane(s), not {control_planes}",
                f"python -m sandbox --name {name} down --purge, then up again",
            )
        return existing
    with exclusive("networks"):
        others = [other.network for other in known()]
        instance = Instance(name, choose_network([*taken, *others]), control_planes or 1)
        document = json.dumps({"network": str(instance.network), "control_planes": instance.control_planes}) + "\n"
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
