package sensor

import (
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const group = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// raw is a record as the kernel writes it.
func raw(kind, nr uint32, result int64, args [6]uint64, sizes map[int]string) []byte {
	b := make([]byte, headBytes)
	le := binary.LittleEndian
	le.PutUint64(b[8:], uint64(result))
	for i, a := range args {
		le.PutUint64(b[16+8*i:], a)
	}
	for i, n := range []uint32{kind, nr, 10, 10, 1, 1, 9, 7, 7, ^uint32(0), 34816, 0} {
		le.PutUint32(b[64+4*i:], n)
	}
	copy(b[112:], "cat")
	copy(b[128:], group)
	for _, i := range []int{textFirst, baseFirst, textSecond, baseSecond, address, filePath} {
		le.PutUint16(b[252+2*i:], uint16(len(sizes[i])))
		b = append(b, sizes[i]...)
	}
	return b
}

// node is the /proc of a node with one container, and the sensor's table for it.
func node(t *testing.T) *Sensor {
	t.Helper()
	proc := t.TempDir()
	bundle := filepath.Join(proc, "1/root", bundles, group)
	for file, text := range map[string]string{
		filepath.Join(bundle, "config.json"): `{"linux":{"maskedPaths":["/proc/kcore"]},"annotations":{"io.kubernetes.cri.container-name":"main","io.kubernetes.cri.image-name":"host:5000/r/i:1@sha256:0",` +
			`"io.kubernetes.cri.sandbox-name":"p","io.kubernetes.cri.sandbox-namespace":"prod","io.kubernetes.cri.sandbox-uid":"u"}}`,
		filepath.Join(bundle, "rootfs/etc/passwd"): "root:x:0:0::/:\napp:x:7:7::/:\n",
		filepath.Join(proc, "9/status"):            "Name:\tcontainerd-shim\nPPid:\t1\nUid:\t0\t0\nGid:\t0\t0\n",
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &Sensor{processes: newProcesses(proc)}
	s.processes.seed()
	return s
}

// Type is the event type, evt.type.
func (e *Event) Type() string { return e.call.name }

// Field is a field's value, and whether it has one.
func (e *Event) Field(name string) (any, bool) {
	get := fieldOf(name)
	if get == nil {
		return nil, false
	}
	value := get(e)
	return value, value != nil
}

func (s *Sensor) told(t *testing.T, b []byte) *Event {
	t.Helper()
	r, err := decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return s.event(r)
}

func expect(t *testing.T, e *Event, want map[string]any) {
	t.Helper()
	for name, value := range want {
		if have, there := e.Field(name); have != value || there != (value != nil) {
			t.Errorf("%s is %v (%T), want %v (%T)", name, have, have, value, value)
		}
	}
}

func start(s *Sensor, t *testing.T) *Event {
	t.Helper()
	return s.told(t, raw(kindExec, unix.SYS_EXECVE, 0, [6]uint64{}, map[int]string{textFirst: "cat\x00/etc/shadow\x00", baseFirst: "work\x00home\x00", filePath: "busybox\x00bin\x00"}))
}

func TestAStartedProgramHasItsNamesItsContainerAndItsParent(t *testing.T) {
	s := node(t)
	expect(t, start(s, t), map[string]any{
		"evt.type": "execve", "evt.failed": false, "evt.res": "SUCCESS", "proc.name": "cat", "proc.exe": "cat", "proc.exepath": "/bin/busybox", "proc.args": "/etc/shadow",
		"proc.cmdline": "cat /etc/shadow", "proc.cwd": "/home/work/", "proc.tty": int64(34816), "proc.pname": "containerd-shim", "proc.aname[1]": "containerd-shim", "proc.aname[3]": nil,
		"container.id": group[:12], "container.name": "main", "container.image.repository": "host:5000/r/i", "container.image.tag": "1", "container.privileged": false,
		"k8s.ns.name": "prod", "k8s.pod.name": "p", "user.name": "app", "user.uid": int64(7), "user.loginuid": int64(-1), "fd.name": nil, "fs.path.name": nil,
	})
}

// of makes a record that of another process.
func of(pid, ppid uint32, b []byte) []byte {
	for _, at := range []int{2, 3, 4, 5} {
		binary.LittleEndian.PutUint32(b[64+4*at:], pid)
	}
	binary.LittleEndian.PutUint32(b[64+4*6:], ppid)
	return b
}

func TestThePartOfAParentThatJustEndedIsTakenByItsOwnParent(t *testing.T) {
	s := node(t)
	none := func(kind uint32) []byte { return raw(kind, 0, 0, [6]uint64{}, nil) }
	s.told(t, of(20, 9, none(kindFork)))
	s.told(t, of(21, 20, none(kindFork)))
	s.told(t, of(20, 9, none(kindExit)))
	opened := raw(kindSyscall, unix.SYS_OPENAT, 3, [6]uint64{}, map[int]string{textFirst: "/etc/shadow\x00"})
	expect(t, s.told(t, of(21, 20, opened)), map[string]any{"proc.pname": "containerd-shim", "proc.aname[1]": "containerd-shim", "proc.aname[2]": nil})
	expect(t, s.told(t, of(22, 20+mostEnded, opened)), map[string]any{"proc.pname": nil})
}

func TestOpeningsTellPathFlagsAndMode(t *testing.T) {
	s := node(t)
	start(s, t)
	at := int32(unix.AT_FDCWD)
	args := [6]uint64{uint64(uint32(at)), 0, unix.O_WRONLY | unix.O_CREAT | unix.O_TRUNC | unix.O_CLOEXEC, 0o755}
	expect(t, s.told(t, raw(kindSyscall, unix.SYS_OPENAT, 3, args, map[int]string{textFirst: "../x\x00", baseFirst: "work\x00home\x00"})), map[string]any{
		"fd.name": "/home/x", "fd.nameraw": "../x", "fd.directory": "/home", "fd.filename": "x", "fd.num": int64(3), "fd.typechar": "f", "evt.is_open_write": true, "evt.is_open_read": false,
		"evt.is_open_exec": true, "evt.arg.flags": "O_TRUNC|O_CREAT|O_WRONLY|O_CLOEXEC", "evt.arg.mode": "0755", "fs.path.name": "/home/x", "proc.cmdline": "cat /etc/shadow",
		"evt.args": "fd=3(<f>/home/x) dirfd=-100(AT_FDCWD) name=../x(/home/x) flags=4358(O_TRUNC|O_CREAT|O_WRONLY|O_CLOEXEC) mode=0755",
	})
	how := [6]uint64{uint64(uint32(at)), 0, 0, 24, unix.O_RDWR | unix.O_CREAT, 0o700}
	expect(t, s.told(t, raw(kindSyscall, unix.SYS_OPENAT2, 3, how, map[int]string{textFirst: "/x\x00"})), map[string]any{
		"fd.name": "/x", "evt.is_open_write": true, "evt.is_open_exec": true, "evt.arg.flags": "O_CREAT|O_RDWR", "evt.arg.mode": "0700",
	})
	failed := s.told(t, raw(kindSyscall, unix.SYS_OPENAT, -int64(unix.ENOENT), [6]uint64{uint64(uint32(at))}, map[int]string{textFirst: "/no\x00"}))
	expect(t, failed, map[string]any{"fd.name": "/no", "fd.num": int64(-1), "evt.res": "ENOENT", "evt.failed": true, "fd.typechar": "f", "fd.filename": nil,
		"evt.args": "fd=-2(ENOENT) dirfd=-100(AT_FDCWD) name=/no flags=1(O_RDONLY) mode=0"})
}

func TestPathsOfWhatIsMovedAndLinked(t *testing.T) {
	s := node(t)
	two := map[int]string{textFirst: "/a\x00", textSecond: "b\x00", baseSecond: "etc\x00"}
	expect(t, s.told(t, raw(kindSyscall, unix.SYS_RENAME, 0, [6]uint64{}, two)), map[string]any{"fs.path.source": "/a", "fs.path.target": "/etc/b", "fs.path.targetraw": "b", "fs.path.name": nil})
	expect(t, s.told(t, raw(kindSyscall, unix.SYS_LINK, 0, [6]uint64{}, two)), map[string]any{"fs.path.source": "/etc/b", "fs.path.target": "/a", "evt.arg.oldpath": "/a"})
	expect(t, s.told(t, raw(kindSyscall, unix.SYS_RENAME, -1, [6]uint64{}, two)), map[string]any{"fs.path.source": nil, "evt.res": "EPERM"})
	expect(t, s.told(t, raw(kindSyscall, unix.SYS_UNLINK, 0, [6]uint64{}, map[int]string{textFirst: "x\x00"})), map[string]any{"fs.path.name": "/x"})
}

// connecting is a record of connect from 10.0.0.1:40000 to 10.0.0.2:443.
func connecting(result int64) []byte {
	b := raw(kindSyscall, unix.SYS_CONNECT, result, [6]uint64{5}, map[int]string{address: "\x02\x00\x01\xbb\x0a\x00\x00\x02"})
	le := binary.LittleEndian
	le.PutUint32(b[64+4*11:], flagSocket)
	for i, n := range []uint16{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_TCP, 40000, 0} {
		le.PutUint16(b[208+2*i:], n)
	}
	copy(b[220:], netip.MustParseAddr("10.0.0.1").AsSlice())
	return b
}

func TestAConnectionHasItsEndsOnceItIsUnderWay(t *testing.T) {
	s := node(t)
	for _, good := range []int64{0, -int64(unix.EINPROGRESS)} {
		expect(t, s.told(t, connecting(good)), map[string]any{"fd.name": "10.0.0.1:40000->10.0.0.2:443", "fd.sip": "10.0.0.2", "fd.sport": int64(443), "fd.cip": "10.0.0.1", "fd.cport": int64(40000),
			"fd.l4proto": "tcp", "fd.sockfamily": "ip", "fd.type": "ipv4", "fd.typechar": "4", "fd.is_server": false, "evt.arg.addr": "10.0.0.2:443", "fd.connected": true})
	}
	expect(t, s.told(t, connecting(-int64(unix.ECONNREFUSED))), map[string]any{"fd.name": "", "fd.sip": nil, "fd.sport": nil, "fd.sockfamily": "ip", "evt.res": "ECONNREFUSED"})
}

func TestSocketsAndDescriptorsThatBecomeThem(t *testing.T) {
	s := node(t)
	expect(t, s.told(t, raw(kindSyscall, unix.SYS_SOCKET, 3, [6]uint64{unix.AF_PACKET, unix.SOCK_RAW}, nil)), map[string]any{"evt.arg.domain": "AF_PACKET", "fd.num": int64(3)})
	b := connecting(0)
	binary.LittleEndian.PutUint32(b[68:], unix.SYS_DUP2)
	binary.LittleEndian.PutUint16(b[208+2*4:], 443)
	copy(b[236:], netip.MustParseAddr("10.0.0.2").AsSlice())
	expect(t, s.told(t, b), map[string]any{"evt.type": "dup2", "evt.rawres": int64(0), "fd.type": "ipv4", "fd.name": "10.0.0.1:40000->10.0.0.2:443"})
}

func TestAChildIsItsParentUntilItStartsAProgramAndThenIsForgotten(t *testing.T) {
	s := node(t)
	start(s, t)
	fork := raw(kindFork, 0, 0, [6]uint64{}, nil)
	binary.LittleEndian.PutUint32(fork[72:], 11)
	binary.LittleEndian.PutUint32(fork[88:], 10)
	if s.told(t, fork) != nil {
		t.Error("a fork is no event")
	}
	child := s.processes.byPID[11]
	if child == nil || cmdline(child) != "cat /etc/shadow" || s.processes.parent(child).pid != 10 {
		t.Fatalf("%+v", child)
	}
	if exit := s.told(t, raw(kindExit, 0, 0, [6]uint64{}, nil)); exit.Type() != "procexit" || s.processes.byPID[10] != nil {
		t.Error("who has ended is no longer in the table")
	}
}

func TestAnExecThatSucceededIsToldOnce(t *testing.T) {
	s := node(t)
	if s.told(t, raw(kindSyscall, unix.SYS_EXECVE, 0, [6]uint64{}, nil)) != nil {
		t.Error("the system call's end tells nothing that the start of the program does not")
	}
	expect(t, s.told(t, raw(kindSyscall, unix.SYS_EXECVE, -int64(unix.EACCES), [6]uint64{}, map[int]string{textFirst: "/x\x00"})), map[string]any{"evt.failed": true, "evt.res": "EACCES", "evt.arg.filename": "/x"})
}

func TestAProgramFromMemory(t *testing.T) {
	s := node(t)
	e := s.told(t, raw(kindExec, unix.SYS_EXECVEAT, 0, [6]uint64{}, map[int]string{textFirst: "x\x00", filePath: "memfd:x\x00"}))
	expect(t, e, map[string]any{"evt.type": "execveat", "proc.exepath": "memfd:x", "proc.is_exe_from_memfd": true, "proc.is_exe_upper_layer": false, "evt.arg.flags": "EXE_FROM_MEMFD"})
}

func TestARecordThatIsCutIsRefused(t *testing.T) {
	whole := raw(kindSyscall, unix.SYS_UNLINK, 0, [6]uint64{}, map[int]string{textFirst: "/x\x00"})
	for _, b := range [][]byte{whole[:headBytes-1], whole[:len(whole)-1]} {
		if _, err := decode(b); err == nil || !strings.Contains(err.Error(), "a record of the kernel") {
			t.Errorf("%d bytes: %v", len(b), err)
		}
	}
}

func TestOpenSaysWhatIsMissing(t *testing.T) {
	if _, err := Open("/no/such.o", t.TempDir()); err == nil || !strings.Contains(err.Error(), "/no/such.o") && !strings.Contains(err.Error(), BTF) {
		t.Error(err)
	}
}
