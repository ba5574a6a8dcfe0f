"""``up``: from whatever is there to a running cluster. Every step looks first and changes only what differs."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sandbox import (
    addons,
    debian,
    debian_versions,
    health,
    image_import,
    image_store,
    images,
    instance,
    machines,
    network,
    oci,
    pki,
)
from sandbox.api import Api, is_since
from sandbox.builds import built
from sandbox.cache import cache_root, prune, write_atomically
from sandbox.control_plane import kubeconfig
from sandbox.doctor import require_usable_machine
from sandbox.errors import SandboxError
from sandbox.image_spec import ImageSpec
from sandbox.instance import Instance
from sandbox.machines import Machine
from sandbox.packages import package_layer
from sandbox.process import say, tail_file, wait_for
from sandbox.rootfs import debian_programs, root_file_system, what_came

API_LIMIT_SECONDS = 120
NODE_LIMIT_SECONDS = 120
ADDON_LIMIT_SECONDS = 120
NETWORK_LIMIT_SECONDS = 60
#: A Service that is new reaches every node's rules within this time.
SYNC_SECONDS = 15

#: Programs for the user of the machine: name to build and file.
_HOST_PROGRAMS = {"kubectl": ("kubernetes", "kubernetes"), "helm": ("helm", "helm")}


@dataclass(frozen=True)
class Parts:
    """What a cluster is made of.

    Attributes:
        layers: of the nodes' root file system, topmost first.
        images: with their specifications.
        store: a containerd folder that holds the images.
        moved: Debian packages that came in another version than was tried, a line each.
    """

    layers: tuple[Path, ...]
    images: tuple[tuple[ImageSpec, oci.Image], ...]
    store: Path
    moved: tuple[str, ...] = ()


def _from_debian() -> tuple[Path, dict[str, Path]]:
    root = root_file_system()
    return root, debian_programs(root)


def prepare() -> Parts:
    """Build, or find in the cache, everything that a cluster is made of."""
    debian.install_tools()
    with ThreadPoolExecutor(1) as aside:
        # Mostly waiting for the mirror, while the compiler has the processors.
        from_debian = aside.submit(_from_debian)
        outputs = built(images.all_builds())
        link_host_programs(outputs)
        root, more = from_debian.result()
    outputs |= more
    layers = (machines.program_layer(outputs), package_layer(root), root)
    made = tuple(images.make_images(images.all_images(), outputs))
    store = image_store.prepared_store(outputs["containerd"], [image for _, image in made])
    used = {layer.path.parent for _, image in made for layer in image.layers} | set(outputs.values())
    for kind in ("builds", "layers"):
        prune(cache_root() / kind, used)
    suite, versions = what_came(root, outputs["redis"])
    return Parts(layers, made, store, tuple(debian_versions.moved(versions, suite)))


def link_host_programs(outputs: Mapping[str, Path]) -> None:
    """``kubectl`` and ``helm`` of this sandbox are in ``$FALCONET_CACHE/bin``."""
    folder = cache_root() / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    for name, (build, file) in _HOST_PROGRAMS.items():
        link, target = folder / name, outputs[build] / file
        if not link.is_symlink() or link.readlink() != target:
            partial = folder / f".{name}.partial"
            partial.unlink(missing_ok=True)
            partial.symlink_to(target)
            partial.replace(link)


def ensure_machine(sandbox: Instance, machine: Machine) -> bool:
    """The machine runs with this specification and is plugged in; True if it had to be started."""
    found = machines.find(sandbox, machine.name)
    fresh = False
    if found and found[1] != machine.digest:
        say(f"{machine.name}: its specification changed, starting it again")
        machines.stop(sandbox, machine.name)
        found = None
    if found:
        pid = found[0]
        network.ensure_cable(sandbox, machine.number, pid)
    else:
        pid, fresh = machines.start(sandbox, machine), True
    log = sandbox.logs(machine.name) / "init.log"

    def up_or_dead() -> bool:
        if not machines.alive(pid):
            raise SandboxError(f"{machine.name} died while it started:\n{tail_file(log)}")
        return machines.network_is_up(pid)

    wait_for(f"the network of {machine.name}", up_or_dead, timeout_seconds=60, hint=f"see {log}")
    if machine.name not in (instance.OUTSIDE, instance.BALANCER) and machines.ensure_agent(pid) and not fresh:
        node_state = machines.order(pid, {"do": "status"})["netpol-agent"]["state"]
        if node_state != "stopped":
            machines.order(pid, {"do": "restart", "service": "netpol-agent"})
    return fresh


def all_machines(sandbox: Instance, layers: Sequence[Path], keys: Path) -> list[Machine]:
    """The specifications of everything that the sandbox starts."""
    cluster = [machines.cluster_machine(sandbox, member, layers, keys) for member in sandbox.nodes]
    balancers = [machines.balancer_machine(sandbox, layers)] if sandbox.balanced else []
    return [*cluster, machines.outside_machine(sandbox, layers), *balancers]


def wait_for_api(sandbox: Instance, api: Api) -> None:
    """The API server is ready."""
    logs = sandbox.logs(sandbox.nodes[0].name)
    try:
        wait_for(f"the API server at {api.url}", api.ready, timeout_seconds=API_LIMIT_SECONDS)
    except SandboxError as error:
        raise SandboxError(
            f"{error.message}\nlast words of the kubelet:\n{tail_file(logs / 'kubelet.log')}", f"see {logs}"
        ) from error


def boot_times(sandbox: Instance) -> dict[str, datetime.datetime]:
    """When each of the running nodes came up."""
    found = {member.name: machines.find(sandbox, member.name) for member in sandbox.nodes}
    return {name: machines.booted_at(process[0]) for name, process in found.items() if process}


def not_ready(api: Api, booted: Mapping[str, datetime.datetime]) -> list[str]:
    """Nodes that are not Ready, or have not said so since they came up (the API remembers the last run)."""
    by_name = {item["metadata"]["name"]: item for item in api.get("/api/v1/nodes")["items"]}
    missing = []
    for member in api.nodes:
        conditions = by_name.get(member.name, {}).get("status", {}).get("conditions", [])
        ready = [one for one in conditions if one["type"] == "Ready" and one["status"] == "True"]
        if not any(is_since(one["lastHeartbeatTime"], booted.get(member.name)) for one in ready):
            missing.append(member.name)
    return missing


def wait_for_nodes(sandbox: Instance, api: Api, what: str = "Ready") -> None:
    """All nodes are Ready (or, with ``what`` ``registered``, known to the API)."""
    booted = boot_times(sandbox)

    def done() -> bool:
        if what == "registered":
            known = {item["metadata"]["name"] for item in api.get("/api/v1/nodes")["items"]}
            return known >= {member.name for member in sandbox.nodes}
        return not not_ready(api, booted)

    try:
        wait_for(f"all nodes to be {what}", done, timeout_seconds=NODE_LIMIT_SECONDS)
    except SandboxError as error:
        late = not_ready(api, booted)
        words = "\n".join(f"{name}:\n{tail_file(sandbox.logs(name) / 'kubelet.log', 5)}" for name in late)
        raise SandboxError(
            f"{error.message}; not Ready: {', '.join(late)}\n{words}", f"see {sandbox.folder / 'logs'}"
        ) from error


def wait_for_addons(sandbox: Instance, api: Api) -> None:
    """DNS and the stand-ins have a ready pod each."""
    booted = boot_times(sandbox)
    try:
        wait_for("DNS and stand-ins", lambda: not addons.unready(api, booted), timeout_seconds=ADDON_LIMIT_SECONDS)
    except SandboxError as error:
        late = ", ".join(addons.unready(api, booted))
        raise SandboxError(
            f"{error.message}; no ready pod: {late}", "kubectl describe pods in that namespace"
        ) from error


def wait_for_network(sandbox: Instance, api: Api) -> list[str]:
    """DNS and Services answer pods on every node; where they do not, kube-proxy writes its rules anew.

    Returns:
        Nodes whose kube-proxy was started again.

    Raises:
        SandboxError: they do not answer all the same; names node, what failed and where to look.
    """
    found: list[health.Health] = []

    def all_asked() -> bool:
        found[:] = health.ask(api)
        return all(not one.unasked for one in found)

    def all_good() -> bool:
        found[:] = health.ask(api)
        return all(one.good for one in found)

    mended: list[str] = []
    try:
        wait_for("a pod on every node to ask from", all_asked, timeout_seconds=NETWORK_LIMIT_SECONDS)
        if _within(SYNC_SECONDS, all_good):
            return mended
        for one in found:
            process = None if one.good else machines.find(sandbox, one.node)
            if process:
                say(f"{one.node}: {one.text()}; starting its kube-proxy again")
                machines.order(process[0], {"do": "restart", "service": "kube-proxy"})
                mended.append(one.node)
        wait_for("DNS and Services on every node", all_good, timeout_seconds=NETWORK_LIMIT_SECONDS)
    except SandboxError as error:
        told = "\n".join(f"  {one.node}: {one.text()}" for one in found if not one.good)
        raise SandboxError(
            f"{error.message}:\n{told}",
            f"see kube-proxy.log below {sandbox.folder / 'logs'}, the pods of kube-system and {health.NAMESPACE}, and "
            f"NetworkPolicies there; `python -m sandbox --name {sandbox.name} down`, then `up`, begins anew",
        ) from error
    return mended


def _within(seconds: float, condition: Callable[[], bool]) -> bool:
    try:
        wait_for("it", condition, timeout_seconds=seconds)
    except SandboxError:
        return False
    return True


class Clock:
    """Seconds from the start to each step that was reached."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.seconds: dict[str, float] = {}

    def reached(self, step: str) -> None:
        """Note that a step was reached now."""
        self.seconds[step] = round(time.monotonic() - self.began, 2)


def up(name: str, control_planes: int | None = None) -> Instance:
    """Bring the sandbox of that name up and wait until it is usable.

    Args:
        name: of the sandbox.
        control_planes: how many nodes are control planes; None: as many as it has, one if it is new.

    Returns:
        The instance.

    Raises:
        SandboxError: something is missing or did not come up; names it.
    """
    require_usable_machine()
    parts = prepare()
    with instance.exclusive(name, wait=False):
        clock = Clock()
        sandbox = instance.create(name, network.routed_networks(), control_planes)
        keys = pki.ensure_keys(sandbox)
        cluster = keys / "kubernetes"
        write_atomically(sandbox.ssh_key, (keys / "ssh/root").read_text(), mode=0o600)
        write_atomically(sandbox.kubeconfig, kubeconfig(sandbox.api_url, "admin", cluster), mode=0o600)
        network.ensure_bridge(sandbox)
        wanted = all_machines(sandbox, parts.layers, keys)
        for member in sandbox.nodes:
            image_store.ensure_store(parts.store, machines.disk(sandbox, member.name) / "containerd")
        with ThreadPoolExecutor(len(wanted)) as pool:
            started = sum(pool.map(lambda machine: ensure_machine(sandbox, machine), wanted))
        clock.reached("machines_started")
        imported = image_import.ensure_boot_images(sandbox, parts.images)
        clock.reached("control_plane_allowed")
        # The other images come in while the API server starts.
        imported += image_import.ensure_all_images(sandbox, parts.images)
        clock.reached("images_imported")
        api = Api(sandbox, cluster)
        wait_for_api(sandbox, api)
        clock.reached("api_ready")
        addons.apply_documents(api)
        wait_for_nodes(sandbox, api, "registered")
        addons.label_nodes(api)
        wait_for_nodes(sandbox, api)
        clock.reached("nodes_ready")
        addons.apply_manifests(cache_root() / "bin" / "kubectl", sandbox.kubeconfig)
        wait_for_addons(sandbox, api)
        mended = wait_for_network(sandbox, api)
        clock.reached("all_ready")
        record = {"machines": started, "images": imported, "seconds": clock.seconds, "moved": parts.moved}
        write_atomically(sandbox.folder / "last-up.json", json.dumps(record) + "\n")
    for line in parts.moved:
        say(line)
    if started or imported:
        seconds = clock.seconds
        say(f"sandbox {name!r}: nodes Ready after {seconds['nodes_ready']} s, all of it after {seconds['all_ready']} s")
    elif mended:
        say(f"sandbox {name!r}: was up already; Services answer again on {', '.join(mended)}")
    else:
        say(f"sandbox {name!r}: was up already, nothing changed")
    return sandbox
