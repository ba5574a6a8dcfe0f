# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernels on which a Falco driver is known to fail although every feature is there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import DriverError
from .kernel import KernelRelease


def parse_falco_version(text: str) -> tuple[int, ...]:
    """`0.44.1` → (0, 44, 1); raises DriverError for what is no version."""
    match = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+].*)?\Z", text.strip())
    if match is None:
        raise DriverError(f"{text!r} is no version of Falco", "expected two or three numbers, such as 0.44.0")
    return tuple(int(part) for part in match.groups() if part is not None)


@dataclass(frozen=True)
class KnownBad:
    """One report: the driver, the kernels, the Falco versions, and what happens.

    since: first upstream kernel version that fails. A kernel of the RHEL family carries at least what its base
    version had, so it is matched the same way.
    fixed_in: first Falco version that is well.
    """

    driver: str
    since: tuple[int, ...]
    fixed_in: tuple[int, ...]
    symptom: str
    hint: str
    source: str

    def matches(self, kernel: KernelRelease, falco: tuple[int, ...]) -> bool:
        """Whether this Falco version fails on this kernel."""
        return kernel.at_least(*self.since) and falco < self.fixed_in


KNOWN_BAD = (
    KnownBad(
        driver="modern_ebpf",
        since=(7, 0),
        fixed_in=(0, 45),
        symptom="Falco ends again and again with 'could not parse param' on Linux 7.0 and newer",
        hint="use Falco 0.45 or newer, or boot a kernel older than 7.0",
        source="https://github.com/falcosecurity/falco/issues/3955",
    ),
    KnownBad(
        driver="modern_ebpf",
        since=(6, 19),
        fixed_in=(0, 44),
        symptom="the verifier refuses the program recvmmsg_x as too large on Linux 6.19 and newer",
        hint="use Falco 0.44 or newer",
        source="https://github.com/falcosecurity/falco/issues/3829",
    ),
    KnownBad(
        driver="modern_ebpf",
        since=(6, 12),
        fixed_in=(0, 40),
        symptom="the program sys_exit is refused on Linux 6.12 and newer, where tail calls are no longer shared",
        hint="use Falco 0.40 or newer",
        source="https://github.com/falcosecurity/libs/pull/2172",
    ),
)
