#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module falco_chart_check: values compared with the chart that they are meant for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_chart_check
short_description: Check Helm values against the chart falco
version_added: "0.1.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Helm passes any value to a chart, so a typo is silently ignored and a value of an older chart does nothing.
  - This module reads the chart's own defaults, subcharts included, and fails if a value is unknown there, has another
    type, or belongs to older charts. The message names the nearest key or the replacement.
  - With O(render) it also has Helm render the chart, without any cluster, and fails if a pod could not be made or Falco
    would not start, such as with a plugin that Falco's image loads a second time.
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.read_only
options:
  path:
    description:
      - Directory or packed archive of the chart, on the machine that runs the module.
      - Without it nothing but the helm program is looked at.
    type: path
  values:
    description: Values that are to be given to Helm.
    type: dict
    default: {}
  upgrade_from:
    description:
      - Version of the chart that runs, such as V(4.18.0), or C(release.chart) of M(falconet.k8s.falco_release_info).
      - Tells as well what the charts from there to the one at O(path) changed of O(values), and of C(falco.yaml), which
        stands in them (RV(upgrade)).
    type: str
    version_added: 1.0.0
  require_dependencies:
    description: Whether every dependency of the chart must be in its C(charts/) directory, as Helm needs it.
    type: bool
    default: true
  render:
    description: Whether the chart is rendered by C(helm template) and what comes out is looked at.
    type: bool
    default: false
  release_name:
    description: Name of the release that is rendered.
    type: str
    default: falco
  release_namespace:
    description: Its namespace.
    type: str
    default: falco
  releases:
    description:
      - Several releases instead of one, each with its O(releases[].name), O(releases[].path) and O(releases[].values).
      - All of them are checked before anything is told.
    type: list
    elements: dict
    version_added: "1.0.0"
    suboptions:
      name:
        description: Name of the release.
        type: str
        required: true
      path:
        description: As O(path).
        type: path
        required: true
      values:
        description: As O(values).
        type: dict
        required: true
      chart:
        description: Name and version that the chart must have, such as C(falco-9.1.0).
        type: str
  compare_with_running:
    description:
      - Ask the cluster for what runs in O(release_namespace). Of those in O(releases) that run with another chart
        C(falco), what O(upgrade_from) would tell is told, and warned of. Nothing else of this module asks a cluster.
    type: bool
    default: false
    version_added: "1.0.0"
  binary_path:
    description: The helm program, 3.8 or newer; by default the one in C(PATH).
    type: path
"""

EXAMPLES = r"""
- name: Values fit the chart
  falconet.k8s.falco_chart_check:
    path: /tmp/falco-9.1.0.tgz
    values:
      driver:
        kind: modern_ebpf
    render: true
"""

RETURN = r"""
chart:
  description: What the chart is.
  returned: success, with O(path)
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    version:
      description: Its version.
      type: str
    app_version:
      description: The version of Falco that it installs.
      type: str
    digest:
      description: A digest of its defaults and templates, subcharts included.
      type: str
upgrade:
  description:
    - With O(upgrade_from), what to know before the upgrade, what is removed first.
    - Values of one's own that are removed, deprecated or renamed, and changed defaults of values that one did not set.
    - Of O(releases), each has its name as C(release), too.
  returned: with O(upgrade_from), or with O(releases) and O(compare_with_running)
  type: list
  elements: dict
  contains:
    path:
      description: Dotted path of the value.
      type: str
      sample: falco.grpc
    change:
      description: V(removed), V(deprecated), V(renamed) or V(default).
      type: str
      sample: removed
    chart:
      description: The chart that brought it.
      type: str
      sample: 9.0.0
    message:
      description: What happens.
      type: str
    hint:
      description: What to write.
      type: str
problems:
  description: What is wrong, one mapping per problem with C(path), C(message) and C(hint).
  returned: when values do not fit
  type: list
  elements: dict
"""

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.chart import Chart, chart_digest
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.check import check_values
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.problems import FalcoChartError, Problem
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.rendered import check_rendered
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.upgrade import beyond, upgrade_steps
from ansible_collections.falconet.k8s.plugins.module_utils.files.chart import read_chart, read_manifests
from ansible_collections.falconet.k8s.plugins.module_utils.files.helm import find_helm
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.release import read_release


def render(module: AnsibleModule, release: dict[str, Any]) -> str:
    """What helm template prints for a release's values, which it is given where no process list shows them."""
    params = module.params
    helm = find_helm(params["binary_path"], module.run_command)
    command = [helm, "template", release["name"], release["path"], "--namespace", params["release_namespace"]]
    code, out, err = module.run_command([*command, "--no-hooks", "--values", "-"], data=json.dumps(release["values"]))
    if code:
        raise KubeError(f"helm template fails with these values: {err.strip()}")
    return str(out)


def checked_chart(module: AnsibleModule, release: dict[str, Any]) -> Chart:
    """The chart of a release whose values fit it."""
    chart = read_chart(release["path"])
    wanted = release.get("chart")
    if wanted and wanted != f"{chart.name}-{chart.version}":
        raise KubeError(f"{release['path']} is the chart {chart.name}-{chart.version}, not {wanted}.")
    if chart.missing and module.params["require_dependencies"]:
        missing = ", ".join(chart.missing)
        hint = "Run helm dependency build there, or use the packed chart."
        raise KubeError(f"{release['path']} has no {missing} in its charts/ directory.", hint)
    try:
        check_values(release["values"], chart)
        if module.params["render"]:
            check_rendered(read_manifests(render(module, release)))
    except FalcoChartError as error:
        told = f"The values of {release['name']} do not fit the chart {chart.name} {chart.version}:\n{error}"
        raise UnfitError(told, error.problems) from error
    return chart


class UnfitError(Exception):
    """Values that do not fit, told for people, with all that is wrong."""

    def __init__(self, told: str, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__(told)


def steps_to(module: AnsibleModule, chart: Chart, values: dict[str, Any], old: str) -> list[dict[str, str]]:
    """What the way from the chart that runs changes, as plain data; of a chart too new to be known, a warning."""
    unknown = beyond(chart.version)
    if unknown:
        module.warn(unknown)
    return [step.to_dict() for step in upgrade_steps(values, old, chart.version)]


def steps_of(module: AnsibleModule) -> list[dict[str, str]]:
    """What the ways of the releases that run change, each warned of."""
    client, namespace = connect(module.params), module.params["release_namespace"]
    found = []
    for release in module.params["releases"]:
        chart, old = read_chart(release["path"]), read_release(client, namespace, release["name"]).chart
        new = f"{chart.name}-{chart.version}"
        # A chart of another name, such as one's own around it, has other values.
        if old == new or not (chart.name == "falco" and old.startswith("falco-")):
            continue
        for step in steps_to(module, chart, release["values"], old):
            words = f"{step['path']}: {step['message']} {step['hint']}".strip()
            module.warn(f"Release {release['name']}, from {old} to {new}: {words}")
            found.append({**step, "release": release["name"]})
    return found


def main() -> None:
    """Entry point."""
    release = {
        "name": {"type": "str", "required": True},
        "path": {"type": "path", "required": True},
        "values": {"type": "dict", "required": True},
        "chart": {"type": "str"},
    }
    module = AnsibleModule(
        argument_spec={
            **CLUSTER_ARGUMENTS,
            "path": {"type": "path"},
            "values": {"type": "dict", "default": {}},
            "releases": {"type": "list", "elements": "dict", "options": release},
            "compare_with_running": {"type": "bool", "default": False},
            "upgrade_from": {"type": "str"},
            "require_dependencies": {"type": "bool", "default": True},
            "render": {"type": "bool", "default": False},
            "release_name": {"type": "str", "default": "falco"},
            "release_namespace": {"type": "str", "default": "falco"},
            "binary_path": {"type": "path"},
        },
        mutually_exclusive=[("path", "releases")],
        required_by={"upgrade_from": ["path"]},
        required_if=[("compare_with_running", True, ["releases"])],
        supports_check_mode=True,
    )
    params = module.params
    one = {"name": params["release_name"], "path": params["path"], "values": params["values"]}
    charts, told, problems = [], [], []
    upgrade: dict[str, list[dict[str, str]]] = {}
    try:
        if not params["path"] and params["releases"] is None:
            find_helm(params["binary_path"], module.run_command)
            module.exit_json(changed=False)
        if params["upgrade_from"]:
            upgrade["upgrade"] = steps_to(module, read_chart(params["path"]), params["values"], params["upgrade_from"])
        if params["compare_with_running"]:
            upgrade["upgrade"] = steps_of(module)
        for entry in params["releases"] if params["releases"] is not None else [one]:
            try:
                charts.append(checked_chart(module, entry))
            except UnfitError as error:
                told.append(str(error))
                problems += [{"path": p.path, "message": p.message, "hint": p.hint} for p in error.problems]
    except (KubeError, FalcoChartError) as error:
        module.fail_json(msg=str(error))
    if told:
        module.fail_json(msg="\n".join(told), problems=problems, **upgrade)
    if params["releases"] is not None:
        module.exit_json(changed=False, **upgrade)
    (chart,) = charts
    about = {"name": chart.name, "version": chart.version, "app_version": chart.app_version}
    module.exit_json(changed=False, chart={**about, "digest": chart_digest(chart)}, **upgrade)


if __name__ == "__main__":
    main()
