"""A containerd store that holds all images already, imported once and then shared by every node.

A node's store starts as a copy of it in which all big files are hard links: blobs and unpacked layers are
never written to again (containers write into layers of their own), only containerd's databases are copied.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sandbox import oci
from sandbox.cache import cache_root, digest, produce
from sandbox.errors import SandboxError
from sandbox.process import run, say, tail_file, wait_for

#: Stores that are kept; older ones belong to images that were built anew since.
KEPT = 2
_LIMIT_SECONDS = 300

_CONFIG = """version = 4
root = "{root}"
state = "{state}"
disabled_plugins = [
  "io.containerd.cri.v1.images",
  "io.containerd.cri.v1.runtime",
  "io.containerd.grpc.v1.cri",
  "io.containerd.internal.v1.opt",
  "io.containerd.nri.v1.nri",
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.erofs",
  "io.containerd.snapshotter.v1.native",
]

[plugins.'io.containerd.server.v1.grpc']
address = "{socket}"

[plugins.'io.containerd.server.v1.ttrpc']
address = "{socket}.ttrpc"
"""


def _import(programs: Path, images: Sequence[oci.Image], folder: Path) -> None:
    say(f"unpacking {len(images)} images (after each change of one, about 5 s)")
    with tempfile.TemporaryDirectory(prefix="falconet-store-") as name:
        state = Path(name)
        socket, log = state / "containerd.sock", state / "containerd.log"
        text = _CONFIG.format(root=folder / "root", state=state / "state", socket=socket)
        (state / "config.toml").write_text(text)
        # Layers are unpacked by mounting them: in a mount namespace, where nothing of it can stay behind.
        argv = ["unshare", "--mount", "--propagation", "private", str(programs / "containerd")]
        with log.open("wb") as output:
            daemon = subprocess.Popen(
                [*argv, "--config", str(state / "config.toml")],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        ctr = [str(programs / "ctr"), "--address", str(socket), "--namespace", "k8s.io"]
        try:
            wait_for(
                "containerd to answer",
                lambda: run([*ctr, "version"], check=False).returncode == 0 or _raise_if_dead(daemon, log),
                timeout_seconds=30,
            )
            with tempfile.TemporaryFile(dir=folder) as archive:
                oci.write_archive(images, archive)
                archive.seek(0)
                # `run` takes text; an archive is handed over as an open file.
                done = subprocess.run(
                    [*ctr, "images", "import", "--local", "-"],
                    stdin=archive,
                    capture_output=True,
                    text=True,
                    timeout=_LIMIT_SECONDS,
                    check=False,
                )
            if done.returncode != 0:
                raise SandboxError(f"ctr could not import the images:\n{done.stderr}")
        finally:
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def _raise_if_dead(daemon: subprocess.Popen[bytes], log: Path) -> bool:
    if daemon.poll() is not None:
        raise SandboxError(f"containerd ended with exit code {daemon.returncode}:\n{tail_file(log)}")
    return False


def prepared_store(programs: Path, images: Sequence[oci.Image]) -> Path:
    """A containerd root folder with these images, made if the cache does not hold it.

    Args:
        programs: folder with containerd and ctr.
        images: what to import.
    """
    key = digest([str(programs), _CONFIG, *(f"{image.name}={image.digest}" for image in images)])
    stores = cache_root() / "stores"
    store = produce(stores / key, lambda folder: _import(programs, images, folder))
    others = [path for path in stores.iterdir() if path.is_dir() and path != store and not path.name.startswith(".")]
    for old in sorted(others, key=lambda path: path.stat().st_mtime, reverse=True)[KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)
    return store / "root"


def ensure_store(store: Path, target: Path) -> bool:
    """A node's containerd folder exists, begun as a copy of the store; True if it was made now.

    Args:
        store: from `prepared_store`.
        target: becomes the node's /var/lib/containerd.
    """
    if (target / "io.containerd.metadata.v1.bolt").exists():
        return False
    partial = target.with_name(f".{target.name}.partial")
    for old in (partial, target):
        shutil.rmtree(old, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    linked = run(["cp", "--archive", "--link", str(store), str(partial)], timeout_seconds=120, check=False)
    if linked.returncode != 0:
        # The cache is on another file system.
        shutil.rmtree(partial, ignore_errors=True)
        run(["cp", "--archive", "--reflink=auto", str(store), str(partial)], timeout_seconds=300)
    for database in list(partial.rglob("*.db")):
        if "snapshots" not in database.relative_to(partial).parts:
            copy = database.with_name(database.name + ".copy")
            shutil.copy2(database, copy)
            copy.replace(database)
    partial.rename(target)
    return True
