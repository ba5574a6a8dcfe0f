# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rules a proof raises, and how often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .requests import REFUSED

#: The rule that tells of C(kubectl exec).
SESSION = "Attach/Exec Pod"


def chosen(wanted: Sequence[str], rules: Mapping[str, object], sessions: int) -> list[str]:
    """Rules to raise, each once, but that of sessions as often as is asked.

    Args:
      wanted: names; empty for all that the API server's validation refuses and that are switched on.
      rules: whether each loaded rule is switched on, by its name.
      sessions: how often a session is opened, so that there is a median.
    """
    once = list(dict.fromkeys(wanted)) or [rule for rule in REFUSED if rules.get(rule)]
    return [rule for rule in once for _time in range(max(1, sessions) if rule == SESSION else 1)]
