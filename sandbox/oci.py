"""Writing container images: layers as plain tar files, and OCI image archives of any number of images.

Specification: OCI image-spec v1.1 (manifest, config, image layout). Deterministic: no times, no user names.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_MEDIA = "application/vnd.oci.image."
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Layer:
    """A layer on disk: an uncompressed tar, so that its digest and its diff ID are the same."""

    path: Path
    digest: str
    size_bytes: int


@dataclass(frozen=True)
class Image:
    """An image ready to be archived: its reference, two JSON documents and its layers."""

    name: str
    config: bytes
    manifest: bytes
    layers: tuple[Layer, ...]

    @property
    def digest(self) -> str:
        """Digest of the manifest; what containerd shows for the image."""
        return sha256(self.manifest)


def architecture() -> str:
    """The machine's architecture as OCI and Go spell it."""
    return _MACHINES.get(platform.machine(), platform.machine())


def sha256(data: bytes) -> str:
    """``sha256:`` and 64 hexadecimal digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _entry(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name.strip("/"))
    entry.type = kind
    entry.mode = mode
    return entry


def write_layer(
    path: Path,
    *,
    files: Mapping[str, Path] | None = None,
    texts: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
    directories: Mapping[str, int] | None = None,
) -> None:
    """Write a layer's tar file.

    Args:
        path: where to.
        files: absolute path in the image to the file on disk; mode 0755.
        texts: absolute path to content; mode 0644.
        links: absolute path of a symbolic link to its target.
        directories: absolute path to mode; parents of everything else come by themselves with 0755.
    """
    files, texts, links = files or {}, texts or {}, links or {}
    modes: dict[str, int] = {}
    for name in (*files, *texts, *links, *(directories or {})):
        for parent in list(Path(name).parents)[::-1][1:]:
            modes.setdefault(str(parent), 0o755)
    modes.update(directories or {})
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name in sorted(modes):
            tar.addfile(_entry(name, tarfile.DIRTYPE, modes[name]))
        for name in sorted(files):
            entry = _entry(name, tarfile.REGTYPE, 0o755)
            entry.size = files[name].stat().st_size
            with files[name].open("rb") as content:
                tar.addfile(entry, content)
        for name in sorted(texts):
            data = texts[name].encode()
            entry = _entry(name, tarfile.REGTYPE, 0o644)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        for name in sorted(links):
            entry = _entry(name, tarfile.SYMTYPE, 0o777)
            entry.linkname = links[name]
            tar.addfile(entry)


def _json(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def describe(name: str, layers: Iterable[Layer], runtime: Mapping[str, object]) -> Image:
    """An image from its layers.

    Args:
        name: reference with tag.
        layers: lowest first.
        runtime: the ``config`` member of the image configuration (Entrypoint, Cmd, Env, User, ...).
    """
    stack = tuple(layers)
    config = _json(
        {
            "architecture": architecture(),
            "os": "linux",
            "config": dict(runtime),
            "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in stack]},
            "history": [{"created_by": "falconet sandbox"} for _ in stack],
        }
    )
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": _MEDIA + "manifest.v1+json",
            "config": {"mediaType": _MEDIA + "config.v1+json", "digest": sha256(config), "size": len(config)},
            "layers": [
                {"mediaType": _MEDIA + "layer.v1.tar", "digest": layer.digest, "size": layer.size_bytes}
                for layer in stack
            ],
        }
    )
    return Image(name, config, manifest, stack)


def write_archive(images: Iterable[Image], stream: IO[bytes]) -> None:
    """Write an OCI image archive (a tar of an image layout); a layer that images share is written once."""
    wanted = list(images)
    manifests = [
        {
            "mediaType": _MEDIA + "manifest.v1+json",
            "digest": image.digest,
            "size": len(image.manifest),
            "platform": {"architecture": architecture(), "os": "linux"},
            # containerd takes the whole name from its own annotation, others the tag from the standard one.
            "annotations": {
                "io.containerd.image.name": image.name,
                "org.opencontainers.image.ref.name": image.name.rpartition(":")[2],
            },
        }
        for image in wanted
    ]
    index = _json({"schemaVersion": 2, "mediaType": _MEDIA + "index.v1+json", "manifests": manifests})
    small = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": index}
    layers: dict[str, Layer] = {}
    for image in wanted:
        for blob in (image.config, image.manifest):
            small["blobs/sha256/" + sha256(blob).partition(":")[2]] = blob
        layers.update({layer.digest: layer for layer in image.layers})
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT) as tar:
        for name, data in small.items():
            entry = _entry(name, tarfile.REGTYPE, 0o644)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        for layer in layers.values():
            entry = _entry("blobs/sha256/" + layer.digest.partition(":")[2], tarfile.REGTYPE, 0o644)
            entry.size = layer.size_bytes
            with layer.path.open("rb") as content:
                tar.addfile(entry, content)
