# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkPolicy semantics: who can reach whom, why, and what a change would do. Pure: no files, no cluster, no Ansible.

The way of the data, and what to import for it::

    manifests.load([Input(name, text=...)], on_invalid) -> Model          texts or objects to pods and policies
    flows.parse_flows(data, "required_flows") -> [Flow]                   the vocabulary for flows, with clear errors
    flow_ends.select(model, flow.source) -> Ends(pods, block)             what an end of a flow is
    flow_ends.intervals(model, flow, pod) -> [(protocol, first, last)]    its ports at one destination pod
    reference.decide(model, policies, a, b, "TCP", 80) -> Verdict         one connection, with the reason
    Universe(model, [policies]) -> Engine(universe, policies)             everything at once, symbolic
    Matrix(engine, Groups(universe, "workload")).connections()            listed
    assertions.check(model, policies, required, forbidden) -> [Violation] flows against policies, with the fix
    diff.changes(before_matrix, after_matrix) -> [Change]                 what a change of policies does
    analysis.answer(question, ...) -> dict                                all of this as plain data, for modules

Every exception is an L(errors.NetpolError): L(errors.InputError) carries L(errors.Problem) records with file, document,
line, object and path; L(errors.FlowError) carries the path in the caller's data.

What the specification leaves open is an option (L(model.Options)), named in docs/network-policy-semantics.md.
"""
