#!/usr/bin/env python3
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module change_gate as one command, for editors and hooks: without a playbook, and in a tenth of its time.

Usage:
    tools/gate.py [--before DIRECTORY] [--check] [OPTIONS_FILE]

OPTIONS_FILE (gate.yml unless given) has the module's options; paths in it are seen from the working directory. Prints
the comment and ends with 1 if a part failed, with 2 if nothing could be judged. Needs ansible-core for the Python that
runs it.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MODULE = "ansible_collections.falconet.k8s.plugins.modules.change_gate"


class OptionsError(Exception):
    """A file that has no options."""


def options(path: Path) -> dict[str, Any]:
    """The options in a file, as Ansible gives them to the module."""
    import yaml  # may be missing, which main() tells

    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError) as error:
        raise OptionsError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError as error:
        raise OptionsError(f"{path}: no YAML: {error}") from None
    if not isinstance(given, dict):
        raise OptionsError(f"{path}: is no mapping of the module's options; docs/gate.md has one to copy")
    return given


def run(arguments: dict[str, Any]) -> dict[str, Any]:
    """The result of the module's own main() in this process."""
    from ansible.module_utils import basic  # as above

    with tempfile.TemporaryDirectory() as folder:
        # A collection is found by its path; where it was cloned does not matter.
        (Path(folder) / "ansible_collections" / "falconet").mkdir(parents=True)
        (Path(folder) / "ansible_collections" / "falconet" / "k8s").symlink_to(ROOT)
        sys.path.insert(0, folder)
        module = importlib.import_module(MODULE)
        # Where the module looks for what Ansible has sent it; from ansible-core 2.19 on it asks for a profile as well.
        sent = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        vars(basic).update(_ANSIBLE_ARGS=sent, _ANSIBLE_PROFILE="legacy")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            module.main()
    result: dict[str, Any] = json.loads(printed.getvalue().strip().splitlines()[-1])
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("options", nargs="?", type=Path, default=Path("gate.yml"), metavar="OPTIONS_FILE")
    parser.add_argument("--before", help="directory of the revision to compare with")
    parser.add_argument("--check", action="store_true", help="write no report")
    given = parser.parse_args()
    try:
        arguments = options(given.options)
        if given.before is not None:
            arguments["before"] = given.before
        result = run({**arguments, "_ansible_check_mode": given.check})
    except OptionsError as error:
        print(error, file=sys.stderr)
        return 2
    except ImportError as error:
        print(f"{error}: install ansible-core for {sys.executable}", file=sys.stderr)
        return 2
    print(result.get("comment", ""), end="")
    if result.get("failed"):
        print(result["msg"], file=sys.stderr)
        return 1 if "sections" in result else 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
