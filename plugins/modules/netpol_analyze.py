#!/usr/bin/python
# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module netpol_analyze: who can reach whom, why, and what a change of policies would do."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netpol_analyze
short_description: Tell who can reach whom under NetworkPolicies
version_added: "0.1.0"
author:
  - falconet.k8s contributors (@falconet-k8s)
description:
  - Reads pods, workloads and policies from files, inline data or a live cluster, and answers one question about them.
  - It understands C(networking.k8s.io/v1) NetworkPolicy, AdminNetworkPolicy and BaselineAdminNetworkPolicy
    (C(policy.networking.k8s.io/v1alpha1)) and ClusterNetworkPolicy (C(v1alpha2)).
  - Since 1.0.0 also what CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy, and Calico's NetworkPolicy and
    GlobalNetworkPolicy of the default tier say about addresses and ports.
  - It sends no packets. M(falconet.k8s.netpol_probe) asks the same of the live network.
  - Workloads of which the input has no pods are represented by their pod template, so manifests need not be applied.
extends_documentation_fragment:
  - falconet.k8s.cluster
  - falconet.k8s.read_only
options:
  question:
    description:
      - V(matrix) lists every connection that is allowed.
      - V(query) tells whether O(from) may reach O(to) on O(ports), and which policy and rule decide.
      - V(diff) compares two clusters, or two sets of policies over the same workloads. Workloads and namespaces whose
        labels change, that appear or that go count as much as policies.
      - V(exposure) tells what is open to other namespaces or to the world, also to pods that do not exist yet.
      - V(explain) gives the reason for every pair of workloads, allowed or not; O(from) and O(to) narrow it.
      - V(lint) finds policies that do not do what they seem to.
      - V(assert) checks O(required_flows) and O(forbidden_flows).
      - V(routes) (since 1.0.0) follows each Ingress, route of the Gateway API and Route of OpenShift to the pods behind
        it, and tells which of them policies cut off.
      - Since 1.0.0, two sets of policies can be compared, those of O(other_paths) and O(other_resources) being the
        others. V(permits) asks whether the policies allow all that the others' rules allow, V(forbids) whether they
        deny all of it, V(containment) whether the others allow nothing more than the policies do, V(equivalence)
        whether both allow the same, V(interference) whether the others, applied beside the policies, open what these
        deny.
      - Since 1.0.0, V(vacuity) asks whether the policies deny nothing, V(emptiness) for policies that select no pod and
        rules whose peers are nobody, V(redundancy) for policies and rules without which nothing would change.
      - What the answers to these mean in detail is in docs/policy-sets.md.
    type: str
    choices:
      - matrix
      - query
      - diff
      - exposure
      - explain
      - lint
      - assert
      - routes
      - permits
      - forbids
      - containment
      - equivalence
      - interference
      - vacuity
      - emptiness
      - redundancy
    default: matrix
  paths:
    description:
      - Files, and directories that are searched for C(.yaml), C(.yml) and C(.json) files at any depth.
      - Several documents, C(List) objects and rendered Helm output are understood.
      - What a directory holds beside API objects is skipped and counted in RV(skipped), such as values, templates of
        charts and the patches that a kustomization names. In a file that is named here it is an error.
      - Without O(paths), O(render_paths) and O(resources), the live cluster is read, with its nodes, routes, webhooks,
        endpoints of Services without a selector, and policies and networks of other APIs as far as it serves them and
        rights allow. What may not be read of these is counted in RV(skipped).
    type: list
    elements: path
    default: []
  render_paths:
    description:
      - Directories with a kustomization, which C(kustomize build) (or C(kubectl kustomize)) builds, and charts, packed
        or as directories, of which C(helm template) makes manifests with the chart's own values.
      - What they print is analysed like a file in O(paths).
    type: list
    elements: path
    default: []
    version_added: 1.0.0
  resources:
    description: API objects, given inline. They replace objects of the same name in O(paths).
    type: list
    elements: dict
    default: []
  before_paths:
    description:
      - For O(question=diff), the manifests as they are before the change; O(paths) and O(resources) are those after it.
      - Without O(before_paths) and O(before_resources), the live cluster is what is before, and O(paths) and
        O(resources) are applied on top of it.
      - The side without any workload takes those of the other. A side without workloads or without a Namespace object
        takes the other's labels of namespaces that it does not declare.
    type: list
    elements: path
    default: []
  before_resources:
    description: Like O(before_paths), given inline.
    type: list
    elements: dict
    default: []
  other_paths:
    description:
      - For V(permits), V(forbids), V(containment), V(equivalence) and V(interference), files and directories with the
        other set of policies.
      - Pods and namespaces are those of O(paths) and O(resources), or of the live cluster. Those of the other set count
        only where these have no pods.
    type: list
    elements: path
    default: []
    version_added: 1.0.0
  other_resources:
    description: Like O(other_paths), given inline.
    type: list
    elements: dict
    default: []
    version_added: 1.0.0
  expect:
    description:
      - For the questions that RV(holds) answers, but for V(assert), the answer without which the task fails. By default
        it does not fail.
    type: bool
    version_added: 1.0.0
  by:
    description: What the lines of V(matrix) and V(diff) are about.
    type: str
    choices: [pod, workload, namespace, label]
    default: workload
  label:
    description: The label key for O(by=label). Pods without it are the group C(!key).
    type: str
  namespaces:
    description: Keep only lines with an end in one of these namespaces. The whole input still counts.
    type: list
    elements: str
    default: []
  outside:
    description: Whether addresses outside the cluster take part.
    type: bool
    default: true
  from:
    description:
      - The source, for V(query) and V(explain), as a mapping with any of C(namespace) (a name or a list),
        C(namespace_labels),
        C(labels), C(workload) (C(Kind/name) or a name) and C(pod), or with C(cidr) or C(ip) alone for the outside.
      - An empty mapping is every pod.
    type: dict
  to:
    description:
      - The destination, in the words of O(from), also with C(service).
      - With C(service), O(ports) are the Service's ports.
    type: dict
  ports:
    description:
      - Ports, as C(8080), C(8080/TCP), C(http/TCP) for a named port, C(8000-8100/TCP), or a mapping with C(port),
        C(protocol)
        and C(end_port). The protocol is TCP unless given. All ports if left out.
      - For V(matrix) (since 1.0.0) they narrow the list to connections on them, by number.
    type: list
    elements: raw
  focus:
    description:
      - For V(matrix), list only connections of these, by the names that RV(members) has, C(namespace/name) or C(name).
      - With O(by) other than V(workload), they are names of what the list is about.
    type: list
    elements: str
    default: []
    version_added: 1.0.0
  focus_peers:
    description: With O(focus), list only connections with these on the other side.
    type: list
    elements: str
    default: []
    version_added: 1.0.0
  focus_direction:
    description: With O(focus), list only what comes to them (V(ingress)) or what they send (V(egress)).
    type: str
    choices: [ingress, egress]
    version_added: 1.0.0
  verdict:
    description:
      - For V(explain), tell only the reasons of what is allowed, or of what is denied.
      - What is undetermined is told with V(denied).
    type: str
    choices: [allowed, denied]
    version_added: 1.0.0
  required_flows:
    description:
      - For V(assert), flows that must be allowed, each a mapping with C(name), C(from), C(to) and C(ports) in the words
        of O(from), O(to) and O(ports).
    type: list
    elements: dict
    default: []
  forbidden_flows:
    description: For V(assert), flows of which no part may be allowed.
    type: list
    elements: dict
    default: []
  fail_on_violation:
    description: Whether V(assert) fails if a flow does not hold.
    type: bool
    default: true
  on_invalid:
    description:
      - V(fail) stops at objects that the API server would refuse, after naming all of them.
      - V(skip) leaves them out, names them in RV(problems), and analyses the rest.
    type: str
    choices: [fail, skip]
    default: fail
  pod_templates:
    description:
      - For workloads of other APIs, where their pod templates are, as a mapping of a kind to a path such as
        C(spec.template) or to a list of paths. Lists on the way are gone through item by item.
      - In kinds that this does not name every mapping with the C(spec) of a pod, or of a virtual machine, is found.
      - A mapping without the C(spec) of a pod serves as well, with C(metadata.labels) or C(podMetadata.labels), such as
        C(spec) of a Prometheus.
    type: dict
    default: {}
    version_added: 1.0.0
  pod_cidrs:
    description:
      - Blocks that pods get their addresses from, such as C(10.244.0.0/16). They say whether an C(ipBlock) holds pods
        that have no address yet, such as those of a workload that was never applied.
      - By default the blocks of the Nodes in the input, unless a pod has an address outside them. Without any, a block
        of a whole family of addresses holds such pods, and what depends on other blocks is undetermined.
    type: list
    elements: str
    default: []
    version_added: 1.0.0
  limit:
    description:
      - More connections than this are not listed one by one. RV(blocks) then has the whole answer as products of
        sources
        and destinations, and RV(truncated) is true.
      - For V(explain), pairs beyond so many explanations are left out, which RV(notes) tell; by default beyond 10000.
    type: int
    default: 100000
  ip_block_matches_pods:
    description:
      - Whether an C(ipBlock) matches pods whose address lies in it. The specification leaves this to implementations;
        those that filter by address do, Cilium does not.
    type: bool
    default: true
  select_host_network_pods:
    description:
      - Whether policies select pods on the host network. The specification leaves this to implementations; most
        treat such
        pods as their node.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: List who can reach whom in a directory of manifests
  falconet.k8s.netpol_analyze:
    paths: [manifests/]
  register: reachability

- name: Tell which policy decides about one connection
  falconet.k8s.netpol_analyze:
    paths: [manifests/]
    question: query
    from: {namespace: prod, workload: frontend}
    to: {namespace: prod, workload: backend}
    ports: [8080]

- name: Tell what a default deny would cut in the live cluster, before it is applied
  falconet.k8s.netpol_analyze:
    question: diff
    resources:
      - apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: default-deny, namespace: prod}
        spec:
          podSelector: {}
          policyTypes: [Ingress, Egress]

- name: The policies allow what the application needs and nothing to the database from outside
  falconet.k8s.netpol_analyze:
    paths: [manifests/]
    question: assert
    required_flows:
      - name: frontend to backend
        from: {namespace: prod, labels: {app: frontend}}
        to: {namespace: prod, labels: {app: backend}}
        ports: ["8080/TCP"]
    forbidden_flows:
      - name: the world to the backend
        from: {cidr: 0.0.0.0/0}
        to: {namespace: prod, labels: {app: backend}}

- name: The policies forbid whatever the security team's policies describe
  falconet.k8s.netpol_analyze:
    paths: [manifests/]
    question: forbids
    other_resources:
      - apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: metadata-service, namespace: prod}
        spec:
          podSelector: {}
          policyTypes: [Egress]
          egress: [{to: [{ipBlock: {cidr: 169.254.169.254/32}}]}]
    pod_cidrs: [10.244.0.0/16]

- name: Tell which policies and rules could go
  falconet.k8s.netpol_analyze:
    paths: [manifests/]
    question: redundancy
"""

RETURN = r"""
connections:
  description:
    - What is allowed, a list of mappings with C(from), C(to), C(protocol) and C(ports).
    - Workloads are C(namespace/Kind/name), pods C(namespace/name), the outside is a block or a range of addresses.
    - C(protocol) is C(TCP), C(UDP), C(SCTP), or C(all) for all ports of all three; C(ports) is C(all) or numbers and
      ranges
      separated by commas.
    - A pod always reaches itself, which is not listed.
  returned: success
  type: list
  elements: dict
  sample:
    - {from: prod/Deployment/frontend, to: prod/Deployment/backend, protocol: TCP, ports: "8080"}
blocks:
  description:
    - For V(matrix) beyond O(limit), lists of sources that may all reach all of a list of destinations.
    - For V(diff) beyond O(limit), the same with the ports C(before) and C(after).
  returned: when O(limit) is exceeded
  type: list
  elements: dict
truncated:
  description: Whether RV(connections), the difference or RV(explanations) are not all listed because of O(limit).
  returned: for matrix, diff, explain and where RV(evidence) is
  type: bool
members:
  description: Names of all pods, workloads, namespaces or labels that the matrix is about.
  returned: for matrix
  type: list
  elements: str
allowed:
  description: Whether every asked connection is allowed.
  returned: for query
  type: bool
undetermined:
  description:
    - What may be allowed beyond RV(connections), in their form. It depends on addresses that pods do not have yet; see
      O(pod_cidrs).
    - Empty if there are more pairs than O(limit), which RV(notes) count.
  returned: for matrix
  type: list
  elements: dict
  version_added: 1.0.0
partly:
  description: Whether any asked connection is allowed.
  returned: for query
  type: bool
verdicts:
  description:
    - The verdict of each pair with its deciding C(policy) (empty if none decides), C(rule), C(reason), and the
      decisions of both directions.
    - C(implementation_defined) is true where conforming implementations may differ, C(undetermined) where the verdict
      depends on an address that a pod does not have yet.
    - C(hints) of a denied one say why one may have thought otherwise, each with the C(code) of lint and a C(message);
      C(reason) ends with them.
  returned: for query
  type: list
  elements: dict
difference:
  description: What changes between pairs, each a mapping with C(from), C(to), and the ports C(before) and C(after).
  returned: for diff
  type: dict
  contains:
    gained:
      description: Pairs that may connect only after the change.
      type: list
      elements: dict
    lost:
      description: Pairs that may connect only before the change.
      type: list
      elements: dict
    changed:
      description: Pairs that may connect on other ports than before.
      type: list
      elements: dict
relabelled:
  description:
    - Workloads and namespaces whose labels differ, or that only one side has, each with C(kind) (C(workload) or
      C(namespace)), C(name), and the labels C(before) and C(after) as lists of texts (several where its pods differ),
      null on the side that does not have it.
    - Labels that controllers put on their pods, such as C(pod-template-hash), are left out.
  returned: for diff
  type: list
  elements: dict
  version_added: 1.0.0
  sample:
    - {kind: workload, name: prod/Deployment/web, before: ["app=web"], after: ["app=www"]}
holds:
  description:
    - Whether all flows hold.
    - For questions about whole sets of policies, whether the answer is yes. For V(emptiness) and V(redundancy) it is
      yes where something is empty or redundant.
  returned: for assert and questions about whole sets of policies
  type: bool
violations:
  description:
    - Flows that do not hold, with the first pair that fails, the deciding policy and rule, and C(fix), the smallest
      change
      that would satisfy the flow, as data and as text.
    - C(hints) of a required one that is denied say why one may have thought otherwise, each with the C(code) of lint
      and a C(message); C(message) of the violation ends with them.
  returned: for assert
  type: list
  elements: dict
exposure:
  description:
    - For each C(workload) and C(direction), to whom it is open, or what is open to it. C(outside) lists addresses,
      C(cluster) ports of every pod of every namespace, C(selected) pods by labels, whether they are there or may come,
      each with C(namespaces), C(pods), and in C(except) those that an admin policy denies.
    - C(ports) may be names that only rules know, and C(all except) such names.
    - C(rules) (since 1.0.0) are those that open it, each with C(policy), C(rule) and C(name); none where no rule does.
  returned: for exposure
  type: list
  elements: dict
rules:
  description:
    - RV(exposure) by rule. For each C(policy), C(direction) and C(rule) that opens something, the C(workloads), and
      C(outside), C(cluster) and C(selected) as there.
  returned: for exposure
  type: list
  elements: dict
  version_added: 1.0.0
evidence:
  description:
    - Connections that the answer rests on, in the form of RV(connections). They speak against the question, for
      V(interference) for it. For V(equivalence), C(only_in) says which set allows them, C(policies) or C(others).
    - C(undetermined) is true for what depends on addresses that pods do not have yet; see O(pod_cidrs).
    - No more pairs than O(limit); RV(truncated) says whether there are.
  returned: for permits, forbids, containment, equivalence, interference and vacuity
  type: list
  elements: dict
  version_added: 1.0.0
idle:
  description:
    - Policies and rules that do nothing, each with C(policy), C(direction) and C(rule) (empty and null for the policy
      as a whole), C(source) and C(line).
    - C(together) says whether it may go together with all those before it. Of two that say the same, one may go.
  returned: for emptiness and redundancy
  type: list
  elements: dict
  version_added: 1.0.0
routes:
  description:
    - For each C(route) and C(service) behind it, the workload C(to), its C(protocol) and C(ports), whether a controller
      is C(allowed) to come in, else the C(policy) and the C(reason).
    - C(from) is the controller's pod, empty if none is known by its labels. Then any pod of another namespace, any node
      and any pod that is not in the input may be one.
  returned: for routes
  type: list
  elements: dict
  version_added: 1.0.0
explanations:
  description:
    - For each pair of workloads and ports, the verdict and its reasons.
    - C(hints) of a denied one are as those of RV(verdicts).
  returned: for explain
  type: list
  elements: dict
findings:
  description:
    - What lint found, each with C(code), C(severity), C(object), C(message), C(hint), C(source) and C(line).
    - For V(emptiness) and V(redundancy), RV(idle) in this form.
  returned: for lint, emptiness and redundancy
  type: list
  elements: dict
text:
  description: The answer in sentences, for people.
  returned: for all but matrix and query
  type: list
  elements: str
problems:
  description: Invalid objects, with file, document, line, object, path, message and hint.
  returned: always
  type: list
  elements: dict
not_analysed:
  description:
    - Objects that bear on reachability and are left out, each kind with its C(count) and the C(reason).
    - They are policies of other APIs (such as AuthorizationPolicy), parts of policies that are not about addresses and
      ports, which make what depends on them undetermined, and objects whose operator makes pods that the
      input does not have.
    - They are warned about, too.
  returned: success
  type: list
  elements: dict
  sample:
    - {kind: AuthorizationPolicy, count: 2, reason: a policy of an API that is not analysed}
  version_added: 1.0.0
skipped:
  description: How many documents and files of directories were skipped, by what they are.
  returned: success
  type: dict
  sample: {no API object: 3, patch of Kustomize: 1}
  version_added: 1.0.0
notes:
  description: What the answer leaves out, in sentences. RV(text) ends with them.
  returned: success
  type: list
  elements: str
  version_added: 1.0.0
summary:
  description: Counts of what was read and found.
  returned: success
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.falconet.k8s.plugins.module_utils.kube.connection import CLUSTER_ARGUMENTS
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError
from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol.inputs import gather, read_cluster
from ansible_collections.falconet.k8s.plugins.module_utils.live_netpol.rendering import Run, render_paths
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import QUESTIONS, RELATIONS, Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.errors import InputError, NetpolError
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Model, Options
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

ARGUMENTS: dict[str, Any] = {
    "question": {"type": "str", "choices": list(QUESTIONS), "default": "matrix"},
    "paths": {"type": "list", "elements": "path", "default": []},
    "render_paths": {"type": "list", "elements": "path", "default": []},
    "resources": {"type": "list", "elements": "dict", "default": []},
    "before_paths": {"type": "list", "elements": "path", "default": []},
    "before_resources": {"type": "list", "elements": "dict", "default": []},
    "other_paths": {"type": "list", "elements": "path", "default": []},
    "other_resources": {"type": "list", "elements": "dict", "default": []},
    "expect": {"type": "bool"},
    "by": {"type": "str", "choices": ["pod", "workload", "namespace", "label"], "default": "workload"},
    "label": {"type": "str"},
    "namespaces": {"type": "list", "elements": "str", "default": []},
    "outside": {"type": "bool", "default": True},
    "from": {"type": "dict"},
    "to": {"type": "dict"},
    "ports": {"type": "list", "elements": "raw"},
    "focus": {"type": "list", "elements": "str", "default": []},
    "focus_peers": {"type": "list", "elements": "str", "default": []},
    "focus_direction": {"type": "str", "choices": ["ingress", "egress"]},
    "verdict": {"type": "str", "choices": ["allowed", "denied"]},
    "required_flows": {"type": "list", "elements": "dict", "default": []},
    "forbidden_flows": {"type": "list", "elements": "dict", "default": []},
    "fail_on_violation": {"type": "bool", "default": True},
    "on_invalid": {"type": "str", "choices": ["fail", "skip"], "default": "fail"},
    "pod_templates": {"type": "dict", "default": {}},
    "pod_cidrs": {"type": "list", "elements": "str", "default": []},
    "limit": {"type": "int", "default": 100000},
    "ip_block_matches_pods": {"type": "bool", "default": True},
    "select_host_network_pods": {"type": "bool", "default": False},
}


def models(params: dict[str, Any], run: Run) -> tuple[Model, Model | None]:
    """The cluster that is asked about and what it is compared with: itself before the change, or other policies."""
    rendered = render_paths(params["render_paths"], run)
    inputs = rendered + gather(params["paths"], params["resources"], "resources")
    before: list[Input] | None = None
    if params["question"] == "diff":
        before = gather(params["before_paths"], params["before_resources"], "before_resources")
        if not before:
            before = read_cluster(params)
            inputs = before + inputs
    elif not inputs:
        inputs = read_cluster(params)
    if params["question"] in RELATIONS:
        before = gather(params["other_paths"], params["other_resources"], "other_resources") or None
    settings = (params["on_invalid"], params["pod_templates"], params["pod_cidrs"])
    model = load(inputs, *settings)
    return model, None if before is None else load(before, *settings)


def request(params: dict[str, Any]) -> Request:
    """The question in the core's words."""
    return Request(
        question=params["question"],
        by=params["by"],
        label=params["label"],
        outside=params["outside"],
        namespaces=tuple(params["namespaces"]),
        limit=params["limit"],
        source=params["from"],
        destination=params["to"],
        ports=params["ports"],
        required_flows=params["required_flows"],
        forbidden_flows=params["forbidden_flows"],
        focus=tuple(params["focus"]),
        focus_peers=tuple(params["focus_peers"]),
        focus_direction=params["focus_direction"] or "",
        verdict=params["verdict"] or "",
        options=Options(params["ip_block_matches_pods"], params["select_host_network_pods"]),
    )


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={**CLUSTER_ARGUMENTS, **ARGUMENTS},
        required_if=[("by", "label", ["label"])],
        supports_check_mode=True,
    )
    try:
        result = answer(request(module.params), *models(module.params, module.run_command))
    except InputError as error:
        module.fail_json(msg=f"Invalid input: {error}", problems=[problem.as_dict() for problem in error.problems])
    except (NetpolError, KubeError) as error:
        module.fail_json(msg=str(error))
    for note in result["notes"]:
        module.warn(note)
    if result.get("violations") and module.params["fail_on_violation"]:
        module.fail_json(msg="\n".join(result["text"]), changed=False, **result)
    expected = module.params["expect"]
    if expected is not None and module.params["question"] != "assert" and result.get("holds", expected) != expected:
        module.fail_json(msg="\n".join(result["text"]), changed=False, **result)
    if module.params["question"] == "diff" and module._diff:
        lines = [line for line in result["text"] if line not in result["notes"]]
        result["diff"] = {"prepared": "".join(f"{line}\n" for line in lines)}
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
