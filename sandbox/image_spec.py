"""A container image as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_APPLETS = """
sh ash arp awk base64 basename cat chmod chown chroot clear cmp cp cut date dd df diff dirname dmesg du echo egrep
env expr false fgrep find free grep gunzip gzip head hexdump hostname id ifconfig ip kill killall ln ls md5sum mkdir
mkfifo mknod mktemp more mount mv nc netstat nsenter nslookup od ping printf ps pwd readlink realpath rm rmdir route
sed seq setsid sha256sum sleep sort stat stty sync sysctl tail tar tee telnet test timeout top touch tr traceroute
true tty umount uname uniq unshare uptime vi watch wc wget which whoami xargs yes
"""
#: Applets of busybox that the toolbox has under their own names.
APPLETS = tuple(_APPLETS.split())


@dataclass(frozen=True)
class ImageSpec:
    """A container image as data.

    Attributes:
        name: reference with a tag, such as ``sandbox.local/toolbox:1``.
        files: source to absolute path in the image. A source is ``<build>/<file>``: a file that the
            build of that name left in its output (``builds.py``). Files get mode 0755.
        trees: source folder, ``<build>/<folder>``, to absolute path: all files below it.
        texts: absolute path to content of small files (mode 0644).
        links: absolute path of a symbolic link to its target.
        directories: absolute path of an empty directory to its mode, such as ``0o1777`` for ``/tmp``.
        entrypoint: argv; the pod's ``command`` replaces it.
        command: default arguments; the pod's ``args`` replace them.
        user: ``""`` for root, or ``"1000:1000"``.
        env: environment in addition to PATH.
        labels: labels of the image's configuration; a stand-in says here that it is one.
        control_plane_only: import the image on control plane nodes only.
    """

    name: str
    files: Mapping[str, str] = field(default_factory=dict)
    trees: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    directories: Mapping[str, int] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    control_plane_only: bool = False
