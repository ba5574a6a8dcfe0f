// System calls: by which numbers the kernel knows them, and what their arguments are, with Falco's names for both.

package sensor

import "golang.org/x/sys/unix"

const (
	nothing int8 = -1
	result  int8 = 6 // stands for what the call returned, as in sensor.bpf.c
)

// call is one system call as far as the sensor tells of it.
type call struct {
	number         int
	name, category string
	texts, dirs    [2]int8 // numbers of arguments that are paths or other texts, and of the directories they start in
	fd, address    int8
	how            int8 // a struct open_how, whose flags and mode come as arguments 4 and 5
	params         []param
}

// param is one member of evt.args: its name, how it is written, and the number of the system call's argument.
type param struct {
	name  string
	write func(*Event, int8) (long, short string)
	from  int8
}

// wanted is the call's entry in the kernel's map, see struct wanted in sensor.bpf.c.
func (c *call) wanted() [8]byte {
	return [8]byte{1, byte(c.texts[0]), byte(c.texts[1]), byte(c.dirs[0]), byte(c.dirs[1]), byte(c.fd), byte(c.address), byte(c.how)}
}

// One letter helpers would hide what an entry says; these are read as sentences: file(257, "openat").path(1).in(0).
func newCall(number int, name, category string, params ...param) *call {
	return &call{number: number, name: name, category: category, texts: [2]int8{nothing, nothing}, dirs: [2]int8{nothing, nothing},
		fd: nothing, address: nothing, how: nothing, params: params}
}

func file(number int, name string, params ...param) *call {
	return newCall(number, name, "file", params...)
}
func network(number int, name string, params ...param) *call {
	return newCall(number, name, "net", params...)
}

// path says that an argument is a path, relative to the current directory.
func (c *call) path(number int8) *call { return c.pathIn(nothing, number) }

// pathIn says that an argument is a path, relative to the directory whose descriptor is another argument.
func (c *call) pathIn(dir, number int8) *call {
	i := 0
	if c.texts[0] != nothing {
		i = 1
	}
	c.texts[i], c.dirs[i] = number, dir
	return c
}
func (c *call) descriptor(number int8) *call { c.fd = number; return c }
func (c *call) endpoint(number int8) *call   { c.address = number; return c }
func (c *call) openHow(number int8) *call    { c.how = number; return c }

var (
	res   = param{"res", writeResult, result}
	newFD = param{"fd", writeFD, result}
	oldFD = param{"fd", writeFD, 0}
	dirFD = param{"dirfd", writeDir, 0}
)

func named(name string, write func(*Event, int8) (string, string), from int8) param {
	return param{name, write, from}
}

var calls = append([]*call{
	file(unix.SYS_OPENAT, "openat", newFD, dirFD, named("name", writeFirst, 0), named("flags", writeOpenFlags, 2), named("mode", writeOctal, 3)).pathIn(0, 1).descriptor(result),
	file(unix.SYS_OPENAT2, "openat2", newFD, dirFD, named("name", writeFirst, 0), named("flags", writeOpenFlags, 4), named("mode", writeOctal, 5)).pathIn(0, 1).descriptor(result).openHow(2),
	network(unix.SYS_CONNECT, "connect", res, named("tuple", writeTuple, 0), oldFD, named("addr", writeAddress, 0)).descriptor(0).endpoint(1),
	network(unix.SYS_ACCEPT4, "accept4", newFD, named("tuple", writeTuple, 0), named("flags", writeNumber, 3)).descriptor(result),
	network(unix.SYS_ACCEPT, "accept", newFD, named("tuple", writeTuple, 0)).descriptor(result),
	network(unix.SYS_BIND, "bind", res, named("addr", writeAddress, 0), oldFD).descriptor(0).endpoint(1),
	network(unix.SYS_LISTEN, "listen", res, oldFD, named("backlog", writeNumber, 1)).descriptor(0),
	network(unix.SYS_SOCKET, "socket", newFD, named("domain", writeDomain, 0), named("type", writeNumber, 1), named("proto", writeNumber, 2)).descriptor(result),
	network(unix.SYS_SENDTO, "sendto", res, oldFD, named("size", writeNumber, 2), named("tuple", writeTuple, 0)).descriptor(0).endpoint(4),
	file(unix.SYS_UNLINKAT, "unlinkat", res, dirFD, named("name", writeFirst, 0), named("flags", writeNumber, 2)).pathIn(0, 1),
	file(unix.SYS_RENAMEAT2, "renameat2", res, named("olddirfd", writeDir, 0), named("oldpath", writeFirst, 0), named("newdirfd", writeDir, 2), named("newpath", writeSecond, 0), named("flags", writeNumber, 4)).pathIn(0, 1).pathIn(2, 3),
	file(unix.SYS_LINKAT, "linkat", res, named("olddir", writeDir, 0), named("oldpath", writeFirst, 0), named("newdir", writeDir, 2), named("newpath", writeSecond, 0), named("flags", writeNumber, 4)).pathIn(0, 1).pathIn(2, 3),
	file(unix.SYS_SYMLINKAT, "symlinkat", res, named("target", writeRaw, 0), named("linkdirfd", writeDir, 1), named("linkpath", writeSecond, 0)).path(0).pathIn(1, 2),
	file(unix.SYS_MKDIRAT, "mkdirat", res, dirFD, named("path", writeFirst, 0), named("mode", writeHex, 2)).pathIn(0, 1),
	file(unix.SYS_FCHMODAT, "fchmodat", res, dirFD, named("filename", writeFirst, 0), named("mode", writeMode, 2)).pathIn(0, 1),
	file(unix.SYS_FCHMOD, "fchmod", res, oldFD, named("mode", writeMode, 1)).descriptor(0),
	file(unix.SYS_FCHOWNAT, "fchownat", res, dirFD, named("pathname", writeFirst, 0), named("uid", writeNumber, 2), named("gid", writeNumber, 3)).pathIn(0, 1),
	file(unix.SYS_CHDIR, "chdir", res, named("path", writeFirst, 0)).path(0),
	file(unix.SYS_FCHDIR, "fchdir", res, oldFD).descriptor(0),
	file(unix.SYS_DUP, "dup", named("res", writeFD, result), named("oldfd", writeNumber, 0)).descriptor(result),
	file(unix.SYS_DUP3, "dup3", named("res", writeFD, result), named("oldfd", writeNumber, 0), named("newfd", writeNumber, 1)).descriptor(result),
	file(unix.SYS_MOUNT, "mount", res, named("dev", writeRaw, 0), named("dir", writeSecond, 0), named("flags", writeHex, 3)).path(0).path(1),
	file(unix.SYS_UMOUNT2, "umount2", res, named("name", writeFirst, 0), named("flags", writeNumber, 1)).path(0),
	newCall(unix.SYS_MEMFD_CREATE, "memfd_create", "memory", named("fd", writeNumber, result), named("name", writeRaw, 0), named("flags", writeNumber, 1)).path(0),
	newCall(unix.SYS_PTRACE, "ptrace", "other", res, named("request", writePtrace, 0), named("pid", writeNumber, 1)),
	newCall(unix.SYS_SETUID, "setuid", "user", res, named("uid", writeUser, 0)),
	newCall(unix.SYS_SETGID, "setgid", "user", res, named("gid", writeNumber, 0)),
	newCall(unix.SYS_SETRESUID, "setresuid", "user", res, named("ruid", writeUser, 0), named("euid", writeUser, 1), named("suid", writeUser, 2)),
	newCall(unix.SYS_SETSID, "setsid", "process", res),
	newCall(unix.SYS_SETNS, "setns", "process", res, named("fd", writeNumber, 0), named("nstype", writeNamespaces, 1)),
	newCall(unix.SYS_UNSHARE, "unshare", "process", res, named("flags", writeNamespaces, 0)),
	newCall(unix.SYS_KILL, "kill", "signal", res, named("pid", writeNumber, 0), named("sig", writeNumber, 1)),
	newCall(unix.SYS_BPF, "bpf", "other", named("fd", writeNumber, result), named("cmd", writeNumber, 0)),
	newCall(unix.SYS_FINIT_MODULE, "finit_module", "other", res, oldFD).descriptor(0),
	newCall(unix.SYS_INIT_MODULE, "init_module", "other", res),
	newCall(unix.SYS_USERFAULTFD, "userfaultfd", "file", res, named("flags", writeNumber, 0)),
	newCall(unix.SYS_EXECVE, "execve", "process", res, named("filename", writeFirst, 0)).path(0),
	newCall(unix.SYS_EXECVEAT, "execveat", "process", res, named("dirfd", writeDir, 0), named("pathname", writeFirst, 0)).pathIn(0, 1),
}, oldCalls...)

// The event types of records that are no system calls.
var (
	execParams = []param{res, named("exe", writeExe, 0), named("args", writeArgs, 0), named("tid", writeTID, 0), named("pid", writePID, 0), named("ptid", writeParent, 0),
		named("comm", writeComm, 0), named("tty", writeTTY, 0), named("flags", writeExeFlags, 0), named("uid", writeOwner, 0), named("filename", writeExepath, 0)}
	exited = newCall(-1, "procexit", "process")
	byName = map[string]*call{}
	byCall = map[int]*call{}
)

func init() {
	for _, c := range calls {
		byName[c.name], byCall[c.number] = c, c
	}
}

// callOf tells what event type a record is; nil for a fork, which changes the table of processes and is no event here.
func callOf(r *record) *call {
	switch r.kind {
	case kindSyscall:
		return byCall[int(r.nr)]
	case kindExec:
		if r.nr == unix.SYS_EXECVEAT {
			return byName["execveat"]
		}
		return byName["execve"]
	case kindExit:
		return exited
	}
	return nil
}
