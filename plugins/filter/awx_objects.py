# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters awx_objects, awx_listed and awx_differences: what AWX is to have, what it has, where the two differ."""

from __future__ import annotations

from typing import Any, Callable

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def awx_objects(variables: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects of AWX. See awx_objects.yml."""
    from ansible.errors import AnsibleFilterError
    from ansible_collections.falconet.k8s.plugins.module_utils.awx import AwxError
    from ansible_collections.falconet.k8s.plugins.module_utils.awx import awx_objects as objects_of
    from ansible_collections.falconet.k8s.plugins.module_utils.variables import VariableError
    from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import (
        ROLES,
        any_option,
        read_spec,
        typed_variables,
    )
    from ansible_collections.falconet.k8s.plugins.plugin_utils.untemplated import untemplated

    try:
        settings = typed_variables("awx_objects", variables)
        made = objects_of(read_spec(ROLES / "awx_objects" / "files" / "catalogue.yml"), settings, any_option)
    except (AwxError, VariableError) as error:
        raise AnsibleFilterError(str(error)) from error
    marked: list[dict[str, Any]] = untemplated([one.as_data() for one in made])
    return marked


def awx_listed(results: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The objects of a kind that AWX has. See awx_listed.yml."""
    from ansible_collections.falconet.k8s.plugins.plugin_utils.untemplated import untemplated

    found = [one for result in results if result["item"]["kind"] == kind for one in _listed(result)]
    marked: list[dict[str, Any]] = untemplated(found)
    return marked


def awx_differences(
    wanted: list[dict[str, Any]], results: list[dict[str, Any]], surveys: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """What AWX lacks or has otherwise. See awx_differences.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.awx import differences
    from ansible_collections.falconet.k8s.plugins.plugin_utils.untemplated import untemplated

    specs = {result["item"]["id"]: result["ansible_facts"]["__awx_objects_survey"][0] for result in surveys}
    found = [[_with_survey(one, specs) for one in _listed(result)] for result in results]
    marked: list[dict[str, Any]] = untemplated(differences(wanted, found))
    return marked


def _listed(result: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = result["ansible_facts"]["__awx_objects_listed"]
    return found


def _with_survey(one: dict[str, Any], specs: dict[int, Any]) -> dict[str, Any]:
    return {**one, "survey_spec": specs[one["id"]]} if one.get("type") == "job_template" and one["id"] in specs else one


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"awx_objects": awx_objects, "awx_listed": awx_listed, "awx_differences": awx_differences}
