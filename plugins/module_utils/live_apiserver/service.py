# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service of systemd: started again, and what its journal says where that fails."""

from __future__ import annotations

import subprocess

_START_SECONDS = 600
_LINES = 200


def restart(service: str) -> str:
    """Start a service again and wait until it says that it is up; why that failed, or nothing."""
    try:
        done = subprocess.run(
            ["systemctl", "restart", service], capture_output=True, text=True, timeout=_START_SECONDS, check=False
        )
    except FileNotFoundError:
        return f"there is no systemctl to start {service} again"
    except subprocess.TimeoutExpired:
        return f"{service} did not come up within {_START_SECONDS} s"
    if done.returncode:
        return reason_of(service) or done.stderr.strip()
    return ""


def reason_of(service: str) -> str:
    """The last line of a service's journal that tells of an error, or nothing."""
    asked = ["journalctl", "--unit", service, "--lines", str(_LINES), "--output", "cat", "--no-pager"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""
    lines = [line for line in done.stdout.splitlines() if "level=fatal" in line or "level=error" in line]
    return lines[-1].strip() if lines else ""
