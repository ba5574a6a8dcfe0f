# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that say where in a cluster Falco runs, shared by modules that ask its pods."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  container:
    description: Name of Falco's container.
    type: str
    default: falco
  metrics_port:
    description: Port of Falco's web server.
    type: int
    default: 8765
"""
    WORKLOAD = r"""
options:
  workload:
    description: Name of Falco's workload.
    type: str
    default: falco
  workload_kind:
    description: Its kind.
    type: str
    choices: [DaemonSet, Deployment]
    default: DaemonSet
"""
