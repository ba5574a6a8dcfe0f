"""Nothing is done for each host over all hosts: with 200 nodes that is 40,000 times.

Ansible puts all variables of a host together each time that it is named in hostvars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ..test_roles import ROOT

#: hostvars as a whole, handed to a filter, and not the variables of one host.
OF_ALL = re.compile(r"\bhostvars\b(?!\[)")
#: A loop over the hosts of the play.
OVER_ALL = re.compile(r"ansible_play_(hosts|batch)|play_hosts|groups\b")
ALLOWED = {
    (
        "roles/verify/tasks/stages.yml",
        "Checks of this cluster's nodes are the first",
    ): "its own nodes alone",
    (
        "playbooks/tasks/variables.yml",
        "Variables are compared with what the roles declare",
    ): "its own group",
}


def tasks(found: Any, once: bool = False) -> Iterator[tuple[dict[str, Any], bool]]:
    """Tasks in plays and blocks, each with whether it is done once for all hosts."""
    for one in found if isinstance(found, list) else []:
        done_once = once or one.get("run_once") is True or one.get("hosts") == "localhost"
        inner = [one.get(part) for part in ("pre_tasks", "tasks", "post_tasks", "block", "rescue", "always")]
        if any(inner):
            for part in inner:
                yield from tasks(part, done_once)
        else:
            yield one, done_once


def files() -> list[Path]:
    return sorted(
        [*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/*.yml"), *ROOT.glob("playbooks/tasks/*.yml")]
    )


def test_what_looks_at_all_hosts_is_done_once() -> None:
    told, allowed = [], set()
    for path in files():
        for task, once in tasks(yaml.safe_load(path.read_text())):
            looks = OF_ALL.search(str(task)) or OVER_ALL.search(str(task.get("loop", "")))
            place = (str(path.relative_to(ROOT)), str(task.get("name")))
            if looks and not once and place in ALLOWED:
                allowed.add(place)
            elif looks and not once:
                told.append(place)
    assert told == []
    assert allowed == set(ALLOWED)
