# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Audit policies of the Kubernetes API server, pure: what is recorded of a request, and which Falco rule needs what.

Where to start:

- `document.read(text, name)`: the policy with its places, or every problem at once.
- `reference.decide(policy, request)`: level and stages of one request, slow and obvious.
- `decide.Recorder(policy).pieces(region)`: the same of endlessly many requests at once.
- `needs.needs_of(compiled, compiler)`: which requests, stages and level a Falco rule's condition needs.
- `check.check(text, loaded)`: policy against ruleset, with findings for people.
- `presets.PRESETS`: `minimal`, `recommended` and `full` as texts.

Files are imported by name, never from here. The semantics are those of `k8s.io/apiserver/pkg/audit/policy`.
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.

from __future__ import annotations
