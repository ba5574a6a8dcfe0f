"""Throw-away copies of a root file system, to run programs in: an overlay in a mount namespace of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sandbox.process import run

# The mounts live and die with this shell: it is the only process of its mount namespace.
_ENTER = """
root=$1/root; mkdir -p "$1/upper" "$1/work" "$root"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mkdir -p "$root/out"; mount --bind "$3" "$root/out"
for shared in /etc/resolv.conf /etc/apt/apt.conf.d /etc/ssl/certs; do
  [ -e "$shared" ] || continue
  if [ -d "$shared" ]; then mkdir -p "$root$shared"; else [ -e "$root$shared" ] || : > "$root$shared"; fi
  mount --bind "$shared" "$root$shared"
done
exec chroot "$root" /bin/sh -euc "$4"
"""


def run_in_scratch(root: Path, output: Path, script: str, *, env: Mapping[str, str], timeout_seconds: float) -> str:
    """Run a shell script inside a throw-away copy of ``root``, as root, with the machine's network.

    Args:
        root: the root file system; it stays as it is.
        output: folder that the script sees as ``/out``; the only thing that remains.
        script: for ``sh -eu``.
        env: variables in addition to a minimal environment.
        timeout_seconds: limit.

    Returns:
        The script's standard output.
    """
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", **env}
    # Beside the output: overlayfs wants its writable part on a real file system, which /tmp need not be.
    work = Path(tempfile.mkdtemp(prefix=".scratch-", dir=output.parent))
    try:
        argv = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", _ENTER, "sh", str(work), str(root)]
        return run([*argv, str(output), script], env=environment, timeout_seconds=timeout_seconds).stdout
    finally:
        _remove(work)


def _remove(folder: Path) -> None:
    # overlayfs leaves work/work with mode 000; root may remove it all the same.
    if os.path.ismount(folder / "root"):
        run(["umount", "--recursive", "--lazy", str(folder / "root")])
    shutil.rmtree(folder)
