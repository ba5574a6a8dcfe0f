#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: falco_driver_info
short_description: Decides which driver Falco can use on a node
version_added: "0.1.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Reads what the node's running kernel tells about itself and decides whether Falco can use its modern eBPF probe,
    its kernel module, or neither, and says why for each of them.
  - The decision is made from features, since vendors port features back to kernels of an old version. Read are
    C(/sys/kernel/btf/vmlinux) (types, ring buffers, tracing programs, typed tracepoints), the kernel's configuration,
    lockdown, Secure Boot, enforced module signatures, mounts of tracefs and bpffs, C(perf_event_paranoid), and the
    last capability that the kernel knows. The release itself only serves to name packages and to find kernels that are
    known to be bad.
  - Needs nothing but Python on the node. Changes nothing.
options:
  order:
    description: Drivers to consider, the best one first. A driver that is left out is not considered.
    type: list
    elements: str
    choices: [modern_ebpf, kmod]
    default: [modern_ebpf, kmod]
  falco_version:
    description: Version of Falco that is to run. Some kernels are known to be bad for some versions.
    type: str
    default: 0.44.1
  modules_signed:
    description:
      - The site signs Falco's kernel module with a key that its nodes trust (a Machine Owner Key).
      - Without it the kernel module is refused where Secure Boot, lockdown or the kernel asks for signatures.
    type: bool
    default: false
  avoid:
    description: Kernels that the site itself knows to be bad.
    type: list
    elements: dict
    default: []
    suboptions:
      driver:
        description: The driver to avoid.
        type: str
        choices: [modern_ebpf, kmod]
        required: true
      kernel:
        description: Shell pattern that the release as C(uname -r) prints it has to match as a whole.
        type: str
        required: true
      reason:
        description: Why. It is repeated in the result.
        type: str
        required: true
  probe:
    description:
      - Ask the running kernel for a ring buffer of one page, which is closed at once, instead of trusting its type
        information alone. Without privileges the answer is C(denied) and the type information decides.
    type: bool
    default: true
  storage_path:
    description:
      - A directory, which need not exist yet, whose mount and free space are to be told in RV(storage).
      - Whoever prepares a node for Falco asks both at once.
    type: path
    version_added: "1.0.0"
  root:
    description: Where the node's root file system is mounted. The kernel is asked only if that is V(/).
    type: path
    default: /
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
  - name: Kernel events
    description: Falco's own page on its drivers.
    link: https://falco.org/docs/concepts/event-sources/kernel/
"""

EXAMPLES = r"""
- name: The driver that suits this node is known
  falconet.k8s.falco_driver_info:
  register: driver

- name: The driver is shown
  ansible.builtin.debug:
    msg: "{{ driver.summary }}"

- name: Only the kernel module is considered, which the site signs, and one kernel is avoided
  falconet.k8s.falco_driver_info:
    order: [kmod]
    modules_signed: true
    avoid:
      - driver: kmod
        kernel: 5.14.0-503.11.*
        reason: hung at boot in our lab
"""

RETURN = r"""
driver:
  description: The chosen driver, V(none) where nothing can run.
  returned: success
  type: str
  sample: modern_ebpf
summary:
  description: The decision in one line.
  returned: success
  type: str
  sample: "kernel 5.14.0-570.12.1.el9_6.x86_64: modern_ebpf (the kernel tells its types (BTF), BPF ring buffers)"
reasons:
  description: Reasons of the chosen driver, or all that blocks where none was chosen.
  returned: success
  type: list
  elements: dict
  contains:
    code:
      description: Stable name of the reason.
      type: str
      sample: lockdown
    effect:
      description: V(supports), V(blocks) or V(warns).
      type: str
      sample: blocks
    message:
      description: What was seen.
      type: str
      sample: Secure Boot is on, so the module must be signed by a key that the machine trusts
    hint:
      description: What would change it.
      type: str
      sample: boot with lockdown=integrity, or without lockdown
    source:
      description: Where it is specified or reported.
      type: str
      sample: https://falco.org/docs/concepts/event-sources/kernel/
candidates:
  description: Every driver that was considered, with whether it is usable, and its reasons.
  returned: success
  type: dict
  sample: {modern_ebpf: {usable: true, reasons: []}}
least_privileged:
  description: Whether Falco can run with a few capabilities instead of a privileged container.
  returned: success
  type: bool
  sample: true
least_privileged_reason:
  description: Why, or why not.
  returned: success
  type: str
  sample: the kernel module needs a privileged pod
header_packages:
  description: Packages with the build tree and headers of the running kernel; empty unless V(kmod) was chosen.
  returned: success
  type: list
  elements: str
  sample: [kernel-devel-5.14.0-570.12.1.el9_6, kernel-headers-5.14.0-570.12.1.el9_6]
container_engines:
  description: Container engines whose socket was found, with the path of the socket.
  returned: success
  type: dict
  sample: {containerd: /run/containerd/containerd.sock}
storage:
  description: The mount that holds O(storage_path); empty without that.
  returned: success
  type: dict
  sample: {directory: /mnt, target: /mnt, filesystem: xfs, options: [rw, relatime], free_mb: 20480}
features:
  description: What was read. V(null) means that it could not be told.
  returned: success
  type: dict
  sample: {kernel: 5.14.0-570.12.1.el9_6.x86_64, btf: true, ring_buffer: true, lockdown: null, secure_boot: false}
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.falco_driver import DriverError, Policy, decide, features_of
from ansible_collections.falconet.k8s.plugins.module_utils.falco_driver.decide import DRIVERS, Avoid
from ansible_collections.falconet.k8s.plugins.module_utils.node.kernel_files import read_node
from ansible_collections.falconet.k8s.plugins.module_utils.node.storage import storage_of

ARGUMENTS = {
    "order": {"type": "list", "elements": "str", "choices": list(DRIVERS), "default": list(DRIVERS)},
    "falco_version": {"type": "str", "default": "0.44.1"},
    "modules_signed": {"type": "bool", "default": False},
    "avoid": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "driver": {"type": "str", "choices": list(DRIVERS), "required": True},
            "kernel": {"type": "str", "required": True},
            "reason": {"type": "str", "required": True},
        },
    },
    "probe": {"type": "bool", "default": True},
    "storage_path": {"type": "path"},
    "root": {"type": "path", "default": "/"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    params = module.params
    try:
        policy = Policy(
            order=tuple(params["order"]),
            falco_version=params["falco_version"],
            modules_signed=params["modules_signed"],
            avoid=tuple(Avoid(**entry) for entry in params["avoid"]),
        )
        features = features_of(read_node(params["root"], probe=params["probe"] and params["root"] == "/"))
        storage = storage_of(params["storage_path"]) if params["storage_path"] else {}
    except DriverError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(
            msg=f"{error.filename}: {error.strerror}. A Linux node with /proc is needed at {params['root']}"
        )
    decision = decide(features, policy)
    module.exit_json(
        changed=False,
        driver=decision.driver,
        summary=decision.summary,
        reasons=[reason.as_dict() for reason in decision.reasons],
        candidates={candidate.driver: candidate.as_dict() for candidate in decision.candidates},
        least_privileged=decision.least_privileged,
        least_privileged_reason=decision.least_privileged_reason,
        header_packages=list(decision.header_packages),
        container_engines=dict(features.sockets),
        storage=storage,
        features=features.as_dict(),
    )


if __name__ == "__main__":
    main()
