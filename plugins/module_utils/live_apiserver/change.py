# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A change of the API server's files: made, proven on the running API server, or taken back with the reason."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..apiserver.errors import ApiServerError
from ..apiserver.manifest import Manifest
from ..apiserver.rancher import K3S, Distribution, flags_of
from . import journal as notes
from .journal import Journal, digest
from .logs import log_files, reason
from .processes import PROGRAM, Process, audits_as, audits_at_least_as, processes, unhealthy
from .service import reason_of, restart

_STARTS = 3
"""Containers that may be started in vain before more waiting is vain too: the kubelet waits longer each time."""
_PAUSE_SECONDS = 0.5
_STEADY_SECONDS = 10
"""How long one process has to stay ready after files were put back: the pod that failed may start well with them for a
moment, before the kubelet has seen the old manifest and ends it."""

# Names of this file, so that tests can give another clock.
now = time.monotonic
pause = time.sleep


@dataclass(frozen=True)
class Place:
    """Where things are on the node.

    Attributes:
        manifest: path of the API server's manifest, or of the collection's settings for k3s and RKE2.
        notes: folder of what a killed run leaves for the next one.
        pod_logs: folder of the kubelet's logs.
        limit_seconds: how long the API server may take until it is healthy.
    """

    manifest: str
    notes: str
    pod_logs: str
    limit_seconds: int
    distribution: Distribution | None = None

    @property
    def program(self) -> str:
        """First word of the process in which the API server runs."""
        return self.distribution.program if self.distribution else PROGRAM

    @property
    def what(self) -> str:
        """What is changed, in messages."""
        return "settings" if self.distribution else "manifest"


def manifest_of(place: Place) -> Manifest:
    """The manifest as it is on the disk.

    Raises:
        ApiServerError: it is none; with its place.
    """
    content = notes.read(place.manifest)
    if content is None:
        raise ApiServerError(f"{place.manifest}: there is no such file")
    try:
        return Manifest(content.decode(), place.manifest)
    except UnicodeDecodeError as error:
        raise ApiServerError(f"{place.manifest}: byte {error.start + 1} is not UTF-8") from None


def _wait(place: Place, not_these: frozenset[tuple[int, int]], logs: set[str], steady_seconds: float = 0) -> str:
    """Until the API server of the manifest is healthy.

    Args:
        place: where things are.
        not_these: processes that run for another reason.
        logs: of containers that were started before.
        steady_seconds: how long one process has to be ready without a break.

    Returns:
        Why it is not, nothing where it is.
    """
    fits = _fits(place)
    limit = now() + place.limit_seconds
    service = place.distribution.service if place.distribution else "kubelet"
    said = f"the {service} has not started it with these flags; does the {service} run?"
    seen = False
    steady: tuple[tuple[int, int], float] | None = None
    while True:
        running = [one for one in processes(place.program) if one.identity not in not_these and fits(one)]
        if running:
            seen = True
            newest = _newest(running)
            said = unhealthy(newest.argv)
            if said:
                steady = None
            elif steady is None or steady[0] != newest.identity:
                steady = (newest.identity, now())
            if steady and now() - steady[1] >= steady_seconds:
                return ""
            said = said or f"it was ready, but not for {steady_seconds} s"
        elif seen:
            steady = None
            said = "its process has ended"
        new = log_files(place.pod_logs) - logs
        if now() >= limit or (len(new) >= _STARTS and not running):
            cause = reason(new) or (reason_of(service) if place.distribution else "")
            if not cause:
                return said
            return f"{cause} ({said})" if running else cause
        pause(_PAUSE_SECONDS)


def _fits(place: Place) -> Callable[[Process], bool]:
    """Whether a process runs as the files on the disk say, as far as its command line tells."""
    if place.distribution is None:
        argv = manifest_of(place).argv
        return lambda process: audits_as(process, argv)
    if place.distribution.name == K3S.name:  # its API server is a part of it, whose flags are seen nowhere
        return lambda process: process.argv[1:2] == ("server",)
    content = notes.read(place.manifest)
    flags = flags_of(content.decode(), place.manifest) if content is not None else []
    return lambda process: audits_at_least_as(process, flags)


def _newest(running: list[Process]) -> Process:
    return max(running, key=lambda process: process.started)


def check_running(place: Place) -> None:
    """That the API server runs as its manifest says, where nothing was to be changed.

    Raises:
        ApiServerError: it does not.
    """
    why = _wait(place, frozenset(), log_files(place.pod_logs))
    if why:
        raise ApiServerError(
            f"{place.manifest} is as wanted, but no healthy API server ran with it in {place.limit_seconds} s: {why}"
        )


def carry_out(place: Place, files: Mapping[str, bytes | None]) -> None:
    """Write files and wait for the API server to be healthy with them; what is to be away goes after that.

    Args:
        place: where things are.
        files: path to content, None for a file that is to be away; the manifest, or the settings, are among them.

    Raises:
        ApiServerError: it is not healthy with them. All is as it was before; the words say why, and whether the API
            server is healthy again.
    """
    order = [place.manifest, *(path for path in files if path != place.manifest)]
    change = Journal(
        before={path: notes.read(path) for path in order},
        after=_after(place, files),
        processes=frozenset(process.identity for process in processes(place.program)),
    )
    logs = log_files(place.pod_logs)
    notes.begin(place.notes, change)
    try:
        for path in reversed(order):
            content = files[path]
            if content is None and path == place.manifest:
                notes.remove(path)
            elif content is not None and content != change.before[path]:
                Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                notes.write(path, content)
    except OSError as error:
        change.put_back()
        notes.ended(place.notes)
        raise ApiServerError(f"{error.filename or place.manifest}: {error.strerror}; nothing was changed") from None
    _prove(place, change, logs)
    remove_those(files)


def _after(place: Place, files: Mapping[str, bytes | None]) -> dict[str, str | None]:
    """What is written before the proof: all but the files that go after it."""
    found = {path: None if content is None else digest(content) for path, content in files.items()}
    return {path: content for path, content in found.items() if content is not None or path == place.manifest}


def remove_those(files: Mapping[str, bytes | None]) -> None:
    """Away with the files that are to be away."""
    for path, content in files.items():
        if content is None:
            notes.remove(path)


def _prove(place: Place, change: Journal, logs: set[str]) -> None:
    why = _restarted(place) or _wait(place, change.processes, logs)
    if why:
        again = _take_back(place, change)
        raise ApiServerError(f"the API server did not become healthy with the new {place.what}: {why}. {again}")
    notes.ended(place.notes)


def _restarted(place: Place) -> str:
    """Start the service again where that makes it read its files; why that failed, or nothing."""
    return restart(place.distribution.service) if place.distribution else ""


def _take_back(place: Place, change: Journal) -> str:
    """All as before the change, and what came of it.

    Raises:
        ApiServerError: not even that could be done; the note stays, for the next run.
    """
    failed = frozenset(process.identity for process in processes(place.program)) - change.processes
    logs = log_files(place.pod_logs)
    try:
        change.put_back()
    except OSError as error:
        raise ApiServerError(
            f"{error.filename or place.manifest}: {error.strerror}; the old {place.what} could not be put "
            "back. The next run tries it again"
        ) from None
    why = _restarted(place) or _wait(place, failed, logs, _STEADY_SECONDS)
    notes.ended(place.notes)
    if why:
        return f"The old {place.what} came back, but the API server is not healthy with it either: {why}"
    return f"The old {place.what} came back, and the API server is healthy with it"


def repair(place: Place) -> str:
    """Bring a change to its end that an earlier run has begun: to the good one if all was written, else back.

    Returns:
        What was done, nothing where there was nothing to do.

    Raises:
        ApiServerError: the API server is not healthy afterwards, or the note cannot be read.
    """
    change = notes.begun(place.notes)
    if change is None:
        return ""
    if change.done():
        _prove(place, change, log_files(place.pod_logs))
        return "an earlier run was cut off after it had written all: its change is proven now"
    said = _take_back(place, change)
    if "not healthy" in said:
        raise ApiServerError(f"an earlier run was cut off. {said}")
    return "an earlier run was cut off while it wrote: its change was taken back"
