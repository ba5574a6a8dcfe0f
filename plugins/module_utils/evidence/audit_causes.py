# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which failed checks of audit events follow from another one; each link as C(causes.Link) says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from .k8s_audit import STAGE
from .verify import LOG

Entry = Mapping[str, Any]


def _place(check: Entry) -> str:
    return str((check.get("data") or {}).get("place"))


def _not_in_the_log(check: Entry, other: Entry, observed: Entry) -> str:
    follows = _place(other) == LOG != _place(check) and other["subject"] == check["subject"]
    return "Falco did not raise it" if follows else ""


def _missing_there(check: Entry, other: Entry, observed: Entry) -> str:
    """What is told of sessions follows from their alert's check at the same place."""
    data = check.get("data") or {}
    follows = _place(other) == _place(check) and "median_ms" not in data and other["subject"].startswith("Attach/Exec")
    return "their alerts are missing" if follows else ""


def _in_the_log(words: str) -> Callable[[Entry, Entry, Entry], str]:
    """What keeps every event or rule from Falco is why its log has no alert."""

    def told(check: Entry, other: Entry, observed: Entry) -> str:
        return words.format(**other) if _place(check) == LOG else ""

    return told


def _without_falco(check: Entry, other: Entry, observed: Entry) -> str:
    """A Deployment without any ready pod takes no event and tells nothing of its rules."""
    falco = not str(other["subject"]).endswith("-falcosidekick")
    concerned = falco and not (other.get("data") or {}).get("ready") and _place(check) in (LOG, "None")
    return f"Falco for audit events has no ready pod ({other['detail']})" if concerned else ""


def _without_sidekick(check: Entry, other: Entry, observed: Entry) -> str:
    """Of a Falcosidekick of its own, or of the one that is shared."""
    sidekick = str(other["subject"]).endswith("-falcosidekick")
    concerned = sidekick and not (other.get("data") or {}).get("ready") and _place(check) != LOG
    return f"Falcosidekick has no ready pod ({other['detail']})" if concerned else ""


def _always(words: str) -> Callable[[Entry, Entry, Entry], str]:
    def told(check: Entry, other: Entry, observed: Entry) -> str:
        return words.format(**other)

    return told


_ALERT, _SESSION, _HANDOVER = (STAGE, "alert"), (STAGE, "session"), (STAGE, "handover")
_WORKLOADS, _CERTIFICATE, _SERVER = (STAGE, "workloads"), (STAGE, "certificate"), (STAGE, "api_server")
_LOADED, _MOUNTED, _RELEASE = (STAGE, "loaded"), (STAGE, "mounted"), (STAGE, "release")
_BAD_CERTIFICATE = "the webhook's certificate is not as API servers need it ({detail})"
AUDIT_LINKS = (
    (_ALERT, _ALERT, _not_in_the_log),
    (_SESSION, _ALERT, _missing_there),
    (_ALERT, _WORKLOADS, _without_falco),
    (_ALERT, _WORKLOADS, _without_sidekick),
    (_ALERT, ("falco", "workloads"), _without_sidekick),
    (_ALERT, _CERTIFICATE, _in_the_log(_BAD_CERTIFICATE)),
    (_ALERT, _SERVER, _in_the_log("the API server of {subject} is not told to send its events ({detail})")),
    (_ALERT, _LOADED, _in_the_log("Falco for audit events does not run our rules ({detail})")),
    (_ALERT, _HANDOVER, _in_the_log("the API server did not hand events over ({detail})")),
    (_HANDOVER, _WORKLOADS, _without_falco),
    (_HANDOVER, _CERTIFICATE, _always(_BAD_CERTIFICATE)),
    (_HANDOVER, _SERVER, _always("the API server of {subject} is not told to send its events ({detail})")),
    (_LOADED, _WORKLOADS, _without_falco),
    (_LOADED, _MOUNTED, _always("the ConfigMaps hold other rules than the inventory")),
    (_WORKLOADS, _RELEASE, _always("it is not installed ({detail})")),
)
