"""Tasks, API requests and seconds of preflight.yml and of runs of site.yml against the cluster of KUBECONFIG.

    KUBECONFIG=... python bench/site/run.py inventory/sandbox [RUNS]

The first run is from nothing if playbooks/uninstall.yml ran before. Requests are counted by the API server itself
(apiserver_request_total), so the cluster's own are among them; their rate is measured while nothing runs and taken off.
The slowest tasks are those of the last run, by the callback ansible.posix.profile_tasks.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

IDLE_SECONDS = 10
SLOWEST = 10
RECAP = re.compile(r"ok=(\d+)\s+changed=(\d+).*?skipped=(\d+)")
PROFILED = re.compile(r"^(.*\S) -+ +([\d.]+)s$", re.MULTILINE)


def requests() -> float:
    """Requests that the API server has answered since it started."""
    metrics = subprocess.run(["kubectl", "get", "--raw", "/metrics"], check=True, capture_output=True, text=True).stdout
    counts = (line.rsplit(" ", 1)[1] for line in metrics.splitlines() if line.startswith("apiserver_request_total{"))
    return sum(map(float, counts))


def play(playbook: str, inventory: str, idle: float) -> tuple[str, str]:
    """A line about one run, and what it printed."""
    before, start = requests(), time.monotonic()
    environment = {
        **os.environ,
        "ANSIBLE_CALLBACKS_ENABLED": "ansible.posix.profile_tasks",
        "PROFILE_TASKS_TASK_OUTPUT_LIMIT": str(SLOWEST),
    }
    command = ["ansible-playbook", f"playbooks/{playbook}", "-i", inventory]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    if done.returncode != 0:
        sys.exit(f"{done.stdout[-3000:]}\n{done.stderr}")
    recap = [tuple(map(int, found)) for found in RECAP.findall(done.stdout)]
    tasks = len(re.findall(r"^TASK \[", done.stdout, re.MULTILINE))
    line = (
        f"{playbook}: {seconds:.0f} s, {tasks} tasks, {sum(ok for ok, _, _ in recap)} ok on all hosts, "
        f"changed={sum(changes for _, changes, _ in recap)}, {requests() - before - idle * seconds:.0f} requests"
    )
    return line, done.stdout


def main() -> int:
    inventory, runs = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2
    before = requests()
    time.sleep(IDLE_SECONDS)
    idle = (requests() - before) / IDLE_SECONDS
    print(f"idle: {idle:.1f} requests a second", flush=True)
    output = ""
    for playbook in ["preflight.yml", *["site.yml"] * runs]:
        line, output = play(playbook, inventory, idle)
        print(line, flush=True)
    for name, seconds in PROFILED.findall(output)[:SLOWEST]:
        print(f"{float(seconds):6.1f} s  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
