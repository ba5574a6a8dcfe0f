# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that run in a privileged pod which sees all processes of its node, as text: POSIX shell."""

from __future__ import annotations

# Finds a pod among the processes of the node: "pid" is set, or why there is none is printed.
_FIND = r"""
processes=$(grep -o 'pod[0-9a-f]\{8\}[-_][0-9a-f_-]\{27\}' /proc/[0-9]*/cgroup 2>/dev/null | sort -u -t/ -k3n)
own=$(readlink /proc/1/ns/net)
find_pod() {
  # The lowest process id of a pod is its sandbox's, whose network namespace all containers share.
  under=$(echo "$1" | tr - _)
  pid=$(printf '%s\n' "$processes" | grep -e "pod$1" -e "pod$under" | head -n 1)
  pid=${pid#/proc/}; pid=${pid%%/*}
  [ -n "$pid" ] && [ -e "/proc/$pid/ns/net" ] || { echo "X $1 none of its processes runs on this node"; return 1; }
  [ "$(readlink "/proc/$pid/ns/net")" != "$own" ] || { echo "X $1 it lives in the network of the node"; return 1; }
  case $2 in
    *:*) ;;
    *) grep -q "$2\$" "/proc/$pid/net/fib_trie" || { echo "X $1 its network namespace does not have $2"; return 1; } ;;
  esac
}
"""

# Variables: asked (for each pod "P <uid> <address>", then its targets), inner (the program for a pod with its head),
# abreast (pods at once), node_program, and those of that head.
#
# The Python of the node itself, where it has one, tries all targets of all pods; the tools of the prober's image need
# processes of their own for each pod.
NODE_SHELL = (
    _FIND
    + r"""
by_python() {
  printf '%s' "$pods" | nsenter -t 1 -m "$1" -I -S -c "$node_program" \
    "$wait" "$bound" "$payload_hex" "$dns_hex" "$((abreast * 3))" "$python" 2>/dev/null
}
enter() {
  printf '%s' "$block" | nsenter -t "${at#* }" -n sh -c "$inner" | grep -v '^E$' ||
    echo "X ${at% *} its network namespace could not be entered"
}
begin() {
  [ -n "$at" ] || return
  enter &
  open=$((open + 1))
  if [ "$open" -ge "$abreast" ]; then wait; open=0; fi
}
by_tools() {
  at= open=0
  while IFS= read -r line; do
    case $line in
      "P "*) begin; at=${line#P } block= ;;
      *) block="$block$line
" ;;
    esac
  done
  begin
  wait
}
try() {
  pods= there=
  while IFS= read -r line; do
    case $line in
      "P "*)
        uid=${line#P } there=
        if find_pod "${uid% *}" "${uid#* }"; then
          there=yes pods="${pods}P ${uid% *} $pid
"
        fi ;;
      *) [ -z "$there" ] || pods="$pods$line
" ;;
    esac
  done
  for node_python in /usr/bin/python3 /usr/libexec/platform-python /usr/local/bin/python3; do
    if by_python "$node_python"; then
      printf 'T %s python3 \n' tcp udp sctp
      return
    fi
  done
  printf '%s' "$pods" | by_tools
}
printf '%s' "$asked" | try
echo E
"""
)

# Where listeners are noted in the privileged pod: one process group a line.
_LISTENERS = "/falconet-listeners"

# Listens inside the network namespaces of pods. Prints "L <uid> <protocol> <port>" for what listens.
# Standard input: for each pod a line with its uid and address, then for each port protocol, port and the program.
LISTEN_SHELL = (
    _FIND
    + r"""
grouped=; command -v setsid >/dev/null 2>&1 && grouped=setsid
is_open() {
  case $2 in tcp) state=0A ;; *) state=07 ;; esac
  grep -q ":$(printf %04X "$3") [0-9A-F]*:[0-9A-F]* $state" "/proc/$1/net/$2" "/proc/$1/net/${2}6" 2>/dev/null
}
serve() {
  # No shell may stay between: it would keep the output of this program open, and have another process group.
  (exec $grouped nsenter -t "$pid" -n sh -c "$4") </dev/null >/dev/null 2>&1 &
  echo $! >>listeners
  tries=0
  until is_open "$pid" "$2" "$3"; do
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || return
    sleep 0.1
  done
  echo "L $1 $2 $3"
}
while IFS=' ' read -r uid address && [ "$uid" != .end-of-pods ]; do
  pid=; find_pod "$uid" "$address"; found=$?
  while IFS=' ' read -r protocol port program && [ "$protocol" != .end-of-targets ]; do
    [ "$found" = 0 ] && serve "$uid" "$protocol" "$port" "$program" &
  done
done
wait
echo E
"""
).replace("listeners\n", f"{_LISTENERS}\n")

_END_LISTENERS = f"""
[ -e {_LISTENERS} ] || exit 0
while read -r group; do kill -9 -- "-$group" "$group" 2>/dev/null; done <{_LISTENERS}
exit 0
"""
# Ends all that listens, before its own deadline does.
SILENCE = ("sh", "-c", _END_LISTENERS)

# The directories in which container runtimes look for the configuration of the network, as distributions set them.
CNI_DIRECTORIES = (
    "/etc/cni/net.d",
    "/etc/kubernetes/cni/net.d",
    "/var/lib/rancher/k3s/agent/etc/cni/net.d",
    "/var/lib/rancher/rke2/agent/etc/cni/net.d",
    "/var/snap/microk8s/current/args/cni-network",
)
# Prints the files there as the node has them: "F <path>", then each line after a blank.
CNI_FILES = (
    "sh",
    "-c",
    f"""
for directory in {" ".join(CNI_DIRECTORIES)}; do
  for file in /proc/1/root$directory/*.conf /proc/1/root$directory/*.conflist /proc/1/root$directory/*.json; do
    [ -f "$file" ] || continue
    echo "F ${{file#/proc/1/root}}"
    while IFS= read -r line || [ -n "$line" ]; do printf ' %s\\n' "$line"; done <"$file"
  done
done
echo E
""",
)
