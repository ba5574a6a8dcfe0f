# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Falco driver can run on a kernel, decided from the kernel's features alone.

Pure: text and bytes in, values out. Reading a node's files is the job of module_utils/node.
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.

from __future__ import annotations

from .decide import Candidate, Decision, Policy, decide
from .errors import DriverError
from .features import Features, Probe, RawNode, features_of
from .kernel import KernelRelease, parse_release
from .reasons import Reason

__all__ = [
    "Candidate",
    "Decision",
    "DriverError",
    "Features",
    "KernelRelease",
    "Policy",
    "Probe",
    "RawNode",
    "Reason",
    "decide",
    "features_of",
    "parse_release",
]
