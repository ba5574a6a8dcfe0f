#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_state_info
short_description: Reads what preparing a node for Falco looks at
version_added: "1.0.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Reads in one go what the role P(falconet.k8s.node_prep#role) needs to know of a node before it changes it and after,
    where a task for each of the questions would take a second each.
  - Nothing is judged here. P(falconet.k8s.node_plan#filter) says what is to be changed, P(falconet.k8s.evidence#filter)
    what is proven.
  - Programs are asked in the locale C. Needs nothing but Python on the node. Changes nothing.
options:
  record:
    description: File in which an earlier run has written down what it changed, as JSON. It need not exist.
    type: path
  packages:
    description: Packages that C(rpm --query) is asked for.
    type: list
    elements: str
    default: []
  sysctl:
    description: Settings of the kernel to read. Those that this kernel does not know are left out.
    type: list
    elements: str
    default: []
  paths:
    description: Files and directories to look at. Links are not followed.
    type: list
    elements: path
    default: []
  selinux_booleans:
    description: Booleans of SELinux that C(getsebool) is asked for.
    type: list
    elements: str
    default: []
  firewalld:
    description:
      - What firewalld is asked for.
      - V(kept) asks whether it runs, and for the ports that it keeps over a reload; V(open) for those that it lets in
        now.
    type: str
    choices: [none, kept, open]
    default: none
  firewalld_zone:
    description: Zone of firewalld. By default its own default zone.
    type: str
    default: ""
  clock:
    description: Read the clock, and ask systemd, or else chrony, whether it is synchronised.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Returns details on what has changed, which is nothing.
    support: none
  platform:
    description: Target systems.
    platforms: linux
    support: full
seealso:
  - module: falconet.k8s.falco_driver_info
"""

EXAMPLES = r"""
- name: Limits, a directory and the clock of the node are known
  falconet.k8s.node_state_info:
    sysctl: [fs.inotify.max_user_instances]
    paths: [/mnt/data/redis]
    clock: true
  register: state

- name: Owner of the directory is shown
  ansible.builtin.debug:
    msg: "{{ state.paths['/mnt/data/redis'].uid | default('it does not exist') }}"
"""

RETURN = r"""
record:
  description: What O(record) holds, all of which is empty where it does not exist. V({}) without that option.
  returned: success
  type: dict
  sample: {packages: [dkms], sysctl: {fs.inotify.max_user_instances: "128"}}
answers:
  description:
    - What programs answered, each with C(rc), C(stdout) and C(stderr); C(msg) and the errno as C(rc) where one could
      not be started. A program that was not asked is not among them.
    - Names are C(rpm), C(sysctl), C(getsebool), C(firewalld) (its state), C(firewalld_zone), C(firewalld_ports),
      C(timedatectl) and C(chronyc).
  returned: success
  type: dict
  sample: {sysctl: {rc: 0, stdout: fs.inotify.max_user_instances = 128, stderr: ""}}
writable:
  description:
    - Those of O(sysctl) that can be changed now. The others are unknown to this kernel, or wait for the next boot.
  returned: success
  type: list
  elements: str
  sample: [fs.inotify.max_user_instances]
paths:
  description: What there is of O(paths), by path.
  returned: success
  type: dict
  sample: {/mnt/data/redis: {exists: true, isdir: true, uid: 999, gid: 999, mode: "0750"}}
epoch_seconds:
  description: The clock's seconds since 1970-01-01T00:00:00Z.
  returned: when O(clock=true)
  type: float
  sample: 1767225600.5
"""

import time

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.node import state

ARGUMENTS = {
    "record": {"type": "path"},
    "packages": {"type": "list", "elements": "str", "default": []},
    "sysctl": {"type": "list", "elements": "str", "default": []},
    "paths": {"type": "list", "elements": "path", "default": []},
    "selinux_booleans": {"type": "list", "elements": "str", "default": []},
    "firewalld": {"type": "str", "choices": ["none", "kept", "open"], "default": "none"},
    "firewalld_zone": {"type": "str", "default": ""},
    "clock": {"type": "bool", "default": False},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    try:
        record = state.record_of(params["record"]) if params["record"] else {}
    except state.RecordError as error:
        module.fail_json(msg=str(error))
    answers = {}
    if params["packages"]:
        answers["rpm"] = state.ask("rpm", "--query", *params["packages"])
    if params["sysctl"]:
        answers["sysctl"] = state.ask("sysctl", "--ignore", *params["sysctl"])
    if params["selinux_booleans"]:
        answers["getsebool"] = state.ask("getsebool", *params["selinux_booleans"])
    if params["firewalld"] == "kept":
        answers.update(state.firewalld_kept(params["firewalld_zone"]))
    elif params["firewalld"] == "open":
        answers.update(state.firewalld_open(params["firewalld_zone"]))
    if params["clock"]:
        answers.update(state.clock_answers())
    found = {
        "record": record,
        "answers": answers,
        "writable": state.writable_of(params["sysctl"]),
        "paths": {path: state.path_of(path) for path in params["paths"]},
    }
    # The very last, so that reading all the above is not taken for the clock's being off.
    module.exit_json(changed=False, **found, **({"epoch_seconds": time.time()} if params["clock"] else {}))


if __name__ == "__main__":
    main()
