# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.
"""From noise to exceptions: who raises the alerts, what would silence them, and the proof that what must fire does.

`reading` takes alerts from what logs and stores export, `noise` counts them as a stream, `suggest` makes exceptions and
proves them, `picture` draws who makes the noise.
"""

from __future__ import annotations
