"""Builds and images of the stand-ins, for the sandbox's image builder."""

# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from sandbox.builds import GoBuild
from sandbox.image_spec import APPLETS, ImageSpec

HERE = Path(__file__).resolve().parent

#: Tags are the versions that the stand-ins imitate; the names say that they are stand-ins.
FALCO_IMAGE = "sandbox.local/standin-falco:0.44.0"
FALCOSIDEKICK_IMAGE = "sandbox.local/standin-falcosidekick:2.31.1"
FALCOSIDEKICK_UI_IMAGE = "sandbox.local/standin-falcosidekick-ui:2.2.0"
ALERT_RECEIVER_IMAGE = "sandbox.local/standin-alert-receiver:0.1.0"

#: Where the stand-in for Falcosidekick posts its Telegram-shaped messages; it never contacts Telegram.
TELEGRAM_URL = "http://alert-receiver.alert-receiver.svc.cluster.local:8080"

LABELS = {
    "falconet.sandbox/stand-in": "true",
    "org.opencontainers.image.description": "stand-in of the falconet sandbox, not the program whose name it bears",
}

BUILDS: tuple[GoBuild, ...] = (
    GoBuild("standins", HERE.parent / "go" / "standins", files=("standins",), cold_seconds=15),
)


def _image(name: str, program: str, files: Mapping[str, str] = MappingProxyType({}), **more: object) -> ImageSpec:
    """One image: the shared binary (a layer of its own) under a program's name."""
    return ImageSpec(
        name,
        files={"standins/standins": "/usr/bin/standins", "busybox/busybox": "/bin/busybox", **files},
        links={f"/usr/bin/{program}": "standins", **{f"/bin/{applet}": "busybox" for applet in APPLETS}},
        directories={"/tmp": 0o1777},  # noqa: S108 - a path in the image
        labels=LABELS,
        **more,  # type: ignore[arg-type]  # fields of ImageSpec, checked when the module is imported
    )


def _texts() -> dict[str, str]:
    """The files of Falco's image: rules and a configuration for use without the chart."""
    root = HERE / "image"
    return {
        "/" + str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in sorted(root.rglob("*.yaml"))
    }


IMAGES: tuple[ImageSpec, ...] = (
    # No entrypoint: the chart names the program in the container's args, as the real chart does.
    _image(
        FALCO_IMAGE,
        "falco-sensor",
        files={"sensor/sensor.o": "/usr/share/falco/sensor.o", "falco/falco": "/usr/bin/falco"},
        trees={"python/root": "/"},
        # Without it the C library asks DNS first.
        texts={**_texts(), "/etc/nsswitch.conf": "hosts: files dns\n"},
        command=("/usr/bin/falco",),
    ),
    _image(
        FALCOSIDEKICK_IMAGE,
        "falcosidekick",
        entrypoint=("/usr/bin/falcosidekick",),
        user="1234:1234",
        env={"STANDIN_TELEGRAM_URL": TELEGRAM_URL},
    ),
    _image(FALCOSIDEKICK_UI_IMAGE, "falcosidekick-ui", entrypoint=("/usr/bin/falcosidekick-ui",), user="1234:1234"),
    _image(ALERT_RECEIVER_IMAGE, "alert-receiver", entrypoint=("/usr/bin/alert-receiver",), user="65532:65532"),
)
