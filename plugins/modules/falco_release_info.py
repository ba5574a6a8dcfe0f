#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module falco_release_info: what Helm has recorded of a release."""

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_release_info
short_description: Read Helm's records of releases
version_added: "0.1.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Reads the Secrets in which Helm 3 keeps its revisions, in one call and without the helm program.
  - Tells the deployed revision with its chart and values, and records after it that no Helm will finish, because one
    was killed or has failed. Such a record makes every later upgrade end with C(another operation is in progress).
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.read_only
options:
  name:
    description: Name of the release.
    type: str
  names:
    description: Names of several releases, instead of O(name).
    type: list
    elements: str
    version_added: "1.0.0"
  beside:
    description:
      - Name of Falco's first release. With O(names), releases whose workloads belong to it by their label
        C(falconet.k8s/falco) are read as well.
    type: str
    version_added: "1.0.0"
  namespace:
    description: Namespace of the releases.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Look at the release
  falconet.k8s.falco_release_info:
    name: falco
    namespace: falco
  register: release

- name: Look at all releases of Falco, and those beside the first
  falconet.k8s.falco_release_info:
    names: [falco]
    beside: falco
    namespace: falco
  register: found
"""

RETURN = r"""
release:
  description: The deployed revision, or null.
  returned: success, with O(name)
  type: dict
  contains:
    revision:
      description: Its number.
      type: int
    chart:
      description: Name and version of its chart.
      type: str
    app_version:
      description: The version of Falco in it.
      type: str
    values:
      description: Values that were given to it.
      type: dict
    images:
      description: By workload (C(Kind/name)) and container the images that Helm rendered.
      type: dict
      version_added: "1.0.0"
unfinished:
  description: Later records that were left behind, each with C(revision), C(status), C(secret) and C(age_seconds).
  returned: success, with O(name)
  type: list
  elements: dict
releases:
  description:
    - Releases in the order of O(names), then others that were found by O(beside); each with C(name), C(release) and
      C(unfinished) as above, and C(beside), whether its workloads belong to another one.
  returned: success, with O(names)
  type: list
  elements: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS, connect
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_falco.release import (
    Release,
    read_release,
    releases_beside,
)


def told(found: Release) -> dict[str, Any]:
    """What a result tells of one release."""
    release = None
    if found.deployed:
        release = {
            "revision": found.deployed.revision,
            "chart": found.chart,
            "app_version": found.app_version,
            "values": dict(found.values),
            "images": {name: dict(images) for name, images in found.images.items()},
        }
    unfinished = [
        {"revision": r.revision, "status": r.status, "secret": r.secret, "age_seconds": r.age_seconds}
        for r in found.unfinished
    ]
    return {"release": release, "unfinished": unfinished}


def main() -> None:
    """Entry point."""
    spec = {
        "name": {"type": "str"},
        "names": {"type": "list", "elements": "str"},
        "beside": {"type": "str"},
        "namespace": {"type": "str", "required": True},
    }
    module = AnsibleModule(
        argument_spec={**CLUSTER_ARGUMENTS, **spec},
        required_one_of=[("name", "names")],
        mutually_exclusive=[("name", "names"), ("name", "beside")],
        supports_check_mode=True,
    )
    params, namespace = module.params, module.params["namespace"]
    try:
        client = connect(params)
        if params["name"] is not None:
            module.exit_json(changed=False, **told(read_release(client, namespace, params["name"])))
        beside = releases_beside(client, namespace, params["beside"]) if params["beside"] else ()
        releases = [
            {"name": name, "beside": name in beside, **told(read_release(client, namespace, name))}
            for name in dict.fromkeys([*params["names"], *beside])
        ]
    except KubeError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, releases=releases)


if __name__ == "__main__":
    main()
