"""Tasks, API requests and seconds of two runs of site.yml against the cluster of KUBECONFIG.

    KUBECONFIG=... python bench/site/run.py inventory/sandbox [RUNS]

Requests are counted by the API server itself (apiserver_request_total), so the cluster's own are among them; their rate
is measured while nothing runs and taken off.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time

IDLE_SECONDS = 10
RECAP = re.compile(r"ok=(\d+)\s+changed=(\d+).*?skipped=(\d+)")


def requests() -> float:
    """Requests that the API server has answered since it started."""
    metrics = subprocess.run(["kubectl", "get", "--raw", "/metrics"], check=True, capture_output=True, text=True).stdout
    counts = (line.rsplit(" ", 1)[1] for line in metrics.splitlines() if line.startswith("apiserver_request_total{"))
    return sum(map(float, counts))


def main() -> int:
    inventory, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2
    before = requests()
    time.sleep(IDLE_SECONDS)
    idle = (requests() - before) / IDLE_SECONDS
    print(f"idle: {idle:.1f} requests a second")
    for run in range(1, runs + 1):
        before, start = requests(), time.monotonic()
        done = subprocess.run(
            ["ansible-playbook", "playbooks/site.yml", "-i", inventory], capture_output=True, text=True, check=False
        )
        seconds = time.monotonic() - start
        if done.returncode != 0:
            print(done.stdout[-3000:], done.stderr, file=sys.stderr)
            return 1
        recap = [tuple(map(int, found)) for found in RECAP.findall(done.stdout)]
        tasks = len(re.findall(r"^TASK \[", done.stdout, re.MULTILINE))
        print(
            f"run {run}: {seconds:.0f} s, {tasks} tasks, {sum(ok for ok, _, _ in recap)} ok on all hosts, "
            f"changed={sum(changes for _, changes, _ in recap)}, {requests() - before - idle * seconds:.0f} requests"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
