# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX is to have, as data: a catalogue and a site's settings make objects, each after those that it names.

Fields are those of the modules of awx.awx, which are the API's but that related objects are named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..common.words import nearest
from .errors import AwxError
from .survey import survey

#: Where the API lists the objects of a kind.
ENDPOINTS = {
    "organization": "organizations",
    "credential_type": "credential_types",
    "credential": "credentials",
    "execution_environment": "execution_environments",
    "project": "projects",
    "inventory": "inventories",
    "inventory_source": "inventory_sources",
    "job_template": "job_templates",
    "workflow": "workflow_job_templates",
    "node": "workflow_job_template_nodes",
    "schedule": "schedules",
}
#: What a launch may ask for beside the survey.
ASKED = {"ask_limit_on_launch": True, "ask_job_type_on_launch": True, "ask_diff_mode_on_launch": True}


@dataclass(frozen=True)
class AwxObject:
    """One object of AWX.

    Attributes:
      kind: one of C(ENDPOINTS).
      name: how it is called there; of a node its identifier.
      fields: what it must be, by the names of awx.awx's module for this kind.
      query: finds it, and it alone, among its kind.
    """

    kind: str
    name: str
    fields: dict[str, Any]
    query: dict[str, Any]

    def as_data(self) -> dict[str, Any]:
        """The object as plain data, with the C(endpoint) that lists its kind."""
        return {**asdict(self), "endpoint": ENDPOINTS[self.kind]}


def awx_objects(
    catalogue: Mapping[str, Any], settings: Mapping[str, Any], declared: Callable[[str], Mapping[str, Any]]
) -> list[AwxObject]:
    """All objects.

    Args:
      catalogue: what is the same for every site: C(credential_types), C(job_templates), C(workflow), C(schedules).
      settings: what a site says, the variables of the role awx_objects without the role's name before them.
      declared: gives the declaration of a role's variable, for surveys; raises KeyError for one that nobody declares.

    Raises:
      AwxError: settings that do not fit the catalogue, or surveys that cannot be made; all problems at once.
    """
    problems = list(_problems(catalogue, settings))
    made: list[AwxObject] = []
    if not problems:
        made += _ground(catalogue, settings)
        for template in catalogue["job_templates"]:
            if template["key"] in settings["job_templates_without"]:
                continue
            try:
                made.append(_job_template(template, settings, declared))
            except AwxError as error:
                problems += [f"Job template {template['name']}: {problem}" for problem in error.problems]
        made += _workflow(catalogue, settings)
        made += _schedules(catalogue, settings)
    if problems:
        raise AwxError(problems)
    return made


def _problems(catalogue: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    keys = [template["key"] for template in catalogue["job_templates"]]
    for name in settings["job_templates_without"]:
        if name not in keys:
            close = nearest(name, keys)
            hint = f"Did you mean {close}?" if close else f"There are {', '.join(keys)}."
            yield f"awx_objects_job_templates_without: there is no job template {name}. {hint}"
    if settings["execution_environment_image"] and not settings["execution_environment"]:
        yield "awx_objects_execution_environment: an image needs a name."
    for name, rule in (settings["rrules"] or {}).items():
        known = [schedule["key"] for schedule in catalogue["schedules"]]
        if name not in known:
            yield f"awx_objects_rrules: there is no schedule {name}. There are {', '.join(known)}."
        elif rule and not str(rule).startswith("DTSTART"):
            yield f"awx_objects_rrules: {name} must begin with DTSTART, as AWX wants it (or be empty for none)."


def _named(settings: Mapping[str, Any], name: str) -> str:
    return f"{settings['prefix']}{name}"


def _of_organization(settings: Mapping[str, Any], name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "organization__name": settings["organization"], **more}


def _ground(catalogue: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[AwxObject]:
    """What the job templates stand on."""
    organization = settings["organization"]
    yield AwxObject("organization", organization, {}, {"name": organization})
    for kind in catalogue["credential_types"]:
        name = _named(settings, kind["name"])
        fields = {key: kind[key] for key in ("description", "inputs", "injectors")}
        yield AwxObject("credential_type", name, {"kind": "cloud", **fields}, {"name": name, "kind": "cloud"})
    own_types = [kind["name"] for kind in catalogue["credential_types"]]
    for credential in settings["credentials"]:
        name, of_type = credential["name"], credential["type"]
        fields = {
            "organization": organization,
            "credential_type": _named(settings, of_type) if of_type in own_types else of_type,
            "inputs": credential.get("inputs") or {},
        }
        yield AwxObject("credential", name, fields, _of_organization(settings, name))
    if settings["execution_environment_image"]:
        name = settings["execution_environment"]
        fields = {"image": settings["execution_environment_image"], "organization": organization, "pull": "missing"}
        yield AwxObject("execution_environment", name, fields, {"name": name})
    yield from _sources(settings)


def _sources(settings: Mapping[str, Any]) -> Iterator[AwxObject]:
    """The project, and the inventory that comes out of it."""
    organization, project, inventory = settings["organization"], _named(settings, "Site"), _named(settings, "Clusters")
    from_git = {
        "scm_type": "git",
        "scm_url": settings["project_url"],
        "scm_branch": settings["project_branch"],
        "scm_clean": True,
        "scm_update_on_launch": True,
        "scm_update_cache_timeout": 60,
        "credential": settings["project_credential"],
    }
    on_disk = {"scm_type": "manual", "local_path": settings["project_local_path"]}
    fields = {
        "description": "Playbooks, inventory, rules and policies of this site",
        "organization": organization,
        **(from_git if settings["project_url"] else on_disk),
    }
    yield AwxObject("project", project, fields, _of_organization(settings, project))
    fields = {"description": "Out of the project, by its source", "organization": organization}
    yield AwxObject("inventory", inventory, fields, _of_organization(settings, inventory))
    fields = {
        "inventory": inventory,
        "source": "scm",
        "source_project": project,
        "source_path": settings["inventory_path"],
        "overwrite": True,
        "overwrite_vars": True,
        "update_on_launch": True,
        "update_cache_timeout": 60,
    }
    if settings["project_url"]:  # a project on the disk of AWX has no source that AWX takes for an inventory
        name = _named(settings, "Project")
        yield AwxObject("inventory_source", name, fields, {"name": name, "inventory__name": inventory})


def _templates(catalogue: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, str]:
    """Names of the job templates by their keys, but for those that the site is without."""
    without = settings["job_templates_without"]
    made = [template for template in catalogue["job_templates"] if template["key"] not in without]
    return {template["key"]: _named(settings, template["name"]) for template in made}


def _job_template(
    template: Mapping[str, Any], settings: Mapping[str, Any], declared: Callable[[str], Mapping[str, Any]]
) -> AwxObject:
    name = _named(settings, template["name"])
    asked = survey(template["name"], template.get("survey", []), template.get("required", []), declared)
    attached = [settings["attached"].get(role) for role in template.get("credentials", [])]
    credentials = [one for some in attached if some for one in ([some] if isinstance(some, str) else some)]
    fields = {
        "description": template["description"],
        "organization": settings["organization"],
        "project": _named(settings, "Site"),
        "playbook": f"{settings['playbooks_path']}{template['playbook']}",
        "inventory": _named(settings, "Clusters"),
        "execution_environment": settings["execution_environment"],
        "job_type": template.get("job_type", "run"),
        "diff_mode": template.get("diff_mode", False),
        "credentials": credentials,
        "survey_enabled": bool(asked),
        "survey_spec": asked,
        **ASKED,
    }
    return AwxObject("job_template", name, fields, _of_organization(settings, name))


def _workflow(catalogue: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[AwxObject]:
    """The workflow and its nodes, one after the other; nodes whose job templates the site is without are left out."""
    described, templates = catalogue["workflow"], _templates(catalogue, settings)
    name = _named(settings, described["name"])
    fields = {
        "description": described["description"],
        "organization": settings["organization"],
        "inventory": _named(settings, "Clusters"),
        "ask_limit_on_launch": True,
    }
    yield AwxObject("workflow", name, fields, _of_organization(settings, name))
    nodes = [node for node in described["nodes"] if "approval" in node or node["template"] in templates]
    for index, node in enumerate(nodes):
        after = [nodes[index + 1]["key"]] if index + 1 < len(nodes) else []
        fields = {"workflow_job_template": name, "success_nodes": after}
        if "approval" in node:
            fields["approval_node"] = {"name": _named(settings, node["approval"]), "description": node["description"]}
        else:
            fields["unified_job_template"] = templates[node["template"]]
        yield AwxObject("node", node["key"], fields, {"identifier": node["key"], "workflow_job_template__name": name})


def _schedules(catalogue: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[AwxObject]:
    templates = _templates(catalogue, settings)
    for schedule in catalogue["schedules"]:
        rule = (settings["rrules"] or {}).get(schedule["key"], schedule["rrule"])
        if not rule or schedule["template"] not in templates:
            continue
        name = _named(settings, schedule["name"])
        fields = {
            "description": schedule["description"],
            "unified_job_template": templates[schedule["template"]],
            "rrule": rule,
            "enabled": True,
        }
        yield AwxObject("schedule", name, fields, {"name": name})
