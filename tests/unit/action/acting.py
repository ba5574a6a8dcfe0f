"""An action plugin with a connection, a task and a templar of the test."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any
from unittest import mock

from ansible_collections.falconet.k8s.plugins.plugin_utils.on_controller import OnController

#: What stands in an inventory for the Python that runs Ansible.
OWN_PYTHON = "{{ ansible_playbook_python }}"
#: The result where the module was run.
MODULE = {"changed": False, "module": "was run"}


class Acting:
    """One task of an action plugin.

    Args:
        plugin: its class.
        action: the task's name of it.
        args: the task's.
        how: further attributes of the task, and C(transport) and C(become) of its connection.
    """

    def __init__(self, plugin: type[OnController], action: str, args: dict[str, Any], **how: Any) -> None:
        connection = {"transport": how.pop("transport", "local"), "become": how.pop("become", None)}
        task = {"args": args, "check_mode": False, "diff": True, "async_val": 0, "environment": [], "delegate_to": None}
        self.plugin = plugin.__new__(plugin)
        self.plugin._task = SimpleNamespace(**{"action": action, **task, **how})
        self.plugin._connection = SimpleNamespace(has_native_async=False, **connection)
        self.plugin._templar = SimpleNamespace(template=lambda text: text.replace(OWN_PYTHON, sys.executable))
        #: With what the module was run, if it was.
        self.module = mock.Mock(return_value=dict(MODULE))
        self.plugin._execute_module = self.module

    def run(self, python: str = OWN_PYTHON, **task_vars: Any) -> dict[str, Any]:
        """The task's result, for a host with this interpreter."""
        # What Ansible's own part of an action does needs all of Ansible.
        with mock.patch.object(OnController.__bases__[0], "run", lambda *_arguments: {}):
            return self.plugin.run(None, {"ansible_python_interpreter": python, **task_vars})
