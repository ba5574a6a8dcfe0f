"""Which container images the sandbox brings, and what is in each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox import oci
from sandbox.builds import BUILDS, GoBuild
from sandbox.cache import cache_root, digest, produce
from sandbox.errors import SandboxError
from sandbox.image_spec import APPLETS, ImageSpec
from sandbox.standins import images as standins

#: Kubernetes, etcd, CoreDNS, agnhost and pause speak of themselves by these tags.
KUBERNETES = "v1.35.4"
ETCD = "3.6.5-0"
COREDNS = "v1.15.0"
AGNHOST = "2.59"
PAUSE = "3.10.1"

PAUSE_IMAGE = f"registry.k8s.io/pause:{PAUSE}"
ETCD_IMAGE = f"registry.k8s.io/etcd:{ETCD}"
COREDNS_IMAGE = f"registry.k8s.io/coredns/coredns:{COREDNS}"
AGNHOST_IMAGE = f"registry.k8s.io/e2e-test-images/agnhost:{AGNHOST}"
TOOLBOX_IMAGE = "sandbox.local/toolbox:1"
REDIS_IMAGE = "sandbox.local/redis:7"

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

#: Files at least this big get a layer of their own, which images with the same file share.
OWN_LAYER_BYTES = 1 << 20


def _component(name: str, tag: str) -> ImageSpec:
    """A control plane image: all of them hold the one program, under different names, so they share its layer."""
    return ImageSpec(
        f"registry.k8s.io/{name}:{tag}",
        files={"kubernetes/kubernetes": "/usr/local/bin/kubernetes"},
        links={f"/usr/local/bin/{name}": "kubernetes"},
        entrypoint=(name,),
        control_plane_only=True,
    )


_USERS = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "/etc/group": "root:x:0:\nnogroup:x:65534:\n",
}
_SHELL_LINKS = {f"/bin/{applet}": "busybox" for applet in APPLETS}

_REDIS_START = 'exec redis-server --dir /data --protected-mode no $REDIS_ARGS "$@"'

IMAGES: tuple[ImageSpec, ...] = (
    ImageSpec(PAUSE_IMAGE, files={"pause/pause": "/pause"}, entrypoint=("/pause",), user="65535:65535"),
    *(_component(name, KUBERNETES) for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler")),
    _component("etcd", ETCD),
    ImageSpec(COREDNS_IMAGE, files={"coredns/coredns": "/coredns"}, entrypoint=("/coredns",), user="65532:65532"),
    ImageSpec(
        AGNHOST_IMAGE,
        files={"agnhost/agnhost": "/agnhost", "busybox/busybox": "/bin/busybox"},
        # The real image has bash, too: https://github.com/kubernetes/kubernetes/blob/master/test/images/agnhost/Dockerfile
        trees={"bash/root": "/"},
        links=_SHELL_LINKS,
        texts=_USERS,
        directories={"/tmp": 0o1777, "/root": 0o700},  # noqa: S108 - a path in the image
        entrypoint=("/agnhost",),
        command=("pause",),
    ),
    ImageSpec(
        TOOLBOX_IMAGE,
        files={"agnhost/agnhost": "/agnhost", "busybox/busybox": "/bin/busybox"},
        links=_SHELL_LINKS,
        texts=_USERS,
        directories={"/tmp": 0o1777, "/root": 0o700},  # noqa: S108 - a path in the image
        command=("sleep", "infinity"),
    ),
    ImageSpec(
        REDIS_IMAGE,
        files={"busybox/busybox": "/bin/busybox"},
        trees={"redis/root": "/"},
        links=_SHELL_LINKS,
        texts={
            "/etc/passwd": _USERS["/etc/passwd"] + "redis:x:999:999:redis:/data:/bin/sh\n",
            "/etc/group": _USERS["/etc/group"] + "redis:x:999:\n",
        },
        directories={"/tmp": 0o1777, "/data": 0o777},  # noqa: S108 - a path in the image
        # As the images of redis-stack do: more arguments, such as a password, come by the environment.
        entrypoint=("/bin/sh", "-c", _REDIS_START, "redis-server"),
    ),
)


def all_builds() -> tuple[GoBuild, ...]:
    """Every Go build that a cluster needs."""
    return BUILDS + standins.BUILDS


def all_images() -> tuple[ImageSpec, ...]:
    """Every image that a cluster needs."""
    return IMAGES + standins.IMAGES


def _source(spec: ImageSpec, source: str, outputs: Mapping[str, Path]) -> Path:
    build, _, rest = source.partition("/")
    path = outputs[build] / rest if build in outputs else None
    if path is None or not path.exists():
        raise SandboxError(
            f"image {spec.name}: there is no {source}",
            f"builds are: {', '.join(sorted(outputs))}; a source is <build>/<file>",
        )
    return path


def _layer(key: str, make: Mapping[str, object]) -> oci.Layer:
    def write(folder: Path) -> None:
        oci.write_layer(folder / "layer.tar", **make)  # type: ignore[arg-type]  # one mapping per parameter
        with (folder / "layer.tar").open("rb") as content:
            digest = hashlib.file_digest(content, "sha256")  # type: ignore[attr-defined]  # since 3.11, as the sandbox
            (folder / "digest").write_text("sha256:" + digest.hexdigest())

    folder = produce(cache_root() / "layers" / key, write)
    tar = folder / "layer.tar"
    return oci.Layer(tar, (folder / "digest").read_text(), tar.stat().st_size)


def make_image(spec: ImageSpec, outputs: Mapping[str, Path]) -> oci.Image:
    """Turn a specification into layers in the cache.

    Args:
        spec: what to make.
        outputs: name of each build to its folder, whose name changes when its content does.
    """
    files = {path: _source(spec, source, outputs) for source, path in spec.files.items()}
    for source, target in spec.trees.items():
        top = _source(spec, source, outputs)
        below = (path for path in sorted(top.rglob("*")) if path.is_file())
        files.update({str(Path(target) / path.relative_to(top)): path for path in below})
    big = {path: file for path, file in files.items() if file.stat().st_size >= OWN_LAYER_BYTES}
    small = {path: file for path, file in files.items() if path not in big}
    layers = [_layer(digest([path, str(file)]), {"files": {path: file}}) for path, file in sorted(big.items())]
    rest = {"files": small, "texts": spec.texts, "links": spec.links, "directories": spec.directories}
    if any(rest.values()):
        layers.append(_layer(digest([json.dumps(rest, sort_keys=True, default=str)]), rest))
    runtime = {
        "Entrypoint": list(spec.entrypoint),
        "Cmd": list(spec.command),
        "Env": [f"PATH={DEFAULT_PATH}", *(f"{name}={value}" for name, value in spec.env.items())],
        "User": spec.user,
        "WorkingDir": "/",
        "Labels": dict(spec.labels),
    }
    return oci.describe(spec.name, layers, {name: value for name, value in runtime.items() if value})


def make_images(specs: Iterable[ImageSpec], outputs: Mapping[str, Path]) -> list[tuple[ImageSpec, oci.Image]]:
    """All images with their specifications; raises if two have the same name."""
    wanted = list(specs)
    names = [spec.name for spec in wanted]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SandboxError(f"two images are named {', '.join(twice)}")
    return [(spec, make_image(spec, outputs)) for spec in wanted]
