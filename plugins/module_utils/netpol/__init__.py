# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NetworkPolicy semantics: who can reach whom, why, and what a change would do. Pure: no files, no cluster, no Ansible.

Rooms, lowest first; each imports only those before it: `model` (the values), `read` (manifests to values), `decide`
(whether a connection is allowed), `flows` (the vocabulary), `lint`, `ask` (the questions), `suggest`,
`isolate` (one pod cut off), `watch` (policies and Falco's alerts), `show`.

The way of the data, and what to import for it::

    read.manifests.load([Input(name, text=...)], on_invalid) -> Model          texts or objects to pods and policies
    flows.vocabulary.parse_flows(data, "required_flows") -> [Flow]             flows, with clear errors
    flows.ends.select(model, flow.source) -> Ends(pods, block)                 what an end of a flow is
    flows.ends.intervals(model, flow, pod) -> [(protocol, first, last)]        its ports at one destination pod
    decide.reference.decide(model, policies, a, b, "TCP", 80) -> Verdict       one connection, with the reason
    decide.universe.Universe(model, [policies]); Engine(universe, policies)    everything at once, symbolic
    decide.matrix.Matrix(engine, Groups(universe, "workload")).connections()   listed
    ask.assertions.check(model, policies, required, forbidden) -> [Violation]  flows against policies, with the fix
    ask.diff.changes(before_matrix, after_matrix) -> [Change]                  what a change of policies does
    ask.analysis.answer(Request(...), model) -> dict                           all of this as plain data, for modules

Every exception is an L(errors.NetpolError): L(errors.InputError) carries L(errors.Problem) records with file, document,
line, object and path; L(errors.FlowError) carries the path in the caller's data.

What the specification leaves open is an option (L(model.objects.Options)), named in docs/network-policy-semantics.md.
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.
