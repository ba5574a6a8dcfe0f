"""Test machines: namespaces on the sandbox's Rocky-like root file system, each with a peculiarity, reached over SSH.

    python molecule/shared/machines.py up NAME machines.yml    makes the machines that the file describes
    python molecule/shared/machines.py connect NAME MACHINE    an SSH server on standard input and output
    python molecule/shared/machines.py down NAME               ends them without a trace

A machine has no address: Ansible's `ProxyCommand` is `connect`, so nothing is routed and no port is open.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from sandbox.cache import cache_root, digest, produce  # noqa: E402 - found through the path set above
from sandbox.debian import proxy_environment  # noqa: E402 - as above
from sandbox.errors import SandboxError  # noqa: E402 - as above
from sandbox.packages import build_repository, kernel_devel, packages  # noqa: E402 - as above
from sandbox.process import run, wait_for  # noqa: E402 - as above
from sandbox.rootfs import root_file_system  # noqa: E402 - as above

STATE = Path("/var/lib/falconet-machines")

# Runs as the machine's first process. $1 its folder, $2 lower layers, $3 host name; peculiarities follow as
# a shell script in $4. Every mount belongs to the machine's own mount namespace and goes with it.
_BOOT = """
folder=$1 root=$1/root
mount -t overlay overlay -o "lowerdir=$2,upperdir=$folder/upper,workdir=$folder/work" "$root"
hostname "$3"
ip link set lo up
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
mount -t tracefs tracefs "$root/sys/kernel/tracing"
mount -t bpf bpf "$root/sys/fs/bpf"
# Limits that are the whole machine's: files of the same content stand in their places.
for limit in max_user_instances max_user_watches; do
  cat "/proc/sys/fs/inotify/$limit" > "$folder/$limit"
  mount --bind "$folder/$limit" "$root/proc/sys/fs/inotify/$limit"
done
mkdir -p "$root/var/lib/sandbox-repo" "$root/var/lib/vault-repo" "$root/run/sshd"
mount --bind "$5" "$root/var/lib/sandbox-repo"
mount --bind "$6" "$root/var/lib/vault-repo"
eval "$4"
: > "$folder/up"
exec chroot "$root" /bin/sh -c 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done'
"""


def _peculiarities(machine: dict[str, Any]) -> str:
    """Shell that gives a machine what its description says."""
    lines = []
    if kernel := machine.get("kernel"):
        lines += [
            f"echo {kernel} > $folder/osrelease; mount --bind $folder/osrelease $root/proc/sys/kernel/osrelease",
            f"mkdir -p $root/lib/modules/{kernel} $root/boot",
            f"printf 'CONFIG_MODULES=y\\n' > $root/boot/config-{kernel}",
        ]
    lines += [f"mkdir -p $root/lib/modules/{kernel}" for kernel in machine.get("installed_kernels", [])]
    if machine.get("btf") is False:
        lines.append("mount -t tmpfs -o mode=555 tmpfs $root/sys/kernel/btf")
    if machine.get("tracefs") is False:
        lines.append("umount $root/sys/kernel/tracing")
    for path, options in machine.get("tmpfs", {}).items():
        lines.append(f"mkdir -p $root{path}; mount -t tmpfs -o {options} tmpfs $root{path}")
    for path in machine.get("read_only", []):
        lines.append(f"mountpoint -q $root{path} || mount --bind $root{path} $root{path}")
        lines.append(f"mount -o remount,bind,ro $root{path}")
    for path, text in machine.get("files", {}).items():
        lines.append(f"mkdir -p $(dirname $root{path}); rm -f $root{path}; printf '%b' '{text}' > $root{path}")
    lines += [f"chroot \"$root\" /bin/sh -euc '{command}'" for command in machine.get("run", [])]
    return "\n".join(lines)


def _layer(root: Path, debian_packages: list[str]) -> Path:
    """What installing these Debian packages adds to the root file system, as an overlay layer."""
    target = cache_root() / "test-layers" / digest([root.parent.name, *debian_packages])
    script = """
mkdir -p "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
cat /etc/resolv.conf > "$1/root/etc/resolv.conf"
cp -r /etc/apt/apt.conf.d/. "$1/root/etc/apt/apt.conf.d/"
[ -d /etc/ssl/certs ] && mkdir -p "$1/root/etc/ssl/certs" && mount --bind /etc/ssl/certs "$1/root/etc/ssl/certs"
printf '#!/bin/sh\\nexit 101\\n' > "$1/root/usr/sbin/policy-rc.d"; chmod 755 "$1/root/usr/sbin/policy-rc.d"
root=$1/root
shift 2
exec chroot "$root" sh -euc '
  apt-get update -q >/dev/null
  apt-get install -q -y --no-install-recommends "$@" >/dev/null
' sh "$@"
"""

    def make(folder: Path) -> None:
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", **proxy_environment()}
        argv = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", script, "sh", str(folder), str(root)]
        run([*argv, *debian_packages], env=env, timeout_seconds=300)
        shutil.rmtree(folder / "work", ignore_errors=True)
        for left in ("etc/resolv.conf", "etc/apt", "var/lib/apt/lists", "var/cache/apt", "usr/sbin/policy-rc.d"):
            path = folder / "upper" / left
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    return produce(target, make) / "upper"


def _repositories(root: Path, vault: list[str]) -> tuple[Path, Path]:
    """The repository that machines have enabled, which is the sandbox nodes' own, and a vault of older kernels."""
    machine = platform.uname()
    enabled = build_repository(root, packages(machine.release, machine.machine))
    return enabled, build_repository(root, [kernel_devel(kernel, "x86_64") for kernel in vault])


def up(name: str, file: Path) -> None:
    """Make the machines of a description; those that exist are made anew."""
    down(name)
    description = yaml.safe_load(file.read_text())
    root = root_file_system()
    enabled, vault = _repositories(root, description["vault"])
    home = STATE / name
    home.mkdir(parents=True)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / "key")])
    for machine, special in description["machines"].items():
        folder = home / machine
        for part in ("upper/root/.ssh", "upper/etc/ssh", "work", "root"):
            (folder / part).mkdir(parents=True)
        (folder / "upper/root").chmod(0o700)
        (folder / "upper/root/.ssh/authorized_keys").write_text((home / "key.pub").read_text())
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "upper/etc/ssh/ssh_host_ed25519_key")])
        lower = str(root)
        if special and special.get("debian_packages"):
            lower = f"{_layer(root, special['debian_packages'])}:{root}"
        _boot(folder, machine, lower, _peculiarities(special or {}), enabled, vault)


def _boot(folder: Path, machine: str, lower: str, script: str, enabled: Path, vault: Path) -> None:
    namespaces = ["--mount", "--pid", "--uts", "--ipc", "--net", "--fork", "--propagation", "private"]
    argv = [
        "unshare",
        *namespaces,
        "sh",
        "-euc",
        _BOOT,
        "sh",
        str(folder),
        lower,
        machine,
        script,
        str(enabled),
        str(vault),
    ]
    with (folder / "log").open("w") as log:
        shell = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def booted() -> bool:
        if shell.poll() is not None:
            said = (folder / "log").read_text().strip()
            raise SandboxError(f"machine {machine} did not start: {said}")
        return (folder / "up").exists()

    wait_for(f"machine {machine} is up", booted, timeout_seconds=60)
    children = Path(f"/proc/{shell.pid}/task/{shell.pid}/children").read_text().split()
    (folder / "pid").write_text(children[0])


def connect(name: str, machine: str) -> None:
    """Become an SSH server inside the machine, on standard input and output."""
    pid = (STATE / name / machine / "pid").read_text()
    namespaces = ["--mount", "--pid", "--uts", "--ipc", "--net", "--root", "--wd"]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    os.execvpe(  # noqa: S606 - sshd takes over this process, so no shell is wanted
        "nsenter", ["nsenter", "--target", pid, *namespaces, "/usr/sbin/sshd", "-i"], environment
    )


def down(name: str) -> None:
    """End the machines and remove what they wrote."""
    home = STATE / name
    for file in home.glob("*/pid"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(file.read_text()), signal.SIGKILL)
        file.unlink()
    if home.exists():
        shutil.rmtree(home)
    with contextlib.suppress(OSError):
        STATE.rmdir()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for command, arguments in (("up", ("name", "file")), ("connect", ("name", "machine")), ("down", ("name",))):
        sub = commands.add_parser(command)
        for argument in arguments:
            sub.add_argument(argument)
    options = parser.parse_args()
    try:
        if options.command == "up":
            up(options.name, Path(options.file))
        elif options.command == "connect":
            connect(options.name, options.machine)
        else:
            down(options.name)
    except (SandboxError, OSError) as error:
        raise SystemExit(f"machines: {error}") from error


if __name__ == "__main__":
    main()
