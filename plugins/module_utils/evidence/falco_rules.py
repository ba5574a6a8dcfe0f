# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stage falco_rules: every pod runs exactly the wanted rules, and would do so after a restart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..common.words import counted
from .asked import Asked
from .check import FAILED, Check, passed_if

#: How much is told of what Falco says.
_MOST_LETTERS = 600
#: A file in a difference of whole sets of rules (falco_rules_rollout).
_FILE = re.compile(r"(?ms)^--- (\S+)\n(.*?)(?=^--- |\Z)")


def judge(asked: Asked) -> Iterator[Check]:
    """The checks of the rules of one Falco.

    Args:
        asked: C(namespace), C(workload), C(config_maps); C(refused), why the wanted rules could not be put together
            (empty if they could); C(digests), file name to SHA-256 of the wanted rules; C(rollout), what falco_rollout
            returned for them; C(mounted), what falco_rules_rollout returned in check mode; C(changes_base), whether
            Falco's own rules are changed, and then C(base_used), whether they were known, C(base_digests), and
            C(base_remark), why they were not known.

    Raises:
        EvidenceError: something of this is missing or of another type.
    """
    yield _exactly_ours(asked)
    yield _after_a_restart(asked)
    if asked.flag("changes_base") and not asked.text("refused"):
        yield _changes_fit(asked)


def _exactly_ours(asked: Asked) -> Check:
    sentence, subject = "Every Falco pod runs exactly our rules", f"{asked.text('namespace')}/{asked.text('workload')}"
    digests, rollout = dict(asked.mapping("digests")), asked.result("rollout")
    pods = list(rollout.get("pods", []))
    if asked.text("refused"):
        missing = [asked.text("refused")]
    elif not rollout.answered:
        missing = [rollout.why_not]
    else:
        missing = list(rollout.get("missing", ["falco_rollout did not say what is missing"]))
        missing += [] if pods else ["no Falco pod was found"]
        # What falco_rollout was asked to look for is told by it; this sees that it was asked for all that is wanted.
        missing += [
            f"pod {pod['name']} on {pod['node']} does not report {name}"
            for pod in pods
            for name in digests
            if name not in pod["digests"]
        ]
    if any(pod.get("differs") for pod in pods) and _as_mounted(asked):
        missing.append(
            "the ConfigMaps hold ours: the kubelet there has not brought them yet, which takes up to a minute, or "
            "Falco refused them, which its log says"
        )
    detail = "; ".join(missing) or f"{counted(len(digests), 'file')} by SHA-256 on {counted(len(pods), 'pod')}"
    return Check("loaded", sentence, subject, passed_if(not missing), detail, {"files": digests, "pods": pods})


def _as_mounted(asked: Asked) -> bool:
    """Whether the ConfigMaps are known to hold our rules."""
    mounted = asked.result("mounted")
    return mounted.answered and not mounted.get("diff")


def _after_a_restart(asked: Asked) -> Check:
    sentence = "No pod runs rules that would not survive a restart"
    subject = f"{asked.text('namespace')}/{', '.join(map(str, asked.items('config_maps')))}"
    mounted = asked.result("mounted")
    if not mounted.answered:
        return Check("mounted", sentence, subject, FAILED, mounted.why_not)
    if mounted.get("diff"):
        words = "The ConfigMaps hold other rules than the inventory"
        differs = _differing(mounted.get("diff"))
        refused = " ".join(str(mounted.get("present_refused") or "").split())[:_MOST_LETTERS]
        ends = f"; Falco refuses them, so that no pod comes up with them: {refused}" if refused else ""
        data = {"files": differs, "refused": refused}
        return Check("mounted", sentence, subject, FAILED, f"{words}: {', '.join(differs)}{ends}.", data)
    return Check("mounted", sentence, subject, passed_if(True), "The ConfigMaps hold what the pods run.")


def _differing(diff: Mapping[str, Any]) -> list[str]:
    """Files that the two texts of a difference do not have alike; each begins with a line of its name."""
    before, after = (dict(_FILE.findall(str(diff.get(side) or ""))) for side in ("before", "after"))
    missing = {name: "is missing" for name in after if name not in before}
    more = {name: "is not ours" for name in before if name not in after}
    other = {name: "differs" for name in before if name in after and before[name] != after[name]}
    return [f"{name} {how}" for name, how in sorted({**missing, **more, **other}.items())]


def _changes_fit(asked: Asked) -> Check:
    sentence = "Changes of Falco's own rules were made for those that run"
    subject = f"{asked.text('namespace')}/{asked.text('workload')}"
    digests = asked.mapping("base_digests")
    stale = [
        f"pod {pod['name']} on {pod['node']} runs another {name}"
        for pod in asked.result("rollout").get("pods", [])
        for name, digest in digests.items()
        if pod["digests"].get(name, digest) != digest
    ]
    if stale:
        return Check("base", sentence, subject, FAILED, "; ".join(stale))
    if not asked.flag("base_used"):
        detail = f"Falco's own rules are not known: {asked.text('base_remark')}"
        return Check("base", sentence, subject, FAILED, detail)
    return Check("base", sentence, subject, passed_if(True), f"{counted(len(digests), 'file')} of Falco by SHA-256")
