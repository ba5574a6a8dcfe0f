"""Bringing images into the nodes: only what a node lacks, all nodes at once."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from sandbox import oci
from sandbox.errors import SandboxError
from sandbox.image_spec import ImageSpec
from sandbox.images import PAUSE_IMAGE
from sandbox.instance import Instance, Node
from sandbox.machines import IMAGES_READY, find, inside
from sandbox.process import run, tail, wait_for

LIMIT_SECONDS = 300
_CTR = ["/usr/local/bin/ctr", "--namespace", "k8s.io"]


def enter(pid: int) -> list[str]:
    """Beginning of an argv that runs inside the machine whose first process is ``pid``."""
    return ["nsenter", "--target", str(pid), "--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--"]


def parse_images(listing: str) -> dict[str, str]:
    """Output of ``ctr images list``: reference to digest of the manifest."""
    rows = (line.split() for line in listing.splitlines()[1:])
    return {row[0]: row[2] for row in rows if len(row) > 2}


def present(pid: int) -> dict[str, str]:
    """Images that a node has: reference to digest; waits for its containerd."""

    def listing() -> str | None:
        done = run([*enter(pid), *_CTR, "images", "list"], timeout_seconds=20, check=False)
        return done.stdout if done.returncode == 0 else None

    socket = inside(pid, "/run/containerd/containerd.sock")
    wait_for("containerd to make its socket", socket.exists, timeout_seconds=60)
    return parse_images(wait_for("containerd to answer", listing, timeout_seconds=60))


def _feed(write: Writer, stream: IO[bytes], failures: list[str]) -> None:
    try:
        with stream:
            write(stream)
    except BrokenPipeError:
        failures.append("ctr stopped reading")


class Writer:
    """Writes an archive to a stream: images from the cache, or a file of the user's."""

    def __init__(self, source: Sequence[oci.Image] | Path) -> None:
        self.source = source

    def __call__(self, stream: IO[bytes]) -> None:
        if isinstance(self.source, Path):
            with self.source.open("rb") as file:
                while chunk := file.read(1 << 20):
                    stream.write(chunk)
        else:
            oci.write_archive(self.source, stream)


def import_archive(pid: int, node: str, write: Writer) -> str:
    """Import an archive into a node; returns what ctr said.

    Raises:
        SandboxError: ctr refused it.
    """
    argv = [*enter(pid), *_CTR, "images", "import", "--local", "-"]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdin is not None
    failures: list[str] = []
    feeder = threading.Thread(target=_feed, args=(write, process.stdin, failures), daemon=True)
    feeder.start()
    process.stdin = None
    try:
        output = process.communicate(timeout=LIMIT_SECONDS)[0].decode(errors="replace")
    except subprocess.TimeoutExpired as error:
        process.kill()
        raise SandboxError(f"{node}: the import of images took longer than {LIMIT_SECONDS} s") from error
    if process.returncode != 0:
        raise SandboxError(f"{node}: ctr could not import the images:\n{tail(output)}")
    return output


def ensure_images(instance: Instance, node: Node, wanted: Sequence[oci.Image]) -> int:
    """The node has these images, of the content that we built; returns how many were missing."""
    found = find(instance, node.name)
    if found is None:
        raise SandboxError(f"{node.name} does not run")
    has = present(found[0])
    missing = [image for image in wanted if has.get(image.name) != image.digest]
    if missing:
        import_archive(found[0], node.name, Writer(missing))
    return len(missing)


def ensure_boot_images(instance: Instance, wanted: Sequence[tuple[ImageSpec, oci.Image]]) -> int:
    """The control plane's nodes have what their kubelet starts by itself; then it may start."""
    first = [image for spec, image in wanted if spec.control_plane_only or spec.name == PAUSE_IMAGE]

    def ensure(node: Node) -> int:
        imported = ensure_images(instance, node, first)
        _allow_kubelet(instance, node)
        return imported

    with ThreadPoolExecutor(instance.control_planes) as pool:
        return sum(pool.map(ensure, (node for node in instance.nodes if node.control_plane)))


def ensure_all_images(instance: Instance, wanted: Sequence[tuple[ImageSpec, oci.Image]]) -> int:
    """All nodes have all their images, and all kubelets may start; returns how many imports there were."""

    def ensure(node: Node) -> int:
        its = [image for spec, image in wanted if node.control_plane or not spec.control_plane_only]
        imported = ensure_images(instance, node, its)
        _allow_kubelet(instance, node)
        return imported

    with ThreadPoolExecutor(len(instance.nodes)) as pool:
        return sum(pool.map(ensure, instance.nodes))


def _allow_kubelet(instance: Instance, node: Node) -> None:
    found = find(instance, node.name)
    if found:
        inside(found[0], IMAGES_READY).touch()


def import_everywhere(instance: Instance, archive: Path) -> dict[str, str]:
    """Import a user's archive (docker save, OCI layout) into all nodes; returns what ctr said about each."""
    if not archive.is_file():
        raise SandboxError(f"there is no file {archive}", "make one with: docker save -o FILE IMAGE...")
    running = {node.name: find(instance, node.name) for node in instance.nodes}
    down = [name for name, found in running.items() if found is None]
    if down:
        raise SandboxError(f"not running: {', '.join(down)}", f"python -m sandbox --name {instance.name} up")
    pids = {name: found[0] for name, found in running.items() if found}
    with ThreadPoolExecutor(len(pids)) as pool:
        said = pool.map(lambda name: import_archive(pids[name], name, Writer(archive)), pids)
        return dict(zip(pids, said))
