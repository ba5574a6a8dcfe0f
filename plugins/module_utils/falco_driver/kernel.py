# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernel releases as `uname -r` prints them: parsed, compared, turned into package names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import DriverError

#: Architectures as they end a release of the RPM family.
ARCHITECTURES = ("x86_64", "aarch64", "s390x", "ppc64le", "riscv64")

_RELEASE = re.compile(r"(?P<major>\d+)\.(?P<minor>\d+)(?:\.(?P<patch>\d+))?(?P<rest>.*)\Z")
_EL = re.compile(r"\.el(?P<major>\d+)(?:_(?P<minor>\d+))?")


@dataclass(frozen=True)
class KernelRelease:
    """One release, such as `5.14.0-570.12.1.el9_6.x86_64`.

    `version` is the upstream version (major, minor, patch), all that may be compared between distributions.
    `enterprise` is the major version of the RHEL family that built it, from `.elN`, else None.
    """

    text: str
    version: tuple[int, int, int]
    enterprise: int | None
    architecture: str | None

    @property
    def without_architecture(self) -> str:
        """Version and release of the kernel's RPM, without the architecture: what `kernel-devel-…` is called."""
        suffix = f".{self.architecture}"
        return self.text[: -len(suffix)] if self.architecture and self.text.endswith(suffix) else self.text

    @property
    def header_packages(self) -> tuple[str, str]:
        """The two RPMs that hold this very kernel's build tree and C headers."""
        return f"kernel-devel-{self.without_architecture}", f"kernel-headers-{self.without_architecture}"

    def at_least(self, *version: int) -> bool:
        """Whether the upstream version is `version` (one to three numbers) or newer."""
        return self.version >= (*version, 0, 0)[:3]


def parse_release(text: str) -> KernelRelease:
    """Parse `uname -r`; raises DriverError where no version can be seen in it.

    The debug and real-time flavours of RHEL (`+debug`, `+rt`) keep their suffix in `text`.
    """
    stripped = text.strip()
    match = _RELEASE.match(stripped)
    if match is None:
        raise DriverError(
            f"{stripped!r} is no kernel release",
            "expected what `uname -r` prints, such as 5.14.0-570.12.1.el9_6.x86_64",
        )
    version = (int(match["major"]), int(match["minor"]), int(match["patch"] or 0))
    enterprise = _EL.search(match["rest"])
    base = stripped.split("+", 1)[0]
    architecture = next((name for name in ARCHITECTURES if base.endswith("." + name)), None)
    return KernelRelease(stripped, version, int(enterprise["major"]) if enterprise else None, architecture)
