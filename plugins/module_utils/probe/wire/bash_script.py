# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that tries all connections of one protocol from one process of bash (4.1 or later), as text.

UDP sockets are all opened by the shell itself, which then looks which of them have something to read. To connect by TCP
and to look up names, a shell has to wait, so that is done by copies of it, which cost no new program. Deadlines run
side by side.
"""

from __future__ import annotations

#: Arguments: protocol, seconds to wait, connections open at once, payload and DNS query in octal. Input: the targets.
#: Fails, and has said nothing, where bash has no sockets, does not number its own files or reads with no limit of
#: fractions of seconds, and where a closed port of the loopback is not closed to it.
BASH = r"""
protocol=$1 limit=$2 bound=$3 payload=$4 dns=$5
# Each copy is a group of its own, so that it ends with all that it waits for. No here-strings: they need a directory.
set -m -f
exec 2>/dev/null
exec {idle}<>/dev/udp/127.0.0.1/9 || exit 1
read -r -t 0.01 -u "$idle" byte
[ $? -gt 128 ] || exit 1
clock() { local up rest; read -r up rest </proc/uptime; now=$((10#${up/./} * 10)); }
say() { clock; printf 'R %s %s %s %s\n' "$1" "$2" $((now - $3)) "$4"; }
# What bash itself says comes in several lines, which begin with its name.
judge() {
  text=$*
  case $text in
    *"not known"*|*"ame resolution"*|*"o address associated"*|*"nvalid"*) verdict=unresolved ;;
    *efused*|*"o route to host"*) verdict=refused ;;
    *"imed out"*) verdict=dropped ;;
    *) verdict=probe_failed ;;
  esac
}
send() { if [ "$2" = 53 ]; then printf "$dns" >&"$1"; else printf "$payload" >&"$1"; fi; }
hear() { IFS= read -r -t "$2" -n 1 -u "$1" byte; }
by_copy() {
  if text=$({ "$@" || { [ $? -gt 128 ] && echo timed out; false; }; } 2>&1); then say "$id" allowed "$start" ""
  else judge $text; say "$id" "$verdict" "$start" "$text"
  fi
}
connect_tcp() { exec 3<>"/dev/tcp/$1/$2"; }
ask_udp() { exec 3<>"/dev/udp/$1/$2" && send 3 "$2" && hear 3 "$limit"; }
begin() {
  clock; start=$now patience=$limit
  case $protocol$host in
    tcp*) by_copy connect_tcp "$host" "$port" & ;;
    udp*[!0-9a-fA-F.:]*) patience=$((limit + 5)); by_copy ask_udp "$host" "$port" & ;;
    udp*)
      if { exec {file}<>"/dev/udp/$host/$port"; } 2>/dev/null && send "$file" "$port" 2>/dev/null; then
        files[file]="$id $start"
      else
        by_copy ask_udp "$host" "$port"
      fi
      return ;;
  esac
  copies[$!]="$id $start $((start + patience * 1000))"
}
case $protocol in tcp) one=connect_tcp ;; *) one=ask_udp ;; esac
text=
read -r -t "$limit" text < <("$one" 127.0.0.1 1 2>&1 </dev/null) || kill -9 "$!"
judge $text
[ "$verdict" = refused ] || exit 1
echo "T $protocol bash "
files=() copies=() next=0 pause=0.002
mapfile -t lines
while [ "$next" -lt "${#lines[@]}" ] || [ $((${#files[@]} + ${#copies[@]})) -gt 0 ]; do
  while [ "$next" -lt "${#lines[@]}" ] && [ $((${#files[@]} + ${#copies[@]})) -lt "$bound" ]; do
    set -- ${lines[next]}
    id=$1 wanted=$2 host=$3 port=$4
    next=$((next + 1))
    [ "$wanted" != "$protocol" ] || begin
  done
  clock
  for file in "${!files[@]}"; do
    set -- ${files[file]}
    id=$1 start=$2
    if read -t 0 -u "$file"; then
      if text=$(hear "$file" 1 2>&1); then say "$id" allowed "$start" ""
      else judge $text; say "$id" "$verdict" "$start" "$text"
      fi
    elif [ $((now - start)) -gt $((limit * 1000)) ]; then
      say "$id" dropped "$start" "no answer within $limit s"
    else
      continue
    fi
    unset "files[$file]"
    exec {file}>&-
  done
  for copy in "${!copies[@]}"; do
    set -- ${copies[copy]}
    id=$1 start=$2 end=$3
    if kill -0 "$copy" 2>/dev/null; then
      [ "$now" -gt "$end" ] || continue
      kill -9 -- "-$copy" 2>/dev/null && say "$id" dropped "$start" "no answer within $limit s"
    fi
    unset "copies[$copy]"
  done
  # Most answers come at once.
  read -r -t "$pause" -u "$idle" byte
  case $pause in 0.002) pause=0.005 ;; 0.005) pause=0.01 ;; *) pause=0.02 ;; esac
done
exit 0
"""
