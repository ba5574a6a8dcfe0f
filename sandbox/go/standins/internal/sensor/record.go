// Records: the bytes that the kernel's programs write, see struct record in sandbox/standins/sensor/sensor.bpf.c.

package sensor

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

const (
	kindSyscall = iota
	kindExec
	kindFork
	kindExit
)

const (
	flagUpperLayer = 1 << iota
	flagLowerLayer
	flagFromMemory
	flagExeWritable
	flagCreated
	flagSocket
)

// The texts of a record, in their order.
const (
	textFirst = iota
	baseFirst
	textSecond
	baseSecond
	filePath
	address
	texts
)

const headBytes = 268

type record struct {
	timeNS                         uint64
	result                         int64
	args                           [6]uint64
	kind, nr                       uint32
	pid, tid, vpid, vtid, ppid     uint32
	uid, gid, loginUID, tty, flags uint32
	comm, cgroup                   string
	family, socketType, protocol   uint16
	localPort, remotePort          uint16
	local, remote                  netip.Addr
	text                           [texts][]byte
}

func decode(b []byte) (*record, error) {
	if len(b) < headBytes {
		return nil, fmt.Errorf("a record of the kernel has %d bytes, at least %d are wanted", len(b), headBytes)
	}
	le := binary.LittleEndian
	r := &record{timeNS: le.Uint64(b), result: int64(le.Uint64(b[8:]))}
	for i := range r.args {
		r.args[i] = le.Uint64(b[16+8*i:])
	}
	for i, field := range []*uint32{&r.kind, &r.nr, &r.pid, &r.tid, &r.vpid, &r.vtid, &r.ppid, &r.uid, &r.gid, &r.loginUID, &r.tty, &r.flags} {
		*field = le.Uint32(b[64+4*i:])
	}
	r.comm, r.cgroup = untilZero(b[112:128]), untilZero(b[128:208])
	for i, field := range []*uint16{&r.family, &r.socketType, &r.protocol, &r.localPort, &r.remotePort} {
		*field = le.Uint16(b[208+2*i:])
	}
	if r.family == familyIPv4 {
		r.local, r.remote = netip.AddrFrom4([4]byte(b[220:224])), netip.AddrFrom4([4]byte(b[236:240]))
	} else if r.family == familyIPv6 {
		r.local, r.remote = netip.AddrFrom16([16]byte(b[220:236])).Unmap(), netip.AddrFrom16([16]byte(b[236:252])).Unmap()
	}
	// They stand in the order in which they were written, which is that of the texts but for the address before a file.
	at := headBytes
	for _, i := range []int{textFirst, baseFirst, textSecond, baseSecond, address, filePath} {
		size := int(le.Uint16(b[252+2*i:]))
		if at+size > len(b) {
			return nil, fmt.Errorf("a record of the kernel ends amid a text: %d of %d bytes", len(b), at+size)
		}
		r.text[i] = b[at : at+size]
		at += size
	}
	return r, nil
}

func untilZero(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// words are texts that end with a zero byte each.
func words(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
}

// pathOf puts a path together from its names, which come from the last to the first.
func pathOf(names []byte) string {
	list := words(names)
	var b strings.Builder
	for i := len(list) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(list[i])
	}
	if b.Len() == 0 {
		return "/"
	}
	return b.String()
}
