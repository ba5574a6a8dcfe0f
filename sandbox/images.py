"""Which container images the sandbox brings, and what is in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Kubernetes, etcd and agnhost speak of themselves by these tags.
KUBERNETES = "v1.35.4"
ETCD = "3.6.5-0"
COREDNS = "v1.15.0"
AGNHOST = "2.59"
PAUSE = "3.10.1"

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class ImageSpec:
    """A container image as data.

    Attributes:
        name: reference with a tag, such as ``sandbox.local/toolbox:1``.
        files: source to absolute path in the image. A source is ``<build>/<file>``: a file that the
            build of that name left in its output (``builds.py``). Files get mode 0755.
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
    texts: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    directories: Mapping[str, int] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    control_plane_only: bool = False
