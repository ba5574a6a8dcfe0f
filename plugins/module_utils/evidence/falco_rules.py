# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stage falco_rules: every pod runs exactly the wanted rules, and would do so after a restart."""

from __future__ import annotations

from collections.abc import Iterator

from ..common.words import counted
from .asked import Asked
from .check import FAILED, Check, passed_if


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
    detail = "; ".join(missing) or f"{counted(len(digests), 'file')} by SHA-256 on {counted(len(pods), 'pod')}"
    return Check("loaded", sentence, subject, passed_if(not missing), detail, {"files": digests, "pods": pods})


def _after_a_restart(asked: Asked) -> Check:
    sentence = "No pod runs rules that would not survive a restart"
    subject = f"{asked.text('namespace')}/{', '.join(map(str, asked.items('config_maps')))}"
    mounted = asked.result("mounted")
    if not mounted.answered:
        return Check("mounted", sentence, subject, FAILED, mounted.why_not)
    if mounted.get("diff"):
        return Check("mounted", sentence, subject, FAILED, "The ConfigMaps hold other rules than the inventory.")
    return Check("mounted", sentence, subject, passed_if(True), "The ConfigMaps hold what the pods run.")


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
