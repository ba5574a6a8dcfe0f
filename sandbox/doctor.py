"""What this machine lacks for a sandbox, and what to do about it: a part of ``make doctor``.

Facts are gathered in one place and judged in another, so that every judgement can be tested. Standard library only: it
is asked before anything is installed.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from pathlib import Path

from sandbox import capability, cgroups, debian, health, instance, network
from sandbox.cache import cache_root
from sandbox.errors import SandboxError
from sandbox.instance import NODE_NETWORKS, OUTSIDE_NETWORK, POD_NETWORK, SERVICE_NETWORK
from sandbox.process import run
from sandbox.sensor import BTF

GIB = 1 << 30
#: Go's caches, the root file system, the programs and images take about 9 GB, a running sandbox 1 to 2.
CACHE_BYTES, STATE_BYTES = 10 * GIB, 3 * GIB
#: The cluster takes about 1.7 GB; compiling Kubernetes once takes 3.
MEMORY_BYTES = 4 * GIB
CONTROLLERS = ("cpu", "cpuset", "memory", "pids")


@dataclass(frozen=True)
class Facts:
    """What is known about the machine.

    Attributes:
        uid: our user id.
        python: version of the Python that runs us.
        os_id: ``ID`` of os-release.
        has_apt: whether apt-get is there.
        tools: program to whether it is there.
        overlay_error: why an overlay cannot be mounted in the state folder; empty if it can.
        namespace_error: why namespaces cannot be made; empty if they can.
        nftables: whether the kernel has it; None if that could not be found out.
        cgroup_version: 1 or 2.
        controllers: control group controllers that can be used.
        sys_resource: whether CAP_SYS_RESOURCE can be granted.
        btf: whether the kernel describes its structures.
        cache_free_bytes: free disk space where the cache is.
        cache_used: whether the cache holds a built sandbox already.
        state_free_bytes: free disk space where sandboxes live.
        memory_bytes: memory that is available.
        routes: networks that the machine has routes to.
        instances: networks of the sandboxes on this machine.
        running: sandboxes that run, and what pods find wrong with the network of each; empty if nothing is.
    """

    uid: int = 0
    python: tuple[int, int] = (3, 11)
    os_id: str = "debian"
    has_apt: bool = True
    tools: Mapping[str, bool] = field(default_factory=dict)
    overlay_error: str = ""
    namespace_error: str = ""
    nftables: bool | None = True
    cgroup_version: int = 2
    controllers: frozenset[str] = frozenset(CONTROLLERS)
    sys_resource: bool = True
    btf: bool = True
    cache_free_bytes: int = 100 * GIB
    cache_used: bool = False
    state_free_bytes: int = 100 * GIB
    memory_bytes: int = 16 * GIB
    routes: tuple[IPv4Network, ...] = ()
    instances: tuple[IPv4Network, ...] = ()
    running: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One judgement: ``level`` is ``ok``, ``note`` (works, but worth knowing) or ``error`` (does not work)."""

    level: str
    what: str
    advice: str = ""


def _root(facts: Facts) -> Finding:
    if facts.uid == 0:
        return Finding("ok", "we are root")
    return Finding(
        "error", f"not root (user id {facts.uid})", "run it as root: nodes are made of mounts and namespaces"
    )


def _python(facts: Facts) -> Finding:
    version = ".".join(map(str, facts.python))
    if facts.python >= (3, 11):
        return Finding("ok", f"Python {version}")
    return Finding(
        "error",
        f"Python {version}, 3.11 or newer is needed",
        "apt-get install python3, or run `make setup` with a newer one",
    )


def _system(facts: Facts) -> Finding:
    if facts.has_apt and facts.os_id in ("debian", "ubuntu"):
        return Finding("ok", f"{facts.os_id} with apt-get")
    if facts.has_apt:
        return Finding("note", f"{facts.os_id} with apt-get: tried on Debian only", "")
    return Finding(
        "error",
        f"{facts.os_id} has no apt-get",
        "use Debian or Ubuntu, SANDBOX=kind, or your own cluster with KUBECONFIG=",
    )


def _tools(facts: Facts) -> Finding:
    packages = debian.missing_packages(facts.tools)
    if not packages:
        return Finding("ok", "all tools are installed")
    return Finding("note", f"not installed yet: {', '.join(packages)}", "`up` installs them by apt-get")


def _overlay(facts: Facts) -> Finding:
    if not facts.overlay_error:
        return Finding("ok", "overlayfs works in the state folder")
    advice = (
        f"the state folder {instance.STATE} must not lie on an overlay itself (as in a container): mount a volume there"
    )
    return Finding("error", f"no overlayfs: {facts.overlay_error}", f"modprobe overlay; {advice}")


def _namespaces(facts: Facts) -> Finding:
    if not facts.namespace_error:
        return Finding("ok", "namespaces of all kinds can be made")
    return Finding(
        "error",
        f"no namespaces: {facts.namespace_error}",
        "in a container: run it privileged, with its own cgroup namespace",
    )


def _nftables(facts: Facts) -> Finding:
    if facts.nftables:
        return Finding("ok", "the kernel has nftables")
    if facts.nftables is None:
        return Finding("note", "could not find out whether the kernel has nftables", "modprobe nf_tables")
    return Finding(
        "error", "the kernel has no nftables", "modprobe nf_tables, or a kernel with CONFIG_NF_TABLES, NFT_NAT, NFT_CT"
    )


def _control_groups(facts: Facts) -> Finding:
    missing = [name for name in CONTROLLERS if name not in facts.controllers]
    if missing:
        return Finding(
            "error",
            f"control groups version {facts.cgroup_version} lack {', '.join(missing)}",
            "kernel parameter cgroup_enable=memory, or in a container: mount /sys/fs/cgroup writable",
        )
    if facts.cgroup_version == 1:
        return Finding("note", "control groups version 1: works, though Kubernetes calls it outdated")
    return Finding("ok", "control groups version 2")


def _sys_resource(facts: Facts) -> Finding:
    if facts.sys_resource:
        return Finding("ok", "CAP_SYS_RESOURCE can be granted")
    return Finding("note", "no CAP_SYS_RESOURCE here: containers that ask for it start without it")


def _sensor(facts: Facts) -> Finding:
    if facts.btf:
        return Finding("ok", f"{BTF}: the stand-in for Falco can see system calls")
    return Finding(
        "note",
        f"no {BTF}: the stand-in for Falco will refuse to start, and playbooks that install it will say so",
        "a kernel with CONFIG_DEBUG_INFO_BTF, which those of Debian and Ubuntu have",
    )


def _disk(facts: Facts) -> Iterator[Finding]:
    needed = {
        "cache": (
            facts.cache_free_bytes,
            GIB if facts.cache_used else CACHE_BYTES,
            "set FALCONET_CACHE to a bigger disk",
        )
    }
    needed["state"] = (facts.state_free_bytes, STATE_BYTES, f"make room below {instance.STATE}")
    for what, (free, wanted, advice) in needed.items():
        text = f"{free / GIB:.0f} GiB free for the {what}"
        if free >= wanted:
            yield Finding("ok", text)
        else:
            yield Finding("error", f"{text}, {wanted / GIB:.0f} GiB are needed", advice)


def _memory(facts: Facts) -> Finding:
    text = f"{facts.memory_bytes / GIB:.1f} GiB of memory available"
    if facts.memory_bytes >= MEMORY_BYTES:
        return Finding("ok", text)
    return Finding("note", f"{text}, {MEMORY_BYTES / GIB:.0f} GiB are comfortable", "end other programs, or add memory")


def _networks(facts: Facts) -> Finding:
    ours = set(facts.instances)
    foreign = [route for route in facts.routes if route not in ours and not any(route.subnet_of(one) for one in ours)]
    free = [one for one in NODE_NETWORKS if one not in ours and not any(one.overlaps(route) for route in foreign)]
    if not free and not ours:
        return Finding(
            "error",
            f"the machine has routes into all of {NODE_NETWORKS[0]} to {NODE_NETWORKS[-1]}",
            "remove one of these routes (ip route)",
        )
    fixed = {"pods": POD_NETWORK, "Services": SERVICE_NETWORK, "the world outside": OUTSIDE_NETWORK}
    shadowed = [f"{name} ({one})" for name, one in fixed.items() if any(one.overlaps(route) for route in foreign)]
    if shadowed:
        return Finding(
            "note",
            f"the machine has routes into the networks of {', '.join(shadowed)}",
            "harmless: these exist inside the nodes only; but the nodes cannot reach the machine's ones",
        )
    return Finding("ok", f"{len(free)} networks are free for more sandboxes")


def _running(facts: Facts) -> Iterator[Finding]:
    """Sandboxes that run serve their pods."""
    for name, wrong in facts.running.items():
        if wrong:
            advice = f"python -m sandbox --name {name} up, which mends it or says why not"
            yield Finding("error", f"sandbox {name} runs, but {wrong}", advice)
        else:
            yield Finding("ok", f"sandbox {name} runs: DNS and Services answer a pod on every node")


CHECKS: tuple[Callable[[Facts], Finding | Iterator[Finding]], ...] = (
    _root,
    _python,
    _system,
    _tools,
    _namespaces,
    _overlay,
    _control_groups,
    _nftables,
    _sys_resource,
    _sensor,
    _disk,
    _memory,
    _networks,
    _running,
)


def judge(facts: Facts) -> list[Finding]:
    """All findings about these facts, in the order of `CHECKS`."""
    findings: list[Finding] = []
    for check in CHECKS:
        result = check(facts)
        findings += [result] if isinstance(result, Finding) else list(result)
    return findings


def _try(argv: list[str]) -> str:
    """Why a program fails; empty if it does not."""
    try:
        done = run(argv, timeout_seconds=20, check=False)
    except SandboxError as error:
        return error.message
    return "" if done.returncode == 0 else (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]


def _overlay_error(folder: Path) -> str:
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as name:
        for part in ("lower", "upper", "work", "root"):
            (Path(name) / part).mkdir()
        options = f"lowerdir={name}/lower,upperdir={name}/upper,workdir={name}/work"
        mount = f"mount -t overlay overlay -o {options} {name}/root"
        return _try(["unshare", "--mount", "--propagation", "private", "sh", "-c", mount])


def _kernel_has_nftables() -> bool | None:
    release = platform.release()
    if Path("/sys/module/nf_tables").exists():
        return True
    modules = Path("/lib/modules", release)
    for name in ("modules.builtin", "modules.dep"):
        if (modules / name).exists() and "nf_tables.ko" in (modules / name).read_text():
            return True
    if Path("/proc/config.gz").exists():
        return _try(["sh", "-c", "zcat /proc/config.gz | grep -q '^CONFIG_NF_TABLES=[ym]'"]) == ""
    config = Path(f"/boot/config-{release}")
    return "CONFIG_NF_TABLES=" in config.read_text() if config.exists() else None


def _controllers() -> frozenset[str]:
    if cgroups.is_version_2():
        return frozenset((cgroups.ROOT / "cgroup.controllers").read_text().split())
    return frozenset(path.name for path in cgroups.hierarchies()) if cgroups.ROOT.is_dir() else frozenset()


def _free_bytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def gather() -> Facts:
    """Look at this machine; makes nothing that stays."""
    root = os.geteuid() == 0
    search = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    if root:
        instance.STATE.mkdir(parents=True, exist_ok=True)
    kinds = ["--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--fork"]
    meminfo = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    os_release = debian.read_os_release(Path("/etc/os-release").read_text())
    return Facts(
        uid=os.geteuid(),
        python=sys.version_info[:2],
        os_id=os_release.get("ID", "unknown"),
        has_apt=shutil.which("apt-get") is not None,
        tools={program: shutil.which(program, path=search) is not None for program in debian.TOOLS},
        overlay_error=_overlay_error(instance.STATE) if root else "",
        namespace_error=_try(["unshare", *kinds, "true"]) if root else "",
        nftables=_kernel_has_nftables(),
        cgroup_version=2 if cgroups.is_version_2() else 1,
        controllers=_controllers(),
        sys_resource=capability.grants_sys_resource(Path("/proc/self/status").read_text()),
        btf=BTF.exists(),
        cache_free_bytes=_free_bytes(cache_root()),
        cache_used=(cache_root() / "rootfs").exists(),
        state_free_bytes=_free_bytes(instance.STATE),
        memory_bytes=int(meminfo["MemAvailable"].split()[0]) * 1024,
        routes=tuple(network.routed_networks()) if shutil.which("ip", path=search) else (),
        instances=tuple(one.network for one in instance.known()) if root else (),
    )


def require_usable_machine() -> None:
    """Say at once, and not after minutes of building, what cannot work.

    Raises:
        SandboxError: with all errors that the doctor found.
    """
    errors = [finding for finding in judge(gather()) if finding.level == "error"]
    if errors:
        lines = "\n".join(f"    {one.what}\n      -> {one.advice}" for one in errors)
        raise SandboxError(f"this machine cannot run a sandbox:\n{lines}", "make doctor")


def look_inside(facts: Facts) -> Facts:
    """The same facts, and what pods of the sandboxes that run say of their network; takes some seconds."""
    if facts.uid != 0:
        return facts
    running = [one for one in instance.known() if network.links_of(one)]
    return replace(facts, running={one.name: health.complaint(one) for one in running})
