"""The kernel's side of the sensor: BPF programs, compiled once by Debian's clang in a throw-away root.

The object fits every kernel that describes its structures (BTF): where their members are is looked up at each start.
So neither a header nor a tool of the machine's kernel is needed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sandbox.cache import cache_root, digest, digest_files, produce
from sandbox.debian import gone_packages, proxy_environment
from sandbox.errors import SandboxError
from sandbox.process import say
from sandbox.scratch import run_in_scratch

SOURCE = Path(__file__).resolve().parent / "standins" / "sensor"

#: Where the kernel describes its structures; without it nothing can be loaded.
BTF = Path("/sys/kernel/btf/vmlinux")

# Unpacked and not installed: nothing of it has to be configured, and a third of it need not be unpacked.
_COMPILE = """
apt-get update -q >/dev/null
apt-get install -q -y --no-install-recommends --download-only clang libbpf-dev >/dev/null
mkdir /tools
for package in /var/cache/apt/archives/*.deb; do
  case "${package##*/}" in
    binutils*|gcc-*|cpp-*|libc6-dev_*|libc-dev*|libgcc-*-dev_*|libstdc++-*-dev_*|libobjc*|libasan*|linux-libc-dev_*) ;;
    *) dpkg -x "$package" /tools ;;
  esac
done
export LD_LIBRARY_PATH="$(find /tools -name '*.so*' -printf '%h\\n' | sort -u | paste -sd:)"
clang="$(ls -d /tools/usr/lib/llvm-*/bin/clang | head -n 1)"
"$clang" -target bpf -mcpu=v3 -O2 -g -Wall -Werror -I /tools/usr/include -c /out/sensor.bpf.c -o /out/sensor.o
"""


def sensor_object(root: Path) -> Path:
    """The folder with the compiled programs, ``sensor.o``; made if the cache does not hold it.

    Args:
        root: a Debian root file system, whose package manager brings the compiler; it stays as it is.

    Raises:
        SandboxError: a package is gone, or the compiler refuses the source; has its words.
    """

    def make(folder: Path) -> None:
        say("compiling the sensor's programs for the kernel (first time only, about 11 s)")
        for source in SOURCE.iterdir():
            shutil.copy(source, folder)
        proxies = {name: value for name, value in proxy_environment().items() if name.endswith("_proxy")}
        try:
            run_in_scratch(root, folder, _COMPILE, env=proxies, timeout_seconds=300)
        except SandboxError as error:
            gone = gone_packages(error.message)
            what = f"the mirror does not have {', '.join(gone)}:\n" if gone else ""
            raise SandboxError(
                f"the sensor's programs cannot be compiled: {what}{error.message}",
                "a mirror may be amid an update: try again, or another mirror in /etc/apt/sources.list.d",
            ) from error
        for source in SOURCE.iterdir():
            (folder / source.name).unlink()

    key = digest([root.parent.name, _COMPILE, *digest_files(SOURCE, ["*.c", "*.h"])])
    return produce(cache_root() / "builds" / f"sensor-{key}", make)
