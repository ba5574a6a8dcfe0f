# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that Ansible must not take for templates, whatever braces they have."""

from __future__ import annotations

from typing import Any

from ansible.release import __version__

#: From this version on, only what was written as a template is one.
_SINCE = (2, 19)


def untemplated(value: Any) -> Any:
    """The value, marked so that its braces stay braces: those of a survey's answers would be an attacker's to write."""
    if tuple(int(part) for part in __version__.split(".")[:2]) >= _SINCE:
        return value
    # Gone in later versions, which need no mark.
    from ansible.utils.unsafe_proxy import wrap_var

    return wrap_var(value)
