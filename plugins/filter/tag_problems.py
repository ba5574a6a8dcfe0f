# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters tag_problems and stages_to_come: tags that no play has, and the stages that the others leave."""

from __future__ import annotations

from typing import Any, Callable

from ansible.errors import AnsibleFilterError

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def tag_problems(run: list[str], skip: list[str], known: list[str]) -> list[str]:
    """What is wrong with --tags and --skip-tags. See tag_problems.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.variables.tags import problems_of_tags

    return problems_of_tags(run, skip, known)


def stages_to_come(stages: list[str], run: list[str], skip: list[str]) -> list[str]:
    """The stages that a run comes to. See stages_to_come.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.variables import tags

    return tags.stages_to_come(run, skip, stages)


def stage_names(kinds: list[str]) -> list[str]:
    """The stages of these kinds. See stage_names.yml."""
    from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import STAGES, known_spec

    stages: dict[str, list[str]] = known_spec(str(STAGES))
    unknown = [kind for kind in kinds if kind not in stages]
    if unknown:
        raise AnsibleFilterError(f"stage_names: {', '.join(unknown)}: the kinds are {', '.join(stages)}")
    return [stage for kind in kinds for stage in stages[kind]]


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"tag_problems": tag_problems, "stages_to_come": stages_to_come, "stage_names": stage_names}
