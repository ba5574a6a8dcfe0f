"""A program that speaks as falco-sensor does, with two events for each time that it is asked."""

import json
import sys


def say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


say({"types": ["execve", "openat", "connect"]})
values = {"proc.name": "sh", "proc.aname[*]": ["bash", "sshd"], "proc.cmdline": "sh \udcff"}
for number, line in enumerate(sys.stdin, 1):
    wanted = json.loads(line)
    sys.stderr.write(f"wanted {sorted(wanted)}\n")
    say({"wanted": number})
    for at in (1, 2):
        say(["execve", 1795251527573375270 + at, *(values.get(name) for name in wanted["execve"])])
    say({"seen": 10 * number, "dropped": number - 1})
