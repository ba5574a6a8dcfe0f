// How arguments are written: in evt.args with their numbers, in evt.arg.NAME without.

package sensor

import (
	"fmt"
	"net/netip"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	familyUnix   = unix.AF_UNIX
	familyIPv4   = unix.AF_INET
	familyIPv6   = unix.AF_INET6
	familyPacket = unix.AF_PACKET
)

func both(text string) (string, string) { return text, text }

func (e *Event) argument(number int8) int64 {
	if number == result {
		return e.record.result
	}
	return int64(e.record.args[number])
}

func errno(n int64) string {
	if name := unix.ErrnoName(unix.Errno(-n)); name != "" {
		return name
	}
	return strconv.FormatInt(-n, 10)
}

func writeResult(e *Event, _ int8) (string, string) {
	if n := e.record.result; n < 0 {
		return fmt.Sprintf("%d(%s)", n, errno(n)), errno(n)
	}
	return both(strconv.FormatInt(e.record.result, 10))
}

func writeNumber(e *Event, from int8) (string, string) {
	return both(strconv.FormatInt(int64(int32(e.argument(from))), 10))
}

func writeOctal(e *Event, from int8) (string, string) {
	n := e.argument(from) & 07777
	if e.openFlags()&(unix.O_CREAT|unix.O_TMPFILE&^unix.O_DIRECTORY) == 0 && e.call.name != "creat" || n == 0 {
		return both("0")
	}
	return both("0" + strconv.FormatInt(n, 8))
}

func writeHex(e *Event, from int8) (string, string) {
	return both(strings.ToUpper(strconv.FormatUint(uint64(e.argument(from))&0xffffffff, 16)))
}

func writeFD(e *Event, from int8) (string, string) {
	n := e.argument(from)
	if from == result && n < 0 {
		return writeResult(e, from)
	}
	short := "<" + e.fdLetter() + ">" + e.fdName()
	return fmt.Sprintf("%d(%s)", int32(n), short), short
}

func writeDir(e *Event, from int8) (string, string) {
	if n := int32(e.argument(from)); n != unix.AT_FDCWD {
		return both(strconv.Itoa(int(n)))
	}
	return "-100(AT_FDCWD)", "AT_FDCWD"
}

func writePath(raw, full string) (string, string) {
	if raw == full {
		return both(full)
	}
	return raw + "(" + full + ")", full
}

func writeFirst(e *Event, _ int8) (string, string) {
	return writePath(untilZero(e.record.text[textFirst]), e.path(textFirst))
}

func writeSecond(e *Event, _ int8) (string, string) {
	return writePath(untilZero(e.record.text[textSecond]), e.path(textSecond))
}

func writeRaw(e *Event, _ int8) (string, string) { return both(untilZero(e.record.text[textFirst])) }

// Falco numbers these bits itself, so that they are alike on all architectures.
var openFlags = []struct {
	bit    int64
	number int64
	name   string
}{
	{unix.O_EXCL, 1 << 5, "O_EXCL"}, {unix.O_DIRECTORY, 1 << 10, "O_DIRECTORY"}, {unix.O_DIRECT, 1 << 9, "O_DIRECT"}, {unix.O_TRUNC, 1 << 8, "O_TRUNC"},
	{unix.O_SYNC &^ unix.O_DSYNC, 1 << 7, "O_SYNC"}, {unix.O_NONBLOCK, 1 << 6, "O_NONBLOCK"}, {unix.O_DSYNC, 1 << 4, "O_DSYNC"},
	{unix.O_APPEND, 1 << 3, "O_APPEND"}, {unix.O_CREAT, 1 << 2, "O_CREAT"},
}

func writeOpenFlags(e *Event, _ int8) (string, string) {
	flags, number, list := e.openFlags(), int64(0), []string{}
	for _, f := range openFlags {
		if flags&f.bit != 0 {
			number, list = number|f.number, append(list, f.name)
		}
	}
	switch flags & unix.O_ACCMODE {
	case unix.O_RDONLY:
		number, list = number|1, append(list, "O_RDONLY")
	case unix.O_WRONLY:
		number, list = number|2, append(list, "O_WRONLY")
	case unix.O_RDWR:
		number, list = number|3, append(list, "O_RDWR")
	}
	if flags&unix.O_CLOEXEC != 0 {
		number, list = number|1<<12, append(list, "O_CLOEXEC")
	}
	if e.record.flags&flagCreated != 0 {
		number, list = number|1<<15, append(list, "O_F_CREATED")
	}
	short := strings.Join(list, "|")
	return fmt.Sprintf("%d(%s)", number, short), short
}

var modeBits = []struct {
	bit  int64
	name string
}{
	{01, "S_IXOTH"}, {02, "S_IWOTH"}, {04, "S_IROTH"}, {010, "S_IXGRP"}, {020, "S_IWGRP"}, {040, "S_IRGRP"}, {0100, "S_IXUSR"}, {0200, "S_IWUSR"}, {0400, "S_IRUSR"},
	{01000, "S_ISVTX"}, {02000, "S_ISGID"}, {04000, "S_ISUID"},
}

func writeMode(e *Event, from int8) (string, string) {
	mode, list := e.argument(from)&07777, []string{}
	for _, m := range modeBits {
		if mode&m.bit != 0 {
			list = append(list, m.name)
		}
	}
	if mode == 0 {
		return both("0")
	}
	short := strings.Join(list, "|")
	return fmt.Sprintf("0%o(%s)", mode, short), short
}

var domains = map[int64]string{familyUnix: "AF_LOCAL|AF_UNIX", familyIPv4: "AF_INET", familyIPv6: "AF_INET6", unix.AF_NETLINK: "AF_NETLINK", familyPacket: "AF_PACKET",
	unix.AF_ALG: "AF_ALG", unix.AF_VSOCK: "AF_VSOCK", unix.AF_BLUETOOTH: "AF_BLUETOOTH", unix.AF_KEY: "AF_KEY", unix.AF_XDP: "AF_XDP"}

func writeDomain(e *Event, from int8) (string, string) {
	n := e.argument(from)
	name, known := domains[n]
	if !known {
		return writeNumber(e, from)
	}
	return fmt.Sprintf("%d(%s)", n, name), name
}

var ptraceRequests = map[int64]string{unix.PTRACE_TRACEME: "PTRACE_TRACEME", unix.PTRACE_PEEKTEXT: "PTRACE_PEEKTEXT", unix.PTRACE_PEEKDATA: "PTRACE_PEEKDATA", unix.PTRACE_POKETEXT: "PTRACE_POKETEXT",
	unix.PTRACE_POKEDATA: "PTRACE_POKEDATA", unix.PTRACE_CONT: "PTRACE_CONT", unix.PTRACE_ATTACH: "PTRACE_ATTACH", unix.PTRACE_DETACH: "PTRACE_DETACH", unix.PTRACE_SETREGS: "PTRACE_SETREGS",
	unix.PTRACE_SEIZE: "PTRACE_SEIZE"}

func writePtrace(e *Event, from int8) (string, string) {
	n := e.argument(from)
	name, known := ptraceRequests[n]
	if !known {
		return writeNumber(e, from)
	}
	return fmt.Sprintf("%d(%s)", n, name), name
}

var namespaceBits = []struct {
	bit  int64
	name string
}{
	{unix.CLONE_NEWNS, "CLONE_NEWNS"}, {unix.CLONE_NEWCGROUP, "CLONE_NEWCGROUP"}, {unix.CLONE_NEWUTS, "CLONE_NEWUTS"}, {unix.CLONE_NEWIPC, "CLONE_NEWIPC"},
	{unix.CLONE_NEWUSER, "CLONE_NEWUSER"}, {unix.CLONE_NEWPID, "CLONE_NEWPID"}, {unix.CLONE_NEWNET, "CLONE_NEWNET"},
}

func writeNamespaces(e *Event, from int8) (string, string) {
	flags, list := e.argument(from), []string{}
	for _, n := range namespaceBits {
		if flags&n.bit != 0 {
			list = append(list, n.name)
		}
	}
	short := strings.Join(list, "|")
	return fmt.Sprintf("%d(%s)", flags, short), short
}

func writeUser(e *Event, from int8) (string, string) {
	uid := uint32(e.argument(from))
	name := e.processes.containers.userName(e.process.container, uid)
	if name == "" {
		name = "<NA>"
	}
	return fmt.Sprintf("%d(%s)", int32(uid), name), name
}

func writeTuple(e *Event, _ int8) (string, string) {
	if name := e.fdName(); strings.Contains(name, "->") {
		return both(name)
	}
	return both("NULL")
}

func writeAddress(e *Event, _ int8) (string, string) { return both(e.addressText()) }

// addressText is the socket address that a program passed.
func (e *Event) addressText() string {
	if to := e.endpoint(); to.IsValid() {
		return hostPort(to)
	}
	b := e.record.text[address]
	if len(b) > 2 && uint16(b[0])|uint16(b[1])<<8 == familyUnix {
		if b[2] == 0 {
			return "@" + untilZero(b[3:])
		}
		return untilZero(b[2:])
	}
	return "NULL"
}

// endpoint is the address and port that a program passed, if it is one of IP.
func (e *Event) endpoint() netip.AddrPort {
	b := e.record.text[address]
	if len(b) < 8 {
		return netip.AddrPort{}
	}
	port := uint16(b[2])<<8 | uint16(b[3])
	switch family := uint16(b[0]) | uint16(b[1])<<8; {
	case family == familyIPv4:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), port)
	case family == familyIPv6 && len(b) >= 24:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[8:24])).Unmap(), port)
	}
	return netip.AddrPort{}
}

// hostPort is written without brackets, as Falco does.
func hostPort(a netip.AddrPort) string {
	return a.Addr().String() + ":" + strconv.Itoa(int(a.Port()))
}

// Members of an exec's evt.args.
func writeExe(e *Event, _ int8) (string, string)  { return both(e.process.exe) }
func writeArgs(e *Event, _ int8) (string, string) { return both(strings.Join(e.process.args, ".")) }
func writeTID(e *Event, _ int8) (string, string) {
	return both(fmt.Sprintf("%d(%s)", e.record.tid, e.process.name))
}
func writePID(e *Event, _ int8) (string, string) {
	return both(fmt.Sprintf("%d(%s)", e.record.pid, e.process.name))
}
func writeParent(e *Event, _ int8) (string, string) {
	name := ""
	if above := e.processes.parent(e.process); above != nil {
		name = above.name
	}
	return both(fmt.Sprintf("%d(%s)", e.process.ppid, name))
}
func writeComm(e *Event, _ int8) (string, string) { return both(e.process.name) }
func writeTTY(e *Event, _ int8) (string, string)  { return both(strconv.Itoa(int(e.process.tty))) }
func writeOwner(e *Event, _ int8) (string, string) {
	return both(fmt.Sprintf("%d(%s)", e.process.uid, e.processes.containers.userName(e.process.container, e.process.uid)))
}
func writeExepath(e *Event, _ int8) (string, string) { return both(e.process.exepath) }
func writeExeFlags(e *Event, _ int8) (string, string) {
	list, number := []string{}, 0
	for _, f := range []struct {
		bit    uint32
		number int
		name   string
	}{{flagExeWritable, 1, "EXE_WRITABLE"}, {flagUpperLayer, 2, "EXE_UPPER_LAYER"}, {flagFromMemory, 4, "EXE_FROM_MEMFD"}, {flagLowerLayer, 8, "EXE_LOWER_LAYER"}} {
		if e.process.flags&f.bit != 0 {
			number, list = number|f.number, append(list, f.name)
		}
	}
	short := strings.Join(list, "|")
	if short == "" {
		return both("0")
	}
	return fmt.Sprintf("%d(%s)", number, short), short
}

// path is one of the texts as a whole path, as Falco puts it together: by its words alone, symbolic links stay.
func (e *Event) path(which int) string {
	raw := untilZero(e.record.text[which])
	if raw == "" || strings.HasPrefix(raw, "/") {
		return cleaned(raw)
	}
	base := e.record.text[which+1]
	if len(base) == 0 && e.record.kind == kindSyscall {
		return cleaned("/" + raw) // the root itself is the directory
	}
	return cleaned(pathOf(base) + "/" + raw)
}

func cleaned(p string) string {
	if p == "" {
		return ""
	}
	return path.Clean(p)
}
