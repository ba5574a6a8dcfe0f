"""Seconds from an alert to the pod that provably reaches nobody, by ansible-rulebook and respond.yml.

    KUBECONFIG=... python bench/respond/run.py [ROUNDS]

Each round takes a pod of a small system that another policy opens to everybody, posts an alert about it as
Falcosidekick does, waits for the noted timeline, and lets the pod go again. The event is the moment before the alert is
posted; from a system call to there Falco and Falcosidekick take some 14 ms (a fire drill's evidence has them).
Ansible's start is what passes before the response begins: ansible-rulebook, ansible-runner, and ansible-playbook.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "build" / "collections")]

from tests.integration.cluster import Cluster, wait_for
from tests.integration.playbook import Site
from tests.integration.probing import OURS, apply, running_system
from tests.integration.rulebook import rulebook
from tests.integration.test_netpol_quarantine import ALLOW_ALL, backends, quarantine
from tests.integration.test_rulebook import LADDER, alert, responses

BEGAN, HELD, PROVEN = "response began", "held, proven by analysis", "held, proven on the live network"
LIMIT_SECONDS = 300.0


def one_round(cluster: Cluster, book: Any, directory: Path) -> dict[str, float]:
    """Seconds since the event of each step."""
    wait_for(lambda: len(backends(cluster)) == 2, LIMIT_SECONDS, "two pods")
    pod, before = backends(cluster)[0], len(responses(directory))
    book.post(alert(pod))
    wait_for(lambda: len(responses(directory)) > before, LIMIT_SECONDS, "the response")
    noted = next(one for one in responses(directory) if one["plan"]["pod"] == pod)
    quarantine(pod=pod, state="released")
    cluster.kubectl("-n", OURS, "delete", "pod", pod, "--wait=true")
    if noted["problems"]:
        sys.exit(f"{pod}: {noted['problems']}")
    return {row["what"]: row["seconds"] for row in noted["timeline"]}


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    kubeconfig = Path(os.environ["KUBECONFIG"])
    cluster, found = Cluster(kubeconfig), []
    settings: dict[str, Any] = {
        "respond_dry_run": False,
        "respond_ladder": LADDER,
        "respond_pods_per_hour": 10 * rounds,
    }
    with tempfile.TemporaryDirectory() as place, running_system(cluster):
        apply(cluster, ALLOW_ALL)
        site = Site(ROOT, kubeconfig)
        with rulebook(Path(place), site, **settings) as book:
            for number in range(rounds):
                found.append(one_round(cluster, book, Path(place)))
                print(json.dumps({"round": number + 1, "load": round(os.getloadavg()[0]), **found[-1]}), flush=True)
    for name in (BEGAN, "collected", HELD, PROVEN):
        times = [one[name] for one in found if name in one]
        print(f"{name:35} median {statistics.median(times):6.2f} s   worst {max(times):6.2f} s   of {len(times)}")
    own = [one[PROVEN] - one[BEGAN] for one in found if PROVEN in one]
    print(f"{'without the start':35} median {statistics.median(own):6.2f} s   worst {max(own):6.2f} s   of {len(own)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
