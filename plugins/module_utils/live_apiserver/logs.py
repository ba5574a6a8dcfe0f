# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log of the API server's containers, as the kubelet keeps it on the node."""

from __future__ import annotations

import re
from pathlib import Path

_PODS = "kube-system_kube-apiserver-*"
_LINE = re.compile(r"^\S+ (?:stdout|stderr) [FP] (.*)$")
# klog's errors and fatal ones, what cobra prints of a command that failed, what the runtime of Go prints.
_CAUSE = re.compile(r"^(?:[EF]\d{4} |Error: |panic: |fatal error: )|\berr=|\bunable to\b|\bfailed\b")
_KLOG = re.compile(r"^[IWEF]\d{4} \S+ +\d+ [^\]]*\] ")
_LAST_BYTES = 64 * 1024


def log_files(folder: str) -> set[str]:
    """The logs of all containers of the API server: each start of one has its own file.

    Args:
        folder: where the kubelet keeps the logs of pods.
    """
    return {str(path) for path in Path(folder).glob(f"{_PODS}/kube-apiserver/*.log")}


def reason(files: set[str]) -> str:
    """Why a container ended, in its own words: the last lines of the newest log that look like a cause.

    Args:
        files: logs of containers.
    """
    texts: list[tuple[int, list[str]]] = []
    for file in files:
        try:
            with Path(file).open("rb") as stream:
                size = stream.seek(0, 2)
                stream.seek(max(0, size - _LAST_BYTES))
                text = stream.read().decode(errors="replace")
            texts.append((Path(file).stat().st_mtime_ns, text.splitlines()))
        except OSError:  # the kubelet has removed it meanwhile
            continue
    # The newest may be of a container that has just been started and has said nothing of a cause yet.
    for _written, lines in sorted(texts, reverse=True):
        said = [found[1] if (found := _LINE.match(line)) else line for line in lines]
        causes = [line for line in said if _CAUSE.search(line)]
        if causes:
            return _KLOG.sub("", causes[-1]).strip()
    for _written, lines in sorted(texts, reverse=True):
        if lines:
            return lines[-1].partition(" F ")[2] or lines[-1]
    return ""
