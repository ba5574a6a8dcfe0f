# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cluster_objects_info within Ansible itself where the task is done on the controller.

To build and to start a module takes longer than to ask, and each of many clusters has to pay it.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.live_objects.options import ARGUMENTS, done
from ansible_collections.falconet.k8s.plugins.plugin_utils.on_controller import OnController


class ActionModule(OnController):
    """The action of a task."""

    arguments = ARGUMENTS

    def done(self, params: dict[str, Any], check_mode: bool, diff_mode: bool) -> dict[str, Any]:
        """Ask the cluster, as the module does."""
        return done(params)
