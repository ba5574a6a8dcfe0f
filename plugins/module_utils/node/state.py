# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what a run of node_prep has changed on a node or would change, and asks the node's own programs."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..node_plan import EMPTY_RECORD

#: A program that does not answer by then hangs: firewalld without D-Bus, for example.
_LIMIT_SECONDS = 60
#: Where administrators' programs are, which a session over SSH without a login shell may not look into.
_PLACES = ("/usr/local/sbin", "/usr/sbin", "/sbin")


class RecordError(Exception):
    """The record of earlier runs cannot be understood."""


def record_of(path: str) -> dict[str, Any]:
    """What earlier runs have written down, all of which is empty where there was none.

    Raises:
      RecordError: the file holds something else.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        found = {}
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"{path}: the record of earlier runs cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise RecordError(f"{path}: the record of earlier runs must be a JSON object, not {type(found).__name__}")
    return {**EMPTY_RECORD, **found}


def path_of(path: str) -> dict[str, Any]:
    """C(exists), and of what exists C(isdir), C(uid), C(gid), C(mode) (four octal digits); links are not followed."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return {"exists": False}
    return {
        "exists": True,
        "isdir": stat.S_ISDIR(found.st_mode),
        "uid": found.st_uid,
        "gid": found.st_gid,
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
    }


def writable_of(keys: Iterable[str], root: str = "/proc/sys") -> list[str]:
    """Those settings of the kernel that are there and can be written now."""
    return [key for key in keys if os.access(Path(root, *key.split(".")), os.W_OK)]


def ask(program: str, *arguments: str) -> dict[str, Any]:
    """A program's answer.

    Returns:
      C(rc), C(stdout), C(stderr), and C(msg) if it could not be started or did not end: C(rc) is the errno then.
    """
    environment = dict(os.environ)
    environment["LC_ALL"] = "C"
    environment["PATH"] = os.pathsep.join([environment.get("PATH") or os.defpath, *_PLACES])
    try:
        done = subprocess.run(
            [program, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            stdin=subprocess.DEVNULL,
            timeout=_LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _not_answered(program, errno.ETIMEDOUT, f"did not answer within {_LIMIT_SECONDS} s")
    except OSError as error:
        return _not_answered(program, error.errno or errno.EIO, error.strerror or str(error))
    return {"rc": done.returncode, "stdout": done.stdout.strip(), "stderr": done.stderr.strip()}


def _not_answered(program: str, code: int, why: str) -> dict[str, Any]:
    return {"rc": code, "stdout": "", "stderr": "", "msg": f"{program}: {why}"}


def firewalld_kept(zone: str) -> dict[str, dict[str, Any]]:
    """Whether firewalld runs, and then its default zone where none is given, and the ports that it keeps."""
    answers = {"firewalld": ask("firewall-cmd", "--state")}
    if answers["firewalld"]["rc"] != 0:
        return answers
    if not zone:
        answers["firewalld_zone"] = ask("firewall-cmd", "--get-default-zone")
        zone = str(answers["firewalld_zone"]["stdout"])
    answers["firewalld_ports"] = ask("firewall-cmd", "--permanent", f"--zone={zone}", "--list-ports")
    return answers


def firewalld_open(zone: str) -> dict[str, dict[str, Any]]:
    """The ports that firewalld lets in now."""
    return {"firewalld_ports": ask("firewall-cmd", "--list-ports", *([f"--zone={zone}"] if zone else []))}


def clock_answers() -> dict[str, dict[str, Any]]:
    """What systemd says of the clock's synchronisation, and chrony where systemd does not answer."""
    answers = {"timedatectl": ask("timedatectl", "show", "--property=NTPSynchronized", "--value")}
    if answers["timedatectl"]["rc"] != 0:
        answers["chronyc"] = ask("chronyc", "-c", "tracking")
    return answers
