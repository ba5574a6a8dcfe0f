# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that try connections from inside a pod, as text: POSIX shell, and Python where the image has it.

They are data for C(report.py), which sends them and reads what they print:

    T <protocol> <tool or "none"> <detail>     which tool tries this protocol
    N <protocol> <detail>                      (Python, to the shell) it cannot try this protocol
    R <id> <verdict> <milliseconds or -> <detail>
    X <pod uid> <detail>                       (node prober) this pod could not be entered
    E                                          everything was tried
"""

from __future__ import annotations

# The loader reads a script from its input up to this line, because the stream cannot be closed on one side; what
# follows that line is the script's own input.
END_OF_SCRIPT = ".end-of-script"
END_OF_TARGETS = ".end-of-targets"
END_OF_PODS = ".end-of-pods"
LOADER = (
    "sh",
    "-c",
    f's=; while IFS= read -r l && [ "$l" != {END_OF_SCRIPT} ]; do s="$s$l\n"; done; eval "$s"',
)

# Reads all of its input, which is a script that holds its own data, and runs it. A shell reads byte by byte, lest it
# takes what is not its own; here all is, so sed reads it in blocks where the image has it (3 ms of CPU, not 12 to 33).
END_OF_INPUT = ".end-of-input"
READER = (
    "sh",
    "-c",
    f"if command -v sed >/dev/null 2>&1; then s=$(sed -n '/^{END_OF_INPUT}$/q;p'); else "
    f's=$(while IFS= read -r l && [ "$l" != {END_OF_INPUT} ]; do printf "%s\\n" "$l"; done); fi; eval "$s"',
)

# One process tries everything. Arguments: seconds to wait for an answer, connections open at once, payloads in
# hexadecimal (any UDP port, port 53), and "choose" if only protocols are to be tried of which it calls a closed port
# closed. Standard input: targets.
PYTHON = r"""
import errno, ipaddress, os, selectors, socket, sys, threading, time
limit, bound = float(sys.argv[1]), int(sys.argv[2])
payload, dns = bytes.fromhex(sys.argv[3]), bytes.fromhex(sys.argv[4])
kinds = {"tcp": (socket.SOCK_STREAM, 6), "udp": (socket.SOCK_DGRAM, 17), "sctp": (socket.SOCK_STREAM, 132)}
selector = selectors.DefaultSelector()
def say(ident, verdict, start, detail=""):
    took = (time.monotonic() - start) * 1000
    print("R", ident, verdict, "%.1f" % took, " ".join(str(detail).split()), flush=True)
def judge(code):
    if code == 0:
        return "allowed"
    if code in (errno.ECONNREFUSED, errno.EHOSTUNREACH):
        return "refused"
    return "dropped" if code == errno.ETIMEDOUT else "probe_failed"
class Job:
    def __init__(self, ident, protocol, host, port):
        self.ident, self.protocol, self.host, self.port = ident, protocol, host, int(port)
        self.address = self.error = None
        self.thread = None
        self.start = time.monotonic()
    def resolve(self):
        try:
            self.address = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_DGRAM)[0]
        except Exception as error:
            self.error = error
    def begin(self):
        if self.address is None:
            return say(self.ident, "unresolved", self.start, self.error or "no answer from the name server")
        self.start = time.monotonic()
        try:
            sock = socket.socket(self.address[0], *kinds[self.protocol])
            sock.setblocking(False)
            code = sock.connect_ex(self.address[4])
            if self.protocol == "udp" and code == 0:
                sock.send(dns if self.port == 53 else payload)
                selector.register(sock, selectors.EVENT_READ, self)
            elif code in (0, errno.EINPROGRESS):
                selector.register(sock, selectors.EVENT_WRITE, self)
            else:
                sock.close()
                say(self.ident, judge(code), self.start, os.strerror(code))
        except OSError as error:
            say(self.ident, judge(error.errno or -1), self.start, error)
    def end(self, sock):
        selector.unregister(sock)
        code = 0
        try:
            if self.protocol == "udp":
                sock.recv(4096)
            else:
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        except OSError as error:
            code = error.errno or -1
        sock.close()
        say(self.ident, judge(code), self.start, os.strerror(code) if code else "")
def closed_is_closed(protocol):
    try:
        sock = socket.socket(socket.AF_INET, *kinds[protocol])
        sock.settimeout(limit)
        sock.connect(("127.0.0.1", 1))
        if protocol == "udp":
            sock.send(payload)
            sock.recv(1)
        said = "allowed"
    except OSError as error:
        said = "%s (%s)" % (judge(error.errno or -1), error)
    usable = said.startswith("refused")
    print(*(("T", protocol, "python3", "") if usable else ("N", protocol, said)), flush=True)
    return usable
ready, resolving = [], []
targets = [words for words in map(str.split, sys.stdin) if len(words) == 4]
if sys.argv[5:]:
    wanted = {protocol: closed_is_closed(protocol) for protocol in sorted({words[1] for words in targets})}
    targets = [words for words in targets if wanted[words[1]]]
for words in targets:
    job = Job(*words)
    try:
        ipaddress.ip_address(job.host)
        job.resolve()
        ready.append(job)
    except ValueError:
        job.thread = threading.Thread(target=job.resolve)
        job.thread.daemon = True
        job.thread.start()
        resolving.append(job)
while ready or resolving or selector.get_map():
    for job in [j for j in resolving if not j.thread.is_alive() or time.monotonic() - j.start > limit + 5]:
        resolving.remove(job)
        ready.append(job)
    while ready and len(selector.get_map()) < bound:
        ready.pop(0).begin()
    if selector.get_map():
        for key, events in selector.select(0.05):
            key.data.end(key.fileobj)
    elif resolving:
        resolving[0].thread.join(0.05)
    for key in list(selector.get_map().values()):
        if time.monotonic() - key.data.start > limit:
            selector.unregister(key.fileobj)
            key.fileobj.close()
            say(key.data.ident, "dropped", key.data.start, "no answer within %g s" % limit)
"""

# Variables that the head of the script sets: wait (seconds), bound, payload and dns (printf formats), payload_hex,
# dns_hex, python (the program above), targets, one a line: id, protocol, host, port. Without these they are the input.
SHELL = r"""
LC_ALL=C; export LC_ALL
given() { while IFS= read -r line && [ "$line" != .end-of-targets ]; do printf '%s\n' "$line"; done; }
[ -n "$targets" ] || targets=$(given)
have() { command -v "$1" >/dev/null 2>&1; }
limit() { "$@"; }
# Only where bash needs it: BusyBox's leaves a process to the container's first one, and not every first one reaps.
find_limit() {
  if have bash && have timeout; then
    if timeout 1 true 2>/dev/null; then limit() { timeout "$wait" "$@"; }
    elif timeout -t 1 true 2>/dev/null; then limit() { timeout -t "$wait" "$@"; }
    fi
  fi
}
hostport() { case $1 in *:*) address="[$1]:$2" ;; *) address="$1:$2" ;; esac; }

# Its start costs more than what it does, so one process tries all protocols, and first whether it can.
by_python3() {
  have python3 || return
  printf '%s\n' "$targets" |
    python3 -c "$python" "$wait" "$bound" "$payload_hex" "$dns_hex" choose 2>/dev/null |
    while read -r kind rest; do
      case $kind in T|N) echo "$kind $rest" ;; esac
      [ "$kind" = N ] || printf '%s %s\n' "$kind" "$rest" >&3
    done
}
not_python3() {
  printf '%s\n' "$found" | while read -r kind protocol text; do
    [ "$kind $protocol" != "N $1" ] || echo " python3 says $text of a closed port;"
  done
}

# As with Python: one process for a protocol, which fails at once where it cannot, or where a closed port is not closed.
by_bash() {
  [ "$1" != sctp ] && have bash || return
  printf '%s\n' "$targets" | bash -c "$bash_many" many "$1" "$wait" "$bound" "$payload" "$dns" 2>/dev/null 3>&-
}
usable_bash() { have bash && [ "$(limit bash -c 'echo yes' 2>/dev/null)" = yes ]; }
tcp_bash() { limit bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2"; }
udp_bash() {
  [ "$2" = 53 ] && data=$dns || data=$payload
  bash -c 'exec 3<>"/dev/udp/$0/$1" || exit 1; printf "$2" >&3; IFS= read -r -t "$3" -n 1 -u 3 x' \
    "$1" "$2" "$data" "$wait"
}
sctp_bash() { echo "bash has no SCTP"; return 1; }

nc= nc_tcp= nc_udp=
usable_nc() {
  if have nc; then nc=nc; elif have busybox && busybox nc --help >/dev/null 2>&1; then nc="busybox nc"; fi
  [ -n "$nc" ] || return
  help=$($nc --help 2>&1; $nc -h 2>&1)
  case $help in
    *BusyBox*)
      case $help in *" -z"*|*"[-z"*) nc_tcp="-z" ;; *-e*) nc_tcp="-e true" ;; esac
      case $help in *" -v"*|*"[-v"*) nc_tcp="$nc_tcp -v" ;; esac
      case $help in *" -u"*|*"[-u"*) nc_udp=yes ;; esac ;;
    *) nc_tcp="-z -v" nc_udp=yes ;;
  esac
}
tcp_nc() {
  case $nc_tcp in
    *-e*) $nc -w "$wait" "$1" "$2" -e true ;;
    *) $nc $nc_tcp -w "$wait" "$1" "$2" ;;
  esac
}
udp_nc() {
  [ -n "$nc_udp" ] || { echo "nc has no UDP"; return 1; }
  [ "$2" = 53 ] && data=$dns || data=$payload
  # Netcat goes on to wait after the answer, so it is ended with the first byte of it.
  printf "$data" | sh -c 'echo $$; exec "$@" 2>/dev/null' sh $nc -u -w "$wait" "$1" "$2" | {
    IFS= read -r netcat; count=$(head -c 1 | wc -c); kill "$netcat" 2>/dev/null
    [ "$count" -gt 0 ] || { echo "timed out"; exit 1; }
  }
}
sctp_nc() { echo "nc has no SCTP"; return 1; }

agnhost=
if [ -x /agnhost ]; then agnhost=/agnhost; elif have agnhost; then agnhost=agnhost; fi
usable_agnhost() { [ -n "$agnhost" ]; }
# One thread is enough for one connection, and saves half of what the start of so large a program costs.
by_agnhost() { hostport "$2" "$3"; GOMAXPROCS=1 GOGC=off "$agnhost" connect "$address" --timeout="${wait}s" $1; }
tcp_agnhost() { by_agnhost "" "$@"; }
udp_agnhost() { by_agnhost --protocol=udp "$@"; }
sctp_agnhost() { by_agnhost --protocol=sctp "$@"; }

judge() {
  case $1 in 0) verdict=allowed; return ;; 124|137|142|143) verdict=dropped; return ;; esac
  case $2 in
    *"bad address"*|*"not known"*|*DNS*|*esolve*|*"ame resolution"*|*"o address associated"*|*getaddrinfo*)
      verdict=unresolved ;;
    *"ost lookup failed"*) verdict=unresolved ;;
    *efused*|*REFUSED*|*"o route to host"*) verdict=refused ;;
    *TIMEOUT*|*imed\ out*) verdict=dropped ;;
    *) verdict=probe_failed ;;
  esac
}
choose() {
  find_limit
  chosen=none tried=$(not_python3 "$1")
  for tool in bash nc agnhost; do
    usable_$tool || continue
    text=$("${1}_$tool" 127.0.0.1 1 2>&1 </dev/null)
    judge $? "$text"
    # Netcat hears no ICMP; for UDP it is good enough that it does not call a closed port open.
    if [ "$verdict" = refused ] || [ "$1 $tool $verdict" = "udp nc dropped" ]; then chosen=$tool tried=" "; break; fi
    tried="$tried $tool says $verdict of a closed port ($text);"
  done
  printf 'T %s %s %s\n' "$1" "$chosen" "$(echo ${tried:-no python3, bash, nc or agnhost in the image})"
}
one() {
  read -r start rest </proc/uptime
  text=$("${2}_$5" "$3" "$4" 2>&1 </dev/null)
  judge $? "$text"
  read -r now rest </proc/uptime
  took=$(( (${now%.*}${now#*.} - ${start%.*}${start#*.}) * 10 ))
  [ "$verdict" = allowed ] && text=
  id=$1
  # One line, whatever the tool says; without a process for it, for this runs thousands of times.
  set -f
  set -- $text
  printf 'R %s %s %s %s\n' "$id" "$verdict" "$took" "$*"
}
try() {
  if by_bash "$1"; then return; fi
  choose "$1"
  [ "$chosen" != none ] || return
  printf '%s\n' "$targets" | {
    open=0
    while read -r id protocol host port; do
      [ "$protocol" = "$1" ] || continue
      one "$id" "$protocol" "$host" "$port" "$chosen" &
      open=$((open + 1))
      if [ "$open" -ge "$bound" ]; then wait; open=0; fi
    done
    wait
  }
}
exec 3>&1
found=$(by_python3)
for protocol in tcp udp sctp; do
  case $found in *"T $protocol "*) continue ;; esac
  case $targets in *" $protocol "*) try "$protocol" & ;; esac
done
wait
echo E
"""
