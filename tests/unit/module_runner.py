"""Runs a module's real main() in this process, with arguments as Ansible passes them."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from typing import Any

from ansible.module_utils.testing import patch_module_args

MODULES = "ansible_collections.falconet.k8s.plugins.modules"


def run_module(name: str, args: dict[str, Any], check_mode: bool = False, diff_mode: bool = False) -> dict[str, Any]:
    """The result of one module run.

    Args:
        name: of the module, without the collection's.
        args: its options.

    Returns:
        What the module printed as JSON; a failed run has ``failed: true``.
    """
    module = importlib.import_module(f"{MODULES}.{name}")
    arguments = {**args, "_ansible_check_mode": check_mode, "_ansible_diff": diff_mode}
    output = io.StringIO()
    with patch_module_args(arguments), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        module.main()
    result: dict[str, Any] = json.loads(output.getvalue().strip().splitlines()[-1])
    return result
