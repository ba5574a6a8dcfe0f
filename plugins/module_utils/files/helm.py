# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program helm: found, and new enough for what is asked of it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from ..kube.errors import KubeError

#: Charts in registries (``oci://``) need this one: https://helm.sh/docs/topics/registries/
MINIMUM = (3, 8)
_HINT = (
    f"Helm {MINIMUM[0]}.{MINIMUM[1]} or newer is needed where this role runs: install it "
    "(https://helm.sh/docs/intro/install/), or name the program in falco_helm_binary."
)
Run = Callable[[list[str]], tuple[int, str, str]]


def find_helm(given: str | None, run: Run, search: str | None = None) -> str:
    """The path of a helm that is new enough.

    Args:
        given: the program that a user has named; without one it is looked for.
        run: runs a command and returns its exit code, output and errors.
        search: directories to look in, as in C(PATH), which is the default.

    Raises:
        KubeError: there is none, or it is too old. One that does not tell its version is taken.
    """
    if given:
        path = str(Path(given).expanduser())
        if not os.access(path, os.X_OK) or Path(path).is_dir():
            raise KubeError(f"falco_helm_binary: there is no program {given}", _HINT)
    else:
        found = shutil.which("helm", path=search)
        if not found:
            raise KubeError("there is no program helm in PATH", _HINT)
        path = found
    _code, out, _err = run([path, "version", "--short"])
    told = re.search(r"v(\d+)\.(\d+)\.(\d+)", out)
    if told and (int(told[1]), int(told[2])) < MINIMUM:
        raise KubeError(f"{path} is Helm {told[0][1:]}, which is too old", _HINT)
    return path
