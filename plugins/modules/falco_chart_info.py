#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module falco_chart_info: where the charts are on the controller, and what they are."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_chart_info
short_description: Find Helm charts on the controller
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Tells the path, the version and a digest of each chart, and which of them are still to be pulled into the cache.
  - A chart without a O(charts[].ref) is the one that the chart before it carries in its C(charts/) directory. The chart
    falco carries the chart falcosidekick in the version that it was tested with, so an air gap needs one chart. It is
    unpacked into the cache, once.
extends_documentation_fragment:
  - falconet.k8s.read_only
options:
  charts:
    description: The charts.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Under which the result tells it, and that of a chart that another one carries.
        type: str
        required: true
      ref:
        description: Its name in a repository, an C(oci://) reference, or a path, which begins with C(/), C(.) or C(~).
        type: str
        default: ""
      version:
        description: Exact version; needed unless O(charts[].ref) is a path or empty.
        type: str
        default: ""
      variable:
        description: What messages call it by, such as C(falco_chart), with C(_ref) or C(_version) added.
        type: str
        default: chart
      example:
        description: A version, for messages.
        type: str
        default: 1.0.0
  repo_url:
    description: The repository of charts that are named alone.
    type: str
    default: ""
  cache:
    description: Directory of pulled charts.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Charts are looked for
  falconet.k8s.falco_chart_info:
    charts:
      - {name: falco, ref: falco, version: 9.1.0}
      - {name: falcosidekick}
    cache: ~/.cache/falconet/charts
  register: found
"""

RETURN = r"""
charts:
  description:
    - Charts that are there, by O(charts[].name); each with C(path), C(name), C(version), C(app_version) and C(digest).
  returned: success
  type: dict
missing:
  description: Charts that are to be pulled, each with C(ref), C(version) and the C(directory) for it.
  returned: success
  type: list
  elements: dict
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.chart import chart_digest
from ansible_collections.falconet.k8s.plugins.module_utils.files.chart import read_chart
from ansible_collections.falconet.k8s.plugins.module_utils.files.chart_place import Wanted, carried, locate
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError


def about(path: Path) -> dict[str, str]:
    """What a result tells of a chart."""
    chart = read_chart(str(path))
    told = {"name": chart.name, "version": chart.version, "app_version": chart.app_version}
    return {**told, "path": str(path), "digest": chart_digest(chart)}


def look(params: dict[str, Any]) -> dict[str, Any]:
    """The charts that are there, and those that are missing."""
    charts: dict[str, dict[str, str]] = {}
    missing: list[dict[str, str]] = []
    before = None
    for entry in params["charts"]:
        name, ref, version = entry["name"], entry["ref"], entry["version"]
        if ref:
            wanted = Wanted(ref, version, entry["variable"], entry["example"])
            path = locate(wanted, params["repo_url"], params["cache"])
        elif before is None:
            raise KubeError(f"The chart {name} needs a ref, or a chart before it that carries it.")
        elif not before.exists():
            continue
        else:
            path = carried(before, name, params["cache"])
        if path.exists():
            charts[name] = about(path)
        else:
            missing.append({"ref": ref, "version": version, "directory": str(path.parent)})
        before = path
    return {"charts": charts, "missing": missing}


def main() -> None:
    """Entry point."""
    chart = {
        "name": {"type": "str", "required": True},
        "ref": {"type": "str", "default": ""},
        "version": {"type": "str", "default": ""},
        "variable": {"type": "str", "default": "chart"},
        "example": {"type": "str", "default": "1.0.0"},
    }
    module = AnsibleModule(
        argument_spec={
            "charts": {"type": "list", "elements": "dict", "required": True, "options": chart},
            "repo_url": {"type": "str", "default": ""},
            "cache": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        found = look(module.params)
    except KubeError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
