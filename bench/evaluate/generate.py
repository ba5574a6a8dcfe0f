"""Rules and system calls to measure the evaluator with, as like real ones as made-up ones can be.

Each rule restricts the event type through a macro, looks names up in lists, compares paths and has an exception.
"""

from __future__ import annotations

import random
from typing import Any

PROGRAMS = [f"tool{number}" for number in range(200)] + [
    "bash",
    "sh",
    "cat",
    "python3",
    "sshd",
    "nginx",
    "runc",
    "find",
]
FOLDERS = ["/etc", "/usr/bin", "/usr/lib", "/var/lib", "/home/user", "/tmp", "/proc/self", "/root", "/dev"]
FILES = ["passwd", "shadow", "hosts", "id_rsa", "log.txt", "data.bin", "config.yaml", "x.so", "null"]
TYPES = ["execve", "openat", "close", "connect", "read", "unlinkat", "symlinkat", "fchmodat"]
GROUPS = [("execve", "execveat"), ("open", "openat", "openat2"), ("connect",), ("unlink", "unlinkat", "rmdir")]

HEAD = f"""
- list: shells
  items: [bash, sh, zsh, ksh, csh, tcsh, dash]
- list: trusted
  items: [{", ".join(PROGRAMS[:120])}]
- list: sensitive
  items: [/etc/shadow, /etc/sudoers, /etc/pam.conf, /root/.ssh/id_rsa]
- macro: container
  condition: container.id != host
- macro: shell_running
  condition: proc.name in (shells) or proc.name startswith sh-
- macro: trusted_parent
  condition: proc.pname in (trusted) or proc.aname[2] in (trusted)
- macro: sensitive_file
  condition: >
    fd.name in (sensitive) or fd.name startswith /etc/security or fd.directory in (/etc/ssl/private, /root/.ssh)
""" + "".join(
    f"- macro: event_{number}\n  condition: evt.type in ({', '.join(types)})\n" for number, types in enumerate(GROUPS)
)

RULE = """
- rule: Rule {number}
  desc: number {number}
  condition: >
    event_{group} and container and not trusted_parent
    and (shell_running or sensitive_file or fd.name glob "{folder}/*{file}*" or proc.cmdline contains "{program} -x")
    and not proc.exepath pmatch ({folder}/tools, /opt/{program})
    and (user.uid != 0 or proc.args icontains "{file}")
  output: "Rule {number} (user=%user.name command=%proc.cmdline file=%fd.name parent=%proc.pname)"
  priority: WARNING
  tags: [host, container]
  exceptions:
    - name: known
      fields: [proc.name, fd.directory]
      comps: [=, startswith]
      values:
        - [{program}, {folder}]
"""


def ruleset(rules: int, seed: int = 1) -> str:
    """The text of a ruleset of so many rules."""
    chooser = random.Random(seed)
    return HEAD + "".join(
        RULE.format(
            number=number,
            group=number % len(GROUPS),
            folder=chooser.choice(FOLDERS),
            file=chooser.choice(FILES),
            program=chooser.choice(PROGRAMS),
        )
        for number in range(rules)
    )


def events(count: int, seed: int = 2) -> list[dict[str, Any]]:
    """So many field maps."""
    chooser = random.Random(seed)
    return [_event(chooser, number) for number in range(count)]


def _event(chooser: random.Random, number: int) -> dict[str, Any]:
    program = chooser.choice(PROGRAMS)
    folder = chooser.choice(FOLDERS)
    file = chooser.choice(FILES)
    kind = chooser.choice(TYPES)
    fields: dict[str, Any] = {
        "evt.num": number,
        "evt.type": kind,
        "syscall.type": kind,
        "proc.name": program,
        "proc.pname": chooser.choice(PROGRAMS),
        "proc.aname[2]": chooser.choice(PROGRAMS),
        "proc.exepath": f"/usr/bin/{program}",
        "proc.cmdline": f"{program} -x {folder}/{file}",
        "proc.args": f"-x {folder}/{file}",
        "proc.pid": number % 30_000,
        "user.uid": chooser.choice([0, 1000, 65534]),
        "user.name": "user",
        "container.id": chooser.choice(["host", "3f2a1b", "9c8d7e"]),
    }
    if kind not in ("execve", "connect"):
        fields.update({"fd.name": f"{folder}/{file}", "fd.directory": folder, "fd.num": 3, "fd.type": "file"})
    return fields
