// The descriptor that a call is about: a file by its path, a socket by its ends.

package sensor

import (
	"net/netip"
	"path"

	"golang.org/x/sys/unix"
)

func (e *Event) hasFD() bool { return e.call.fd != nothing && e.record.kind == kindSyscall }

func (e *Event) isSocket() bool { return e.record.flags&flagSocket != 0 }

func (e *Event) isIP() bool {
	return e.isSocket() && (e.record.family == familyIPv4 || e.record.family == familyIPv6)
}

// fdNumber is the descriptor's number; -1 where a call that would have made one failed.
func (e *Event) fdNumber() any {
	if !e.hasFD() {
		return nil
	}
	if n := int64(int32(e.argument(e.call.fd))); e.call.fd != result || n >= 0 {
		return n
	}
	return int64(-1)
}

// fdLetter is Falco's letter for the type of the descriptor.
func (e *Event) fdLetter() string {
	switch {
	case e.isIP():
		letter := "4"
		if e.record.family == familyIPv6 {
			letter = "6"
		}
		if server, _ := e.ends(); !server.IsValid() {
			return letter
		}
		return letter + map[uint16]string{unix.IPPROTO_TCP: "t", unix.IPPROTO_UDP: "u", unix.IPPROTO_ICMP: "i"}[e.record.protocol]
	case e.isSocket() && e.record.family == familyUnix:
		return "u"
	case e.isSocket():
		return "?"
	case e.isOpen() && e.openFlags()&unix.O_DIRECTORY != 0, e.is("fchdir"):
		return "d"
	}
	return "f"
}

// fdName is the path, or the ends of a connection, the client's first.
func (e *Event) fdName() string {
	switch {
	case !e.hasFD():
		return ""
	case e.isOpen():
		return e.path(textFirst)
	case e.isIP():
		server, client := e.ends()
		if server.IsValid() {
			return hostPort(client) + "->" + hostPort(server)
		}
		if e.is("bind") && !e.failed() {
			return e.addressText()
		}
		return ""
	case e.isSocket():
		if to := e.addressText(); e.is("connect", "bind") && !e.failed() && to != "NULL" {
			return to
		}
		return ""
	case len(e.record.text[filePath]) > 0:
		return pathOf(e.record.text[filePath])
	}
	return ""
}

// ends are a socket's server and client; invalid as long as there is no connection.
//
// Of a connection that was refused while the program waited Falco knows nothing: only one that is made or under way has
// its ends. A datagram has them by the address that it is sent to.
func (e *Event) ends() (server, client netip.AddrPort) {
	if !e.isIP() {
		return
	}
	local, remote := netip.AddrPortFrom(e.record.local, e.record.localPort), netip.AddrPortFrom(e.record.remote, e.record.remotePort)
	switch {
	case e.is("accept", "accept4"):
		return local, remote
	case e.is("connect") && e.failed() && e.record.result != -int64(unix.EINPROGRESS):
		return
	case e.is("connect", "sendto"):
		if to := e.endpoint(); to.IsValid() {
			remote = to
		}
	}
	if remote.Port() == 0 && (!remote.Addr().IsValid() || remote.Addr().IsUnspecified()) {
		return
	}
	return remote, local
}

func (e *Event) fdType() any {
	if !e.hasFD() || e.failed() && e.call.fd == result {
		return nil
	}
	switch e.fdLetter()[:1] {
	case "4":
		return "ipv4"
	case "6":
		return "ipv6"
	case "u":
		return "unix"
	case "d":
		return "directory"
	case "f":
		return "file"
	}
	return nil
}

func (e *Event) ofEnds(get func(server, client netip.AddrPort) any) any {
	server, client := e.ends()
	if !server.IsValid() {
		return nil
	}
	return get(server, client)
}

func ofServer(get func(netip.AddrPort) any) field {
	return func(e *Event) any { return e.ofEnds(func(s, _ netip.AddrPort) any { return get(s) }) }
}

func ofClient(get func(netip.AddrPort) any) field {
	return func(e *Event) any { return e.ofEnds(func(_, c netip.AddrPort) any { return get(c) }) }
}

// ofLocal and ofRemote are the ends as this process sees them.
func ofLocal(get func(netip.AddrPort) any) field {
	return func(e *Event) any {
		return e.ofEnds(func(s, c netip.AddrPort) any {
			if e.is("accept", "accept4") {
				return get(s)
			}
			return get(c)
		})
	}
}

func ofRemote(get func(netip.AddrPort) any) field {
	return func(e *Event) any {
		return e.ofEnds(func(s, c netip.AddrPort) any {
			if e.is("accept", "accept4") {
				return get(c)
			}
			return get(s)
		})
	}
}

func ip(a netip.AddrPort) any   { return a.Addr().String() }
func port(a netip.AddrPort) any { return int64(a.Port()) }

func either(get func(netip.AddrPort) any) field {
	return func(e *Event) any {
		return e.ofEnds(func(s, c netip.AddrPort) any { return []any{get(s), get(c)} })
	}
}

func (e *Event) sockFamily() any {
	switch {
	case e.isIP():
		return "ip"
	case e.isSocket() && e.record.family == familyUnix:
		return "unix"
	}
	return nil
}

func (e *Event) transport() any {
	switch {
	case !e.hasFD() || e.failed() && e.call.fd == result:
		return nil
	case !e.isIP() || e.fdName() == "":
		return "<NA>"
	}
	return map[uint16]any{unix.IPPROTO_TCP: "tcp", unix.IPPROTO_UDP: "udp", unix.IPPROTO_ICMP: "icmp"}[e.record.protocol]
}

var fdFields = map[string]field{
	"fd.num": (*Event).fdNumber, "fd.type": (*Event).fdType, "fd.sockfamily": (*Event).sockFamily, "fd.l4proto": (*Event).transport,
	"fd.typechar": func(e *Event) any {
		if !e.hasFD() || e.failed() && e.call.fd == result && !e.isOpen() {
			return nil
		}
		return e.fdLetter()[:1]
	},
	"fd.name": func(e *Event) any { return e.ifFD(e.fdName()) },
	"fd.nameraw": func(e *Event) any {
		if e.isOpen() {
			return untilZero(e.record.text[textFirst])
		}
		return e.ifFD(e.fdName())
	},
	"fd.filename": func(e *Event) any {
		if e.fdType() != "file" {
			return nil
		}
		return path.Base(e.fdName())
	},
	"fd.directory": func(e *Event) any {
		if !e.hasFD() || e.isSocket() {
			return nil
		}
		return directory(e.fdName())
	},
	"fd.is_server": func(e *Event) any { return e.ifFD(e.is("accept", "accept4")) },
	"fd.connected": func(e *Event) any { return e.ofEnds(func(_, _ netip.AddrPort) any { return true }) },
	"fd.sip":       ofServer(ip), "fd.sport": ofServer(port), "fd.snet": ofServer(ip), "fd.sproto": ofServer(port),
	"fd.cip": ofClient(ip), "fd.cport": ofClient(port), "fd.cnet": ofClient(ip), "fd.cproto": ofClient(port),
	"fd.lip": ofLocal(ip), "fd.lport": ofLocal(port), "fd.lnet": ofLocal(ip), "fd.rip": ofRemote(ip), "fd.rport": ofRemote(port), "fd.rnet": ofRemote(ip),
	"fd.ip": either(ip), "fd.net": either(ip), "fd.port": either(port),
}

// ifFD is the value where the event has a descriptor, or tried to open one.
func (e *Event) ifFD(value any) any {
	if !e.hasFD() || e.failed() && e.call.fd == result && !e.isOpen() {
		return nil
	}
	return value
}
