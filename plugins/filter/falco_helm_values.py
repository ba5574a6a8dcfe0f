# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters of the role falco: the charts' values, the outputs' Secret, its fingerprint, the nodes' container engine."""

from __future__ import annotations

from typing import Any, Callable, TypeVar

from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.plugin_utils.plain import plain
from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import role_options

T = TypeVar("T")

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def falco_helm_values(variables: dict[str, Any]) -> dict[str, Any]:
    """Values of the chart falco. See falco_helm_values.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import build_values

    return _or_filter_error(build_values, _typed(variables))


def falco_driver_releases(variables: dict[str, Any]) -> list[dict[str, Any]]:
    """Releases of Falco for groups of nodes with another driver. See falco_driver_releases.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import build_driver_releases

    return _or_filter_error(build_driver_releases, _typed(variables))


def falco_sidekick_releases(variables: dict[str, Any]) -> list[dict[str, Any]]:
    """Releases of the chart falcosidekick beside Falco's. See falco_sidekick_releases.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import build_sidekick_releases

    return _or_filter_error(build_sidekick_releases, _typed(variables))


def falco_changed_releases(looks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of looked-at releases that Helm must install. See falco_changed_releases.yml."""
    return [
        look
        for look in looks
        if not look["release"]
        or look["release"]["values"] != look["item"]["values"]
        or look["release"]["chart"] != look["item"]["chart"]
    ]


def falco_outputs_secret(outputs: dict[str, Any], variable: str = "falco_outputs") -> dict[str, str]:
    """Environment variables of Falcosidekick's outputs. See falco_outputs_secret.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.outputs import build_outputs

    return dict(_or_filter_error(build_outputs, plain(outputs), variable).secret)


def falco_secret_fingerprint(data: dict[str, str], salt: str) -> str:
    """A digest that is slow to guess backwards. See falco_secret_fingerprint.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.outputs import fingerprint

    return fingerprint(data, salt) if data else ""


def falco_unmatched_selectors(selectors: dict[str, dict[str, str]], nodes: list[dict[str, Any]]) -> list[str]:
    """Names of the selectors that no node matches. See falco_unmatched_selectors.yml."""
    labels = [node["metadata"].get("labels") or {} for node in nodes]
    return [
        name
        for name, wanted in selectors.items()
        if wanted and not any(all(str(one.get(key)) == str(value) for key, value in wanted.items()) for one in labels)
    ]


def falco_container_engine(nodes: list[dict[str, Any]]) -> str:
    """The container engine that all nodes report. See falco_container_engine.yml."""
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.engines import engine_of_nodes

    return _or_filter_error(engine_of_nodes, nodes)


def _typed(variables: dict[str, Any]) -> dict[str, Any]:
    """The settings with their declared types: templates and extra variables may have made strings of them."""
    from ansible_collections.falconet.k8s.plugins.module_utils.variables import VariableError, read_variable

    options = role_options("falco")
    typed, problems = {}, []
    for name, value in variables.items():
        option = options.get(f"falco_{name}")
        try:
            typed[name] = read_variable(f"falco_{name}", plain(value), option) if option else plain(value)
        except VariableError as error:
            problems += error.problems
    if problems:
        raise AnsibleFilterError("\n".join(problems))
    return typed


def _or_filter_error(function: Callable[..., T], *arguments: Any) -> T:
    from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError

    try:
        return function(*arguments)
    except FalcoChartError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {
            "falco_helm_values": falco_helm_values,
            "falco_driver_releases": falco_driver_releases,
            "falco_sidekick_releases": falco_sidekick_releases,
            "falco_changed_releases": falco_changed_releases,
            "falco_outputs_secret": falco_outputs_secret,
            "falco_secret_fingerprint": falco_secret_fingerprint,
            "falco_container_engine": falco_container_engine,
            "falco_unmatched_selectors": falco_unmatched_selectors,
        }
