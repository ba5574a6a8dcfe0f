# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters of the role falco: the chart's values, the outputs' Secret, its fingerprint, the nodes' container engine."""

from __future__ import annotations

from typing import Any, Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.engines import engine_of_nodes
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.outputs import build_outputs, fingerprint
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.values import build_values


def falco_helm_values(variables: dict[str, Any]) -> dict[str, Any]:
    """Values of the chart falco. See falco_helm_values.yml."""
    return _or_filter_error(build_values, variables)


def falco_outputs_secret(outputs: dict[str, Any]) -> dict[str, str]:
    """Environment variables of Falcosidekick's outputs. See falco_outputs_secret.yml."""
    return dict(_or_filter_error(build_outputs, outputs).secret)


def falco_secret_fingerprint(data: dict[str, str], salt: str) -> str:
    """A digest that is slow to guess backwards. See falco_secret_fingerprint.yml."""
    return fingerprint(data, salt) if data else ""


def falco_container_engine(nodes: list[dict[str, Any]]) -> str:
    """The container engine that all nodes report. See falco_container_engine.yml."""
    return _or_filter_error(engine_of_nodes, nodes)


def _or_filter_error(function: Callable[..., Any], argument: Any) -> Any:
    try:
        return function(argument)
    except FalcoChartError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {
            "falco_helm_values": falco_helm_values,
            "falco_outputs_secret": falco_outputs_secret,
            "falco_secret_fingerprint": falco_secret_fingerprint,
            "falco_container_engine": falco_container_engine,
        }
