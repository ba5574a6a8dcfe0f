# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of Kubernetes, for text that somebody else wrote: what is none is never sent anywhere.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
"""

from __future__ import annotations

import re

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\Z")
#: Characters of one line that an annotation or a report keeps of foreign text.
MAX_LINE = 200


def is_name(text: object) -> bool:
    """Whether a value is a name that objects such as pods have: a DNS subdomain of at most 253 characters."""
    return isinstance(text, str) and len(text) <= 253 and bool(_SUBDOMAIN.match(text))


def one_line(text: object) -> str:
    """Foreign text as one line of what can be printed, of at most MAX_LINE characters."""
    words = "".join(one if one.isprintable() else " " for one in str(text))
    return " ".join(words.split())[:MAX_LINE]
