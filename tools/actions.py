"""Pins of the actions that workflows use: each by its commit, with the version that this is in a comment behind it.

A tag can be moved by whoever owns the action, or took it over; a commit cannot.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.environment import SetupError

#: Where actions are kept.
FORGE = "https://github.com"
PIN = re.compile(r"uses: (?P<action>[\w.-]+/[\w.-]+)(?P<path>/[\w./-]+)?@(?P<commit>[0-9a-f]{40}) # (?P<tag>v[\d.]+)")
LIMIT_SECONDS = 30


@dataclass(frozen=True)
class Pin:
    """An action (owner and name), its version's tag and its commit."""

    action: str
    tag: str
    commit: str


def pins(text: str) -> list[Pin]:
    """The pins of a workflow, each once."""
    found = (Pin(one["action"], one["tag"], one["commit"]) for one in PIN.finditer(text))
    return list(dict.fromkeys(found))


def _version(tag: str) -> tuple[int, ...]:
    return tuple(map(int, tag[1:].split(".")))


def tags(listing: str) -> dict[str, str]:
    """Commit by tag of every whole version (``v4.2.2``), from what ``git ls-remote --tags`` prints."""
    found: dict[str, str] = {}
    for line in listing.splitlines():
        commit, _, reference = line.partition("\t")
        name = reference.removeprefix("refs/tags/")
        # An annotated tag comes twice; behind ^{} is the commit that it is of.
        if re.fullmatch(r"v\d+\.\d+\.\d+", name.removesuffix("^{}")) and (name.endswith("^{}") or name not in found):
            found[name.removesuffix("^{}")] = commit
    return found


def newest(pin: Pin, known: Mapping[str, str]) -> tuple[Pin, str]:
    """The newest pin of the same major version, and the newest tag of a later one (empty if there is none)."""
    same = [tag for tag in known if _version(tag)[0] == _version(pin.tag)[0]]
    later = [tag for tag in known if _version(tag)[0] > _version(pin.tag)[0]]
    best = max([*same, pin.tag], key=_version)
    return Pin(pin.action, best, known.get(best, pin.commit)), max(later, key=_version, default="")


def ask(action: str, forge: str = FORGE) -> dict[str, str]:
    """Commit by tag of an action's versions.

    Raises:
        SetupError: the forge does not answer; with git's words.
    """
    argv = ["git", "ls-remote", "--tags", f"{forge}/{action}"]
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS, env=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{action}: {error}", "check network and proxy") from error
    if done.returncode:
        raise SetupError(f"{action}: {(done.stderr.strip().splitlines() or ['git ls-remote failed'])[-1]}")
    return tags(done.stdout)


def renew(workflow: Path, *, dry_run: bool, forge: str = FORGE) -> list[str]:
    """Pin the newest version within each action's major one; returns a line for each that moved or could.

    Raises:
        SetupError: the forge does not answer. Nothing is written then.
    """
    before = after = workflow.read_text(encoding="utf-8")
    told = []
    for pin in pins(before):
        found, later = newest(pin, ask(pin.action, forge))
        if found.tag != pin.tag:
            told.append(f"{pin.action} {pin.tag} -> {found.tag}")
            after = after.replace(f"@{pin.commit} # {pin.tag}", f"@{found.commit} # {found.tag}")
        elif found.commit != pin.commit:
            raise SetupError(f"{pin.action}: its tag {pin.tag} is {found.commit}, and was {pin.commit}: it was moved")
        if later:
            told.append(f"{pin.action} {later} can be had (told, not written)")
    if after != before and not dry_run:
        workflow.write_text(after, encoding="utf-8")
    return told
