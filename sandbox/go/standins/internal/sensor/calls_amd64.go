// System calls that newer architectures do without.

package sensor

import "golang.org/x/sys/unix"

var oldCalls = []*call{
	file(unix.SYS_OPEN, "open", newFD, named("name", writeFirst, 0), named("flags", writeOpenFlags, 1), named("mode", writeOctal, 2)).path(0).descriptor(result),
	file(unix.SYS_CREAT, "creat", newFD, named("name", writeFirst, 0), named("mode", writeOctal, 1)).path(0).descriptor(result),
	file(unix.SYS_UNLINK, "unlink", res, named("path", writeFirst, 0)).path(0),
	file(unix.SYS_RMDIR, "rmdir", res, named("path", writeFirst, 0)).path(0),
	file(unix.SYS_RENAME, "rename", res, named("oldpath", writeFirst, 0), named("newpath", writeSecond, 0)).path(0).path(1),
	file(unix.SYS_RENAMEAT, "renameat", res, named("olddirfd", writeDir, 0), named("oldpath", writeFirst, 0), named("newdirfd", writeDir, 2), named("newpath", writeSecond, 0)).pathIn(0, 1).pathIn(2, 3),
	file(unix.SYS_LINK, "link", res, named("oldpath", writeFirst, 0), named("newpath", writeSecond, 0)).path(0).path(1),
	file(unix.SYS_SYMLINK, "symlink", res, named("target", writeRaw, 0), named("linkpath", writeSecond, 0)).path(0).path(1),
	file(unix.SYS_MKDIR, "mkdir", res, named("path", writeFirst, 0), named("mode", writeHex, 1)).path(0),
	file(unix.SYS_CHMOD, "chmod", res, named("filename", writeFirst, 0), named("mode", writeMode, 1)).path(0),
	file(unix.SYS_CHOWN, "chown", res, named("path", writeFirst, 0), named("uid", writeNumber, 1), named("gid", writeNumber, 2)).path(0),
	file(unix.SYS_LCHOWN, "lchown", res, named("path", writeFirst, 0), named("uid", writeNumber, 1), named("gid", writeNumber, 2)).path(0),
	file(unix.SYS_DUP2, "dup2", named("res", writeFD, result), named("oldfd", writeNumber, 0), named("newfd", writeNumber, 1)).descriptor(result),
}
