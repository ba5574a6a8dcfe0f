# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter survey_answers: what was answered in a survey of AWX, as variables of roles with their types."""

from __future__ import annotations

from typing import Any, Callable

# Ansible imports every filter file of a collection in each of its processes as soon as a template uses any of them.
# So a filter imports its core when it is used.


def survey_answers(given: dict[str, Any]) -> dict[str, Any]:
    """Variables out of answers. See survey_answers.yml."""
    from ansible.errors import AnsibleFilterError
    from ansible_collections.falconet.k8s.plugins.module_utils.awx import AwxError, read_answers
    from ansible_collections.falconet.k8s.plugins.plugin_utils.plain import plain
    from ansible_collections.falconet.k8s.plugins.plugin_utils.role_specs import any_option, every_name
    from ansible_collections.falconet.k8s.plugins.plugin_utils.untemplated import untemplated

    try:
        values = read_answers(plain(given), any_option, every_name())
    except AwxError as error:
        raise AnsibleFilterError(str(error)) from error
    marked: dict[str, Any] = untemplated(values)
    return marked


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Filters by name."""
        return {"survey_answers": survey_answers}
