"""The nodes' root file system: Debian's packages arranged to look and act like Rocky Linux 9 to Ansible.

dnf, rpm, sshd, sudo, semanage and nft are the real programs. What says "Rocky" is text: os-release
and its companions. There is no SELinux (the kernel of the machine decides that) and no systemd.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
from pathlib import Path

from sandbox import debian_versions
from sandbox.cache import cache_root, digest, produce
from sandbox.debian import Mirror, find_mirrors, gone_packages, proxy_environment
from sandbox.errors import SandboxError
from sandbox.process import run, say
from sandbox.scratch import run_in_scratch
from sandbox.sensor import sensor_object
from sandbox.standins import program

ROCKY = "9.6"

#: Part of the cache key; changed when `_debootstrap` or `_dress` change what they do.
RECIPE = "rocky-like 3"

#: Debian packages in the root file system, beyond debootstrap's smallest set.
PACKAGES = (
    "busybox-static",
    "createrepo-c",
    "dnf",
    "iproute2",
    "iputils-ping",
    "kmod",
    # Without /etc/protocols nft lists `6` for `tcp`, kube-proxy takes its own entries for strange ones, and its hourly
    # sync deletes them.
    "netbase",
    "nftables",
    "openssh-server",
    "policycoreutils",
    "policycoreutils-python-utils",
    "procps",
    "python3",
    "python3-dnf",
    "rpm",
    "runc",
    "sudo",
)

#: Text files that make it a Rocky Linux; facts of /etc/os-release of that distribution.
TEXTS = {
    "etc/os-release": f'''NAME="Rocky Linux"
VERSION="{ROCKY} (Blue Onyx)"
ID="rocky"
ID_LIKE="rhel centos fedora"
VERSION_ID="{ROCKY}"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Rocky Linux {ROCKY} (Blue Onyx), falconet sandbox"
CPE_NAME="cpe:/o:rocky:rocky:9::baseos"
VARIANT="falconet sandbox: Debian packages dressed as Rocky Linux"
VARIANT_ID="falconet-sandbox"
''',
    "etc/rocky-release": f"Rocky Linux release {ROCKY} (Blue Onyx)\n",
    "etc/redhat-release": f"Rocky Linux release {ROCKY} (Blue Onyx)\n",
    "etc/system-release": f"Rocky Linux release {ROCKY} (Blue Onyx)\n",
    "etc/dnf/vars/releasever": "9\n",
    "etc/dnf/dnf.conf": "[main]\ngpgcheck=0\ninstallonly_limit=3\nskip_if_unavailable=False\n",
    "etc/yum.repos.d/sandbox.repo": (
        "[sandbox]\nname=Packages that the falconet sandbox built itself\n"
        "baseurl=file:///var/lib/sandbox-repo\nenabled=1\ngpgcheck=0\n"
    ),
    "etc/ssh/sshd_config": (
        "HostKey /etc/ssh/ssh_host_ed25519_key\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n"
        "UsePAM no\nUseDNS no\nPrintMotd no\nMaxSessions 50\nMaxStartups 50\nSubsystem sftp internal-sftp\n"
        # Rocky's PAM sets it from locale.conf; without it a session's programs take text for ASCII.
        "SetEnv LANG=C.UTF-8\n"
    ),
    "etc/locale.conf": "LANG=C.UTF-8\n",
    # Empty on purpose: nodes reach nothing by name but each other.
    "etc/resolv.conf": "",
}

#: What Rocky has under a second name: RHEL's interpreter for system programs, which Ansible's dnf module looks for
#: first; the old name of dnf; the table of mounts, by which Ansible's facts and df go.
LINKS = {
    "usr/libexec/platform-python": "/usr/bin/python3",
    "usr/bin/yum": "dnf",
    "etc/mtab": "../proc/self/mounts",
}

#: Left out of the image: documentation and translations, a third of its size.
USELESS = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var/lib/apt/lists", "var/cache/apt")


_GONE_HINT = (
    "a mirror may be amid an update: try again, or another mirror in /etc/apt/sources.list.d; a package that is gone "
    "for good is replaced in sandbox/rootfs.py"
)


def _debootstrap(mirror: Mirror, root: Path) -> None:
    argv = ["debootstrap", "--variant=minbase", f"--components={','.join(mirror.components)}"]
    argv += [f"--include={','.join(PACKAGES)}", mirror.suite, str(root), mirror.url]
    run(argv, timeout_seconds=900, env={**proxy_environment(), "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})


def _dress(root: Path) -> None:
    for useless in USELESS:
        shutil.rmtree(root / useless, ignore_errors=True)
    for folder in ("var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "run/sshd"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for path, text in TEXTS.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_text(text)
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    for path, target in LINKS.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).unlink(missing_ok=True)
        (root / path).symlink_to(target)


def _make(mirrors: list[Mirror], folder: Path) -> None:
    say("making the nodes' root file system (first time only, about 75 s)")
    failures, gone = [], []
    for mirror in mirrors:
        root = folder / "root"
        try:
            _debootstrap(mirror, root)
        except SandboxError as error:
            absent = gone_packages(error.message)
            gone += absent
            why = f"{mirror.url} does not have {', '.join(absent)}" if absent else error.message
            failures.append(f"{mirror.suite}: {why}")
            shutil.rmtree(root, ignore_errors=True)
            continue
        _dress(root)
        versions = debian_versions.installed(root)
        facts = {"mirror": mirror.url, "suite": mirror.suite, "components": mirror.components, "packages": versions}
        (folder / "made.json").write_text(json.dumps(facts))
        return
    raise SandboxError(
        "the nodes' root file system cannot be made:\n" + "\n".join(failures),
        _GONE_HINT if gone else "is the mirror that apt uses reachable?",
    )


def place() -> Path:
    """Where the cache holds the root file system."""
    key = digest([RECIPE, platform.machine(), *PACKAGES, json.dumps([TEXTS, LINKS], sort_keys=True), *USELESS])
    return cache_root() / "rootfs" / key


def root_file_system() -> Path:
    """The root file system of the nodes, made if the cache does not hold it; to be used as a lower layer only."""
    return produce(place(), lambda folder: _make(find_mirrors(), folder)) / "root"


def what_came(root: Path, redis: Path) -> tuple[str, dict[str, str]]:
    """Suite, and version by name of the Debian packages that went into a root file system and into Redis' image."""
    made = json.loads((root.parent / "made.json").read_text())
    named = {name: made["packages"][name] for name in PACKAGES}
    return made["suite"], {**named, "redis-server": (redis / "version").read_text().strip()}


# `ldd` names what a program loads; the loader itself and the libraries go to the same paths in the image.
_COPY = """
for program in $programs; do
  for file in "$program" $(ldd "$program" | grep -o '/[^ ]*'); do
    mkdir -p "/out/root$(dirname "$file")"
    cp -L "$file" "/out/root$file"
  done
done
"""

_BASH = f"""
programs=/bin/bash
{_COPY}
"""

_REDIS = f"""
apt-get update -q >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends redis-server >/dev/null
# redis-stack's image has bash, and the real chart's script that waits for Redis asks for it.
programs="/usr/bin/redis-server /usr/bin/redis-cli /bin/bash"
{_COPY}
dpkg-query --show --showformat '${{Version}}' redis-server > /out/version
"""


def debian_programs(root: Path) -> dict[str, Path]:
    """Programs for images that come from Debian: folders named like builds.

    Returns:
        ``busybox`` (file ``busybox``, static), ``bash`` and ``redis`` (folder ``root`` with bash, redis-server and
        redis-cli, and their libraries), ``sensor`` (see `sensor.sensor_object`), ``python`` and ``falco`` (see
        `standins.program`).
    """

    def make_busybox(folder: Path) -> None:
        shutil.copy(next(path for path in (root / "bin/busybox", root / "usr/bin/busybox") if path.exists()), folder)

    def make_bash(folder: Path) -> None:
        run_in_scratch(root, folder, _BASH, env={}, timeout_seconds=60)

    def make_redis(folder: Path) -> None:
        say("fetching Redis from Debian (first time only, about 15 s)")
        proxies = {name: value for name, value in proxy_environment().items() if name.endswith("_proxy")}
        try:
            run_in_scratch(root, folder, _REDIS, env=proxies, timeout_seconds=300)
        except SandboxError as error:
            gone = gone_packages(error.message)
            if not gone:
                raise
            raise SandboxError(
                f"Redis cannot be taken from Debian: the mirror does not have {', '.join(gone)}:\n{error.message}",
                _GONE_HINT,
            ) from error

    builds = cache_root() / "builds"
    base = root.parent.name
    return {
        "busybox": produce(builds / f"busybox-{digest([base])}", make_busybox),
        "redis": produce(builds / f"redis-{digest([base, _REDIS])}", make_redis),
        "bash": produce(builds / f"bash-{digest([base, _BASH])}", make_bash),
        "sensor": sensor_object(root),
        "python": program.interpreter(root),
        "falco": program.program(root),
    }
