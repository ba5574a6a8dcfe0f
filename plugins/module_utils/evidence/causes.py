# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which failed checks follow from another one, and what else that was observed is the cause of a missing alert.

A check that fails because another one did says so, so that whoever reads the report begins with the cause.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Callable

from .audit_causes import AUDIT_LINKS
from .check import FAILED
from .unalerted import why_unalerted
from .verify import LOG, subject_of

Entry = Mapping[str, Any]
Observed = Mapping[str, Any]
#: Where a check of this stage and code looks for its cause: the cause's stage and code, and what to say if the second
#: check is the cause of the first (else nothing). A cause stands nearer to the machine than what follows from it.
Link = tuple[tuple[str, str], tuple[str, str], Callable[[Entry, Entry, Observed], str]]


def explained(checks: Sequence[dict[str, Any]], observed: Observed) -> list[dict[str, Any]]:
    """The checks, those with a cause with C(because): C(words), and, if it is a check, C(stage), C(code), C(subject).

    Args:
        checks: of all stages, as C(evidence) returned them.
        observed: what else is known, each of which may be missing: C(triggers) with C(name), C(rule) and C(namespace);
            and what C(unalerted.why_unalerted) reads.
    """
    return [_explained(check, checks, observed) if check["status"] == FAILED else check for check in checks]


def first_cause(checks: Sequence[Entry]) -> Entry:
    """The failed check to begin with: the first that follows from no other.

    Raises:
        StopIteration: no check failed.
    """
    failed = [check for check in checks if check["status"] == FAILED]
    return next(iter([check for check in failed if "stage" not in check.get("because", {})] or failed))


def _explained(check: dict[str, Any], checks: Sequence[Entry], observed: Observed) -> dict[str, Any]:
    because = next(_causes(check, checks, observed), None)
    if because is None:
        return check
    return {**check, "detail": f"{check['detail']}, because {because['words']}", "because": because}


def _causes(check: Entry, checks: Sequence[Entry], observed: Observed) -> Iterator[dict[str, str]]:
    key = (check["stage"], check["code"])
    # The alert of a fire drill goes the way of all alerts.
    symptoms = (key, _ALERT) if key == _DRILL else (key,)
    for symptom, cause, words_of in (*LINKS, *AUDIT_LINKS):
        if symptom not in symptoms:
            continue
        for other in checks:
            if other["status"] == FAILED and cause == (other["stage"], other["code"]) and other is not check:
                words = words_of(check, other, observed)
                if words:
                    told = {name: str(other[name]) for name in ("stage", "code", "check", "subject")}
                    yield {"words": words, **told}
    if key in (_ALERT, _DRILL):
        words = why_unalerted(_trigger(check, observed), _place(check), observed)
        if words:
            yield {"words": words}


def _trigger(check: Entry, observed: Observed) -> Entry:
    own: Entry = (check.get("data") or {}).get("trigger") or {}
    if own:
        return own
    triggers = observed.get("triggers") or ()
    found: Entry = next((one for one in triggers if subject_of(one) == check["subject"]), {})
    return found


def _place(check: Entry) -> str:
    return str((check.get("data") or {}).get("place"))


def _workload(check: Entry) -> str:
    """Which part of the release a check of a workload is about; empty for another."""
    name = str(check["subject"]).rpartition("/")[2]
    kind = str(check["subject"]).split("/")[1:2]
    for ending, part in (("-redis", "Redis"), ("-ui", "Falcosidekick's UI"), ("-falcosidekick", "Falcosidekick")):
        if name.endswith(ending):
            return part
    return "Falco" if kind == ["DaemonSet"] else ""


def _without_a_pod(*parts: str) -> Callable[[Entry, Entry, Observed], str]:
    """A workload without any ready pod is a cause; where one is left, what needs it has it."""

    def words(check: Entry, other: Entry, observed: Observed) -> str:
        part, data = _workload(other), other.get("data") or {}
        concerned = part in parts and not data.get("ready")
        if check["stage"] == "falco":
            concerned = concerned and _workload(check) == {"Redis": "Falcosidekick's UI"}.get(part)
        elif _place(check) == LOG or (part != "Falcosidekick" and "ui" not in _place(check).lower()):
            return ""
        return f"{part} has no ready pod ({other['detail']})" if concerned else ""

    return words


def _missing_on(check: Entry) -> list[str]:
    """Nodes from which an alert is missing."""
    return [str(node) for node in (check.get("data") or {}).get("missing_on") or ()]


def _not_in_the_log(check: Entry, other: Entry, observed: Observed) -> str:
    follows = _place(other) == LOG != _place(check) and other["subject"] == check["subject"]
    # What Falco raised on a node, and is missing from there all the same, has another cause.
    return "Falco did not raise it" if follows and set(_missing_on(check)) <= set(_missing_on(other)) else ""


def _on_this_node(words: str) -> Callable[[Entry, Entry, Observed], str]:
    """Falco on the nodes from which alerts are missing is the cause: no pod there, or one that is not as wanted."""

    def told(check: Entry, other: Entry, observed: Observed) -> str:
        if _place(check) != LOG:
            return ""
        pods = (other.get("data") or {}).get("pods") or []
        sound = {str(pod["node"]) for pod in pods if not pod.get("differs")}
        nodes = _missing_on(check)
        if any(node in sound for node in nodes) if nodes else sound:
            return ""
        reasons = [text for pod in pods if str(pod["node"]) in nodes for text in pod.get("differs") or ()]
        return words.format(node=", ".join(nodes) or "any node", why=reasons[0] if reasons else other["detail"])

    return told


def _not_handed_over(check: Entry, other: Entry, observed: Observed) -> str:
    """An alert that Falco lost on the nodes from which it is missing, and what did not come to Falcosidekick at all."""
    nodes = (other.get("data") or {}).get("nodes") or ()
    if _place(check) == LOG or not set(_missing_on(check)) <= set(nodes):
        return ""
    return f"Falco did not hand it over ({other['detail']})"


def _not_taken(check: Entry, other: Entry, observed: Observed) -> str:
    same = _place(check).lower() == str(other["subject"]).lower()
    return f"{other['subject']} did not take it ({other['detail']})" if same else ""


def _path_is_shut(check: Entry, other: Entry, observed: Observed) -> str:
    """A connection that alerts need is the cause of what was lost on it, where it was lost."""
    start, _to, end = str(other["subject"]).partition(" to ")
    data, mine = other.get("data") or {}, check.get("data") or {}
    if check["code"] == "handover":
        concerned = start == "Falco" and bool(set(data.get("nodes") or ()) & set(mine.get("nodes") or ()))
    elif check["code"] == "path":
        # The address of one Service is as good as that of another.
        concerned = data.get("cause") == mine.get("cause") == "address" and data.get("nodes") == mine.get("nodes")
        concerned = concerned and other["subject"] < check["subject"]
    else:
        about_dns = end == "cluster DNS" and mine.get("kind") in ("no_dns", "unresolved")
        concerned = start == "Falcosidekick" and (about_dns or (check["subject"] == UI_OUTPUT and "UI" in end))
    return f"{other['subject']} does not pass ({other['detail']})" if concerned else ""


def _part_behind(check: Entry, other: Entry, observed: Observed) -> str:
    """A workload without any ready pod is why what is sent to it is lost."""
    part, needed = _workload(other), "Falcosidekick"
    if check["code"] == "output":
        needed = "Falcosidekick's UI" if check["subject"] == UI_OUTPUT else ""
    without = part == needed and not (other.get("data") or {}).get("ready")
    return f"{part} has no ready pod ({other['detail']})" if without else ""


def _dropped(check: Entry, other: Entry, observed: Observed) -> str:
    nodes = set((other.get("data") or {}).get("nodes") or ())
    there = bool(_missing_on(check)) and set(_missing_on(check)) <= nodes and _place(check) == LOG
    return f"Falco drops events there ({other['detail']})" if there else ""


def _changed_by_hand(check: Entry, other: Entry, observed: Observed) -> str:
    return f"what runs is not what is declared ({other['detail']})" if _workload(check) else ""


def _pods_of_falco(check: Entry, other: Entry, observed: Observed) -> str:
    """A node without a pod, or a pod with other rules, is a cause of its own; a pod that is not ready is not."""
    own = "no Falco pod" in check["detail"] if check["code"] == "nodes" else "does not answer" not in check["detail"]
    return f"Falco's pods are not ready ({other['detail']})" if _workload(other) == "Falco" and not own else ""


def _other_rules(check: Entry, other: Entry, observed: Observed) -> str:
    if check["stage"] == "falco" and _workload(check) != "Falco":
        return ""
    return "the ConfigMaps hold other rules than the inventory"


def _driver(check: Entry, other: Entry, observed: Observed) -> str:
    about = check["code"] == "nodes" or _workload(check) == "Falco"
    return f"no driver can run on {other['subject']} ({other['detail']})" if about else ""


def _claim(check: Entry, other: Entry, observed: Observed) -> str:
    return f"its volume is missing ({other['detail']})" if _workload(check) == "Redis" else ""


def _directory(check: Entry, other: Entry, observed: Observed) -> str:
    return f"{other['subject']} is not prepared for Redis ({other['detail']})"


def _not_enforced(check: Entry, other: Entry, observed: Observed) -> str:
    """What passes although it is denied; what is denied although it should pass has another cause."""
    rows = (check.get("data") or {}).get("connections") or []
    passes = any(row.get("expected") == "denied" and row.get("status") == "violated" for row in rows)
    return f"policies are not enforced ({other['detail']})" if passes else ""


def _enforced_nowhere(check: Entry, other: Entry, observed: Observed) -> str:
    return f"policies are not enforced ({other['detail']})" if " is allowed, but " in check["detail"] else ""


def _by_policies(check: Entry, other: Entry, observed: Observed) -> str:
    return f"the policies say so ({other['detail']})" if check["subject"] == other["subject"] else ""


def _not_declared(check: Entry, other: Entry, observed: Observed) -> str:
    return f"policies in the cluster are not those that are declared ({other['detail']})"


#: How Falcosidekick calls its own UI among its outputs.
UI_OUTPUT = "webui"
_HANDOVER, _OUTPUT, _PATH = ("verify", "handover"), ("verify", "output"), ("falco", "path")
_ALERT, _NODES, _WORKLOADS = ("verify", "alert"), ("falco", "nodes"), ("falco", "workloads")
_DRILL = ("respond", "alert")
_LOADED, _MOUNTED, _DRIVER = ("falco_rules", "loaded"), ("falco_rules", "mounted"), ("node_prep", "driver")
_FLOW, _ENFORCED, _DECLARED, _POLICIES = (
    ("network_policies", code) for code in ("flow", "enforced", "declared", "policies")
)
LINKS: tuple[Link, ...] = (
    (_ALERT, _ALERT, _not_in_the_log),
    (_DRILL, _DRILL, _not_in_the_log),
    (_ALERT, _WORKLOADS, _without_a_pod("Falcosidekick", "Falcosidekick's UI", "Redis")),
    (_ALERT, _HANDOVER, _not_handed_over),
    (_ALERT, _OUTPUT, _not_taken),
    (_HANDOVER, _WORKLOADS, _part_behind),
    (_HANDOVER, _PATH, _path_is_shut),
    (_OUTPUT, _WORKLOADS, _part_behind),
    (_OUTPUT, _PATH, _path_is_shut),
    (_PATH, _PATH, _path_is_shut),
    (_ALERT, _NODES, _on_this_node("Falco does not watch {node} ({why})")),
    (_ALERT, _LOADED, _on_this_node("Falco on {node} does not run our rules ({why})")),
    (_ALERT, ("falco", "drops"), _dropped),
    (_LOADED, _MOUNTED, _other_rules),
    (_LOADED, _WORKLOADS, _pods_of_falco),
    (_NODES, _WORKLOADS, _pods_of_falco),
    (_NODES, _DRIVER, _driver),
    (_WORKLOADS, _DRIVER, _driver),
    (_WORKLOADS, ("falco", "images"), _changed_by_hand),
    (_WORKLOADS, _MOUNTED, _other_rules),
    (_WORKLOADS, ("falco", "storage"), _claim),
    (_WORKLOADS, _WORKLOADS, _without_a_pod("Redis")),
    (("falco", "storage"), ("node_prep", "redis"), _directory),
    (_FLOW, _POLICIES, _by_policies),
    (_FLOW, _ENFORCED, _not_enforced),
    (_FLOW, _DECLARED, _not_declared),
    (("network_policies", "agreement"), _ENFORCED, _enforced_nowhere),
)
