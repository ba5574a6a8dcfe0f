# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter respond_plan: what is done about an alert, and what is not."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Callable

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def respond_plan(alert: Any, ladder: Any, limits: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    """What is done about an alert. See respond_plan.yml."""
    from ansible.errors import AnsibleFilterError
    from ansible_collections.falconet.k8s.plugins.module_utils.respond.alert import decode, read_alert
    from ansible_collections.falconet.k8s.plugins.module_utils.respond.errors import RespondError
    from ansible_collections.falconet.k8s.plugins.module_utils.respond.guard import plan
    from ansible_collections.falconet.k8s.plugins.module_utils.respond.ladder import read_ladder
    from ansible_collections.falconet.k8s.plugins.module_utils.respond.settings import read_limits, read_state

    now = datetime.now(timezone.utc)
    try:
        return plan(read_alert(decode(alert)), read_ladder(ladder), read_limits(limits), read_state(state, now))
    except RespondError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"respond_plan": respond_plan}
