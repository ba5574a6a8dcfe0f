# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""Which rules fire on an event, with which output, and why: a loaded ruleset applied to events, as Falco would.

Events are field maps, Kubernetes audit events or recorded alerts (`events`); `engine` is the compiled ruleset and
`reference` the slow, obvious one that the tests compare it with.
"""

from __future__ import annotations
