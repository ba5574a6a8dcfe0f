# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The live probe: which connections the network lets pass, tried from inside the pods.

From the question to its answer: `question` (a module's options, checked and with types), `plan` (which connections to
try), `settle` (tried until the results are steady), `conclude` (what they mean), `answer` (all of it, as the module
returns it), `canary` (whether policies are enforced at all), `options` (those of the module, and its result). Rooms:
`wire` (what programs inside a pod are told), `cluster` (the pods that a run starts), `methods` (the ways to try a
connection).
"""

# Private to this collection: any release may change it. Do not import it from elsewhere.
