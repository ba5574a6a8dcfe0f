# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that looks at a pod's processes from its node, as POSIX shell; nothing runs in the pod or comes from it.

It runs in a privileged pod that sees all processes of the node. Environment variables are not read: they hold secrets.
"""

from __future__ import annotations

from ..probe.wire.script import END_OF_SCRIPT

#: Open files that are told of one process.
MAX_FILES = 500

_SHELL = r"""
IFS= read -r uid
under=$(echo "$uid" | tr - _)
first=
# Few programs are started, for each costs milliseconds: one looks at all processes, one at all files of a process.
for place in $(grep -l -e "pod$uid" -e "pod$under" /proc/[0-9]*/cgroup 2>/dev/null); do
  place=${place%/cgroup}
  pid=${place#/proc/}
  [ -n "$first" ] || first=$pid
  echo "== process $pid"
  grep -E '^(Name|State|PPid|NSpid|Uid|Gid|CapEff|NoNewPrivs|Seccomp):' "$place/status" 2>/dev/null
  printf 'Command: '; tr '\000\n' '  ' <"$place/cmdline" 2>/dev/null; echo
  echo "Program: $(readlink "$place/exe")"
  echo "Program's digest: $(sha256sum <"$place/exe" 2>/dev/null | cut -c1-64)"
  echo "Directory: $(readlink "$place/cwd")"
  # The first line is the total; no column before the file's number has an arrow, whatever the target is called.
  ls -l "$place/fd" 2>/dev/null |
    sed -n -e 1d -e '@LAST@{s/.*/File: and more/p;q;}' -e 's/^[^>]* \([0-9][0-9]*\) -> /File \1: /p'
done
if [ -n "$first" ]; then
  for kind in tcp tcp6 udp udp6 raw packet unix; do
    echo "== sockets $kind"
    cat "/proc/$first/net/$kind" 2>/dev/null
  done
else
  echo "== no process of this pod runs on this node"
fi
echo "== end"
"""
SHELL = _SHELL.replace("@LAST@", str(MAX_FILES + 2))
END = "== end"


def program(uid: str) -> bytes:
    """What the loader in the privileged pod reads: the program, then the pod's uid."""
    return f"{SHELL}{END_OF_SCRIPT}\n{uid}\n".encode()
