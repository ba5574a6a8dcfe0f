# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that tries the connections of all pods of a node from one Python of that node (3.6 or later), as text.

To start a Python takes more of a processor than all that it tries for a pod. So each pod gets a copy of one that runs,
which enters the pod's network namespace (setns(2)) and runs C(script.PYTHON) there.
"""

from __future__ import annotations

#: Arguments: those of C(script.PYTHON) without the last, pods at once, and that program. Standard input: for each pod
#: "P <uid> <process id>", then its targets. It has to call closed ports closed, like every tool.
NODE_PYTHON = r"""
import ctypes, errno, io, ipaddress, os, selectors, socket, sys, threading, time
program, abreast = compile(sys.argv.pop(), "probe", "exec"), int(sys.argv.pop())
setns, network = ctypes.CDLL(None, use_errno=True).setns, 0x40000000
def enter(pid):
    with open("/proc/%s/ns/net" % pid) as place:
        if setns(place.fileno(), network):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def copy(pid, lines, output=1):
    child = os.fork()
    if child:
        return child
    ended, what = 1, "its network namespace could not be entered"
    try:
        if pid:
            enter(pid)
        what = "the probe in it broke off"
        os.dup2(output, 1)
        sys.stdin = io.StringIO("".join(lines))
        exec(program, {"__name__": "probe"})
        ended = 0
    except BaseException as error:
        print("X", uid, what + ":", " ".join(str(error).split()), flush=True)
    finally:
        os._exit(ended)
uid = "-"
heard, said = os.pipe()
first = copy(None, ["0 tcp 127.0.0.1 1\n", "1 udp 127.0.0.1 1\n"], said)
os.close(said)
with os.fdopen(heard) as file:
    answers = file.read()
os.waitpid(first, 0)
if answers.count(" refused ") != 2:
    sys.exit("it does not call a closed port closed")
pods = []
for line in sys.stdin:
    if line.startswith("P "):
        pods.append((line.split()[1:], []))
    elif pods:
        pods[-1][1].append(line)
open_copies = 0
for (uid, pid), lines in pods:
    if open_copies >= abreast:
        os.wait()
        open_copies -= 1
    copy(pid, lines)
    open_copies += 1
while open_copies:
    os.wait()
    open_copies -= 1
"""
