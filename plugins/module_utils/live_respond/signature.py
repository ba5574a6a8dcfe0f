# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose SSH key signed an answer, as OpenSSH finds it (https://man.openbsd.org/ssh-keygen#Y, since 8.1)."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ..common.names import one_line
from ..respond.errors import RespondError

#: A signature for anything else does not count here.
NAMESPACE = "falconet.k8s.respond"
_SECONDS = 20


def signer(text: bytes, signature: Path, allowed_signers: Path) -> str:
    """Who signed a text.

    Args:
        text: what was signed.
        signature: file with the signature.
        allowed_signers: who may sign, a line each as OpenSSH has it: a name, then a public key.

    Raises:
        RespondError: nobody who may has signed it, or ssh-keygen is not there.
    """
    about = ["-f", str(allowed_signers), "-s", str(signature), "-n", NAMESPACE]
    names = _run(["-Y", "find-principals", *about], b"").splitlines()
    if not names:
        raise RespondError([f"nobody in {allowed_signers} has signed it"])
    _run(["-Y", "verify", "-I", names[0], *about], text)
    return names[0]


def _run(arguments: list[str], text: bytes) -> str:
    try:
        done = subprocess.run(
            ["ssh-keygen", *arguments], input=text, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RespondError([f"the signature cannot be checked: {error}"]) from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode("utf-8", "replace")
        raise RespondError([f"the answer is not signed by somebody who may: {one_line(said)}"])
    return done.stdout.decode("utf-8", "replace")
