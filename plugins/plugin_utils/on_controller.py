# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module does, done within Ansible itself where the task is done on the controller.

A module is built, copied, and started with nothing compiled: seconds of a machine that has other work.
"""

from __future__ import annotations

import json
import sys
from abc import abstractmethod
from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from ansible import constants
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase

from .plain import plain


class OnController(ActionBase):  # type: ignore[misc]  # Ansible's own class has no types
    """An action that does the work of the module of its name: here, or by the module where here is not the place.

    A subclass says what its module does. Options, result, warnings and what is hidden of secrets are the module's.

    Attributes:
        arguments: the module's argument spec.
        required_by: options that need others, as C(AnsibleModule) knows them.
    """

    arguments: ClassVar[Mapping[str, dict[str, Any]]] = {}
    required_by: ClassVar[Mapping[str, str]] = {}
    # By the module, which alone can go on without Ansible.
    _supports_async = True

    @abstractmethod
    def done(self, params: dict[str, Any], check_mode: bool, diff_mode: bool) -> dict[str, Any]:
        """Do it, and give what the module would end with; C(failed) says that it failed.

        Args:
            params: all options, with their defaults and types.
            check_mode: whether nothing is changed.
            diff_mode: whether what changes is shown.
        """

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Do it here, or by the module where here is not where the task is to be done.

        Args:
            tmp: not used any more by Ansible.
            task_vars: variables of the host.
        """
        result: dict[str, Any] = super().run(tmp, task_vars)
        if not self._is_here(task_vars or {}):
            apart = self._task.async_val and not self._connection.has_native_async
            result.update(self._execute_module(task_vars=task_vars, wrap_async=apart))
            return result
        checked = ArgumentSpecValidator(self.arguments, required_by=self.required_by).validate(_sent(self._task.args))
        if checked.error_messages:
            found = {"failed": True, "msg": self._wrong(checked)}
        else:
            found = self.done(checked.validated_parameters, bool(self._task.check_mode), bool(self._task.diff))
        told = dict(found)
        if _tells_options(task_vars or {}):
            told["invocation"] = {"module_args": checked.validated_parameters}
        return {**result, **_warned(_sent(remove_values(told, checked._no_log_values)), checked)}

    def _is_here(self, task_vars: Mapping[str, Any]) -> bool:
        """Whether the module would run on this machine, by this Python, as this user, with this environment."""
        task = self._task
        # As Ansible chooses the interpreter of a module.
        if task.delegate_to:
            task_vars = (task_vars.get("ansible_delegated_vars") or {}).get(task.delegate_to) or {}
        python = self._templar.template(task_vars.get("ansible_python_interpreter", ""))
        apart = self._connection.become or task.async_val or any(task.environment or ())
        return self._connection.transport == "local" and python == sys.executable and not apart

    def _wrong(self, checked: ValidationResult) -> str:
        """What is wrong with the options, in the words of C(AnsibleModule)."""
        said = str(checked.errors.msg)
        if isinstance(checked.errors[0], UnsupportedError):
            return f"Unsupported parameters for ({self._task.action}) module: {said}"
        return said


def _tells_options(task_vars: Mapping[str, Any]) -> bool:
    """Whether a result has the options: of ansible-core 2.21 and newer by a setting, of those before always."""
    setting = "INJECT_INVOCATION"
    if setting not in constants.config.get_configuration_definitions():
        return True
    return bool(constants.config.get_config_value(setting, variables=task_vars))


def _sent(value: Any) -> Any:
    """A value as it is after its way to a module or back: plain data, without what Ansible knows of its origin."""
    return json.loads(json.dumps(plain(value), default=_text))


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _warned(result: dict[str, Any], checked: ValidationResult) -> dict[str, Any]:
    """The result with the warnings that C(AnsibleModule) gives of options, before those of the work itself."""
    both = [f"Both option {one['option']} and its alias {one['alias']} are set." for one in checked._warnings]
    for name, found in (("warnings", both), ("deprecations", list(checked._deprecations))):
        if found:
            result[name] = found + result.get(name, [])
    return result
