"""Runs a module's real main() in this process, with arguments as Ansible passes them."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import locale
import os
from collections.abc import Iterator
from typing import Any
from unittest import mock

from ansible.module_utils.common import warnings

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core 2.18 and older

    @contextlib.contextmanager
    def patch_module_args(module_args: dict[str, Any]) -> Iterator[None]:
        """Arguments where the module looks for those that Ansible has sent it."""
        sent = json.dumps({"ANSIBLE_MODULE_ARGS": module_args}).encode()
        with mock.patch("ansible.module_utils.basic._ANSIBLE_ARGS", sent):
            yield


try:
    from ansible.module_utils import _internal
except ImportError:  # ansible-core 2.17 and older
    _internal = None


@contextlib.contextmanager
def _locale_of_its_own() -> Iterator[None]:
    """A module that finds a locale that is not installed sets another one, which must not outlive it here."""
    before = locale.setlocale(locale.LC_ALL)
    try:
        with mock.patch.dict(os.environ):
            yield
    finally:
        locale.setlocale(locale.LC_ALL, before)


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
    # A module has a process of its own, so what another one warned of is not among its warnings.
    fresh = mock.patch.object(warnings, "_global_warnings", type(warnings._global_warnings)())
    # Nor is it in Ansible's own process, as this one is once a test has imported a part of that.
    knows = hasattr(_internal, "is_controller")  # since ansible-core 2.19
    apart = mock.patch.object(_internal, "is_controller", False) if knows else contextlib.nullcontext()
    with (
        _locale_of_its_own(),
        fresh,
        apart,
        patch_module_args(arguments),
        contextlib.redirect_stdout(output),
        contextlib.suppress(SystemExit),
    ):
        module.main()
    result: dict[str, Any] = json.loads(output.getvalue().strip().splitlines()[-1])
    return result
