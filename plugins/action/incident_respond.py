# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""incident_respond within Ansible itself where the task is done on the controller.

A module is built, copied, and started with nothing compiled: more seconds than it takes to cut a pod off.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible_collections.falconet.k8s.plugins.module_utils.live_respond.options import ARGUMENTS, REQUIRED_BY, done


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible's own class has no types
    """The action of a task."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do it here, or by the module where here is not where the task is to be done.

        Args:
            tmp: not used any more by Ansible.
            task_vars: variables of the host.
        """
        result: dict[str, Any] = super().run(tmp, task_vars)
        if not self._is_here(task_vars or {}):
            result.update(self._execute_module(task_vars=task_vars))
            return result
        # As a module gets them: plain data, without what Ansible knows of where it comes from.
        given = json.loads(json.dumps(self._task.args))
        checked = ArgumentSpecValidator(ARGUMENTS, required_by=REQUIRED_BY).validate(given)
        if checked.error_messages:
            return {**result, "failed": True, "msg": f"incident_respond: {'; '.join(checked.error_messages)}"}
        found = done(checked.validated_parameters, bool(self._task.check_mode), bool(self._task.diff))
        return {**result, **remove_values(found, checked._no_log_values)}

    def _is_here(self, task_vars: dict[str, Any]) -> bool:
        """Whether the module would run on this machine, by this Python, as this user, with this environment."""
        python = self._templar.template(task_vars.get("ansible_python_interpreter", ""))
        task = self._task
        apart = self._connection.become or task.async_val or any(task.environment or ())
        return self._connection.transport == "local" and python == sys.executable and not apart
