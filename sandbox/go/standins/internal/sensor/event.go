// Events: what the fields of Falco's rules hold for one record. A field that is absent has no value here.

package sensor

import (
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Event is one system call, exec or exit, with the process that did it.
type Event struct {
	TimeNS    int64
	record    *record
	call      *call
	process   *Process
	processes *processes
}

// fieldOf finds what reads a field by its name in rules, an index or an argument's name included; nil if it is not known.
func fieldOf(name string) field {
	if get := fields[name]; get != nil {
		return get
	}
	if base, index, indexed := strings.Cut(name, "["); indexed {
		if get := indexedFields[base]; get != nil {
			return func(e *Event) any { return get(e, strings.TrimSuffix(index, "]")) }
		}
	}
	if argument, found := strings.CutPrefix(name, "evt.arg."); found {
		return func(e *Event) any { return e.named(argument) }
	}
	return nil
}

func (e *Event) params() []param {
	if e.record.kind == kindExec {
		return execParams
	}
	return e.call.params
}

func (e *Event) named(name string) any {
	for _, p := range e.params() {
		if p.name == name {
			_, short := p.write(e, p.from)
			return short
		}
	}
	return nil
}

func (e *Event) args() any {
	list := []string{}
	for _, p := range e.params() {
		long, _ := p.write(e, p.from)
		list = append(list, p.name+"="+long)
	}
	return strings.Join(list, " ")
}

func (e *Event) failed() bool { return e.record.kind == kindSyscall && e.record.result < 0 }

func (e *Event) res() any {
	if e.failed() {
		return errno(e.record.result)
	}
	return "SUCCESS"
}

func (e *Event) is(names ...string) bool {
	for _, n := range names {
		if e.call.name == n {
			return true
		}
	}
	return false
}

func (e *Event) isOpen() bool { return e.is("open", "openat", "openat2", "creat") }

// openFlags are the flags as the program passed them.
func (e *Event) openFlags() int64 {
	switch e.call.name {
	case "open":
		return e.argument(1)
	case "openat":
		return e.argument(2)
	case "openat2":
		return e.argument(4)
	case "creat":
		return unix.O_CREAT | unix.O_WRONLY | unix.O_TRUNC
	}
	return 0
}

func (e *Event) opens(modes ...int64) bool {
	for _, m := range modes {
		if e.isOpen() && e.openFlags()&unix.O_ACCMODE == m {
			return true
		}
	}
	return false
}

// opensExecutable: a file is made that may be executed.
func (e *Event) opensExecutable() bool {
	mode := int64(0)
	switch {
	case e.is("openat"):
		mode = e.argument(3)
	case e.is("openat2"):
		mode = e.argument(5)
	case e.is("open"):
		mode = e.argument(2)
	case e.is("creat"):
		mode = e.argument(1)
	}
	return e.openFlags()&unix.O_CREAT != 0 && mode&0111 != 0
}

// Paths that a call is about: one, or a source and a target. Of a call that failed Falco gives none, openings apart.
func (e *Event) fsPath(raw bool) any {
	if e.failed() && !e.isOpen() || e.is("chdir") || e.isPair() || e.is("execve", "execveat", "memfd_create") || e.record.kind != kindSyscall {
		return nil
	}
	if e.is("fchmod") {
		return optional(e.fdName())
	}
	return e.text(textFirst, raw)
}

func (e *Event) isPair() bool {
	return e.is("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "mount")
}

func (e *Event) pair(which int, raw bool) any {
	if !e.isPair() || e.failed() {
		return nil
	}
	// Falco calls the file that was there the source, the new name the target; of links it is the other way round.
	if e.is("link", "linkat", "symlink", "symlinkat") {
		which = textFirst + textSecond - which
	}
	return e.text(which, raw)
}

func (e *Event) text(which int, raw bool) any {
	if e.call.texts[which/2] == nothing {
		return nil
	}
	if raw {
		return optional(untilZero(e.record.text[which]))
	}
	return optional(e.path(which))
}

func optional(s string) any {
	if s == "" {
		return nil
	}
	return s
}

type field func(*Event) any

// fields hold text, numbers (int64) and booleans; nil is no value.
var fields map[string]field

func init() {
	fields = map[string]field{
		"evt.type": func(e *Event) any { return e.call.name }, "syscall.type": func(e *Event) any { return e.call.name }, "evt.category": func(e *Event) any { return e.call.category },
		"evt.args": (*Event).args, "evt.info": (*Event).args, "evt.res": (*Event).res,
		"evt.rawres": func(e *Event) any { return e.record.result }, "evt.failed": func(e *Event) any { return e.failed() },
		"evt.is_open_read":   func(e *Event) any { return e.opens(unix.O_RDONLY, unix.O_RDWR) },
		"evt.is_open_write":  func(e *Event) any { return e.opens(unix.O_WRONLY, unix.O_RDWR) },
		"evt.is_open_exec":   func(e *Event) any { return e.opensExecutable() },
		"evt.is_open_create": func(e *Event) any { return e.record.flags&flagCreated != 0 && e.record.kind == kindSyscall },

		"fs.path.name": func(e *Event) any { return e.fsPath(false) }, "fs.path.nameraw": func(e *Event) any { return e.fsPath(true) },
		"fs.path.source": func(e *Event) any { return e.pair(textFirst, false) }, "fs.path.sourceraw": func(e *Event) any { return e.pair(textFirst, true) },
		"fs.path.target": func(e *Event) any { return e.pair(textSecond, false) }, "fs.path.targetraw": func(e *Event) any { return e.pair(textSecond, true) },

		"thread.tid": func(e *Event) any { return int64(e.record.tid) }, "thread.vtid": func(e *Event) any { return int64(e.record.vtid) },
		"thread.ismain": func(e *Event) any { return e.record.tid == e.record.pid },
		"user.uid":      func(e *Event) any { return int64(e.process.uid) }, "group.gid": func(e *Event) any { return int64(e.process.gid) },
		"user.name": func(e *Event) any {
			return optional(e.processes.containers.userName(e.process.container, e.process.uid))
		},
		"group.name": func(e *Event) any {
			return optional(e.processes.containers.groupName(e.process.container, e.process.gid))
		},
		"user.loginuid":  func(e *Event) any { return int64(int32(e.process.loginUID)) },
		"user.loginname": func(e *Event) any { return e.loginName() },
	}
	for name, get := range processFields {
		fields[name] = func(e *Event) any { return get(e.process) }
	}
	for name, get := range parentFields {
		fields[name] = func(e *Event) any {
			if above := e.processes.parent(e.process); above != nil {
				return get(above)
			}
			return nil
		}
	}
	for name, get := range containerFields {
		fields[name] = func(e *Event) any { return get(e.process.container) }
	}
	for name, get := range fdFields {
		fields[name] = get
	}
}

func (e *Event) loginName() any {
	if e.process.loginUID == ^uint32(0) {
		return "<NA>"
	}
	return optional(e.processes.containers.userName(nil, e.process.loginUID))
}

func cmdline(p *Process) any { return strings.Join(append([]string{p.name}, p.args...), " ") }

func has(flag uint32) func(*Process) any {
	return func(p *Process) any { return p.flags&flag != 0 }
}

func cwd(p *Process) any {
	if p.cwd == "" || strings.HasSuffix(p.cwd, "/") {
		return optional(p.cwd)
	}
	return p.cwd + "/"
}

func never(*Process) any { return false }

var processFields = map[string]func(*Process) any{
	"proc.name": func(p *Process) any { return p.name }, "proc.exe": func(p *Process) any { return optional(p.exe) }, "proc.exepath": func(p *Process) any { return optional(p.exepath) },
	"proc.args": func(p *Process) any { return strings.Join(p.args, " ") }, "proc.cmdline": cmdline, "proc.cwd": cwd,
	"proc.exeline": func(p *Process) any { return strings.Join(append([]string{p.exe}, p.args...), " ") },
	"proc.nargs":   func(p *Process) any { return int64(len(p.args)) }, "proc.cmdnargs": func(p *Process) any { return int64(len(p.args)) },
	"proc.cmdlenargs": func(p *Process) any { return int64(len(strings.Join(p.args, ""))) },
	"proc.pid":        func(p *Process) any { return int64(p.pid) }, "proc.vpid": func(p *Process) any { return int64(p.vpid) }, "proc.ppid": func(p *Process) any { return int64(p.ppid) },
	"proc.tty": func(p *Process) any { return int64(p.tty) }, "proc.is_exe_writable": has(flagExeWritable), "proc.is_exe_upper_layer": has(flagUpperLayer),
	"proc.is_exe_lower_layer": has(flagLowerLayer), "proc.is_exe_from_memfd": has(flagFromMemory),
	"proc.is_container_healthcheck": never, "proc.is_container_liveness_probe": never, "proc.is_container_readiness_probe": never,
}

var parentFields = map[string]func(*Process) any{
	"proc.pname": func(p *Process) any { return p.name }, "proc.pexe": func(p *Process) any { return optional(p.exe) }, "proc.pexepath": func(p *Process) any { return optional(p.exepath) },
	"proc.pcmdline": cmdline, "proc.pvpid": func(p *Process) any { return int64(p.vpid) },
}

func inContainer(get func(*Container) string) func(*Container) any {
	return func(c *Container) any {
		if c == nil {
			return nil
		}
		return optional(get(c))
	}
}

var containerFields = map[string]func(*Container) any{
	"container.id": func(c *Container) any {
		if c == nil {
			return "host"
		}
		return c.id[:12]
	},
	"container.full_id": inContainer(func(c *Container) string { return c.id }),
	"container.name": func(c *Container) any {
		if c == nil {
			return "host"
		}
		return optional(c.name)
	},
	"container.type": func(c *Container) any {
		if c == nil {
			return "host"
		}
		return "containerd"
	},
	"container.privileged": func(c *Container) any {
		if c == nil || !c.complete {
			return nil
		}
		return c.privileged
	},
	"container.image": inContainer(func(c *Container) string {
		if c.tag == "" {
			return c.image
		}
		return c.image + ":" + c.tag
	}),
	"container.image.repository": inContainer(func(c *Container) string { return c.image }), "container.image.tag": inContainer(func(c *Container) string { return c.tag }),
	"k8s.ns.name": inContainer(func(c *Container) string { return c.namespace }), "k8s.pod.name": inContainer(func(c *Container) string { return c.pod }),
	"k8s.pod.uid": inContainer(func(c *Container) string { return c.podUID }), "k8s.pod.id": inContainer(func(c *Container) string { return c.podUID }),
	"k8s.pod.full_sandbox_id": inContainer(func(c *Container) string { return c.sandboxID }),
}

// indexedFields take an argument in brackets.
var indexedFields = map[string]func(*Event, string) any{
	"proc.aname": ancestorField(func(p *Process) any { return p.name }), "proc.aexe": ancestorField(func(p *Process) any { return optional(p.exe) }),
	"proc.aexepath": ancestorField(func(p *Process) any { return optional(p.exepath) }), "proc.acmdline": ancestorField(cmdline),
	"proc.apid": ancestorField(func(p *Process) any { return int64(p.pid) }),
	"proc.args": func(e *Event, index string) any {
		if n, err := strconv.Atoi(index); err == nil && n < len(e.process.args) {
			return e.process.args[n]
		}
		return nil
	},
	"evt.arg": func(e *Event, index string) any {
		n, err := strconv.Atoi(index)
		if err != nil {
			return e.named(index)
		}
		if params := e.params(); n < len(params) {
			_, short := params[n].write(e, params[n].from)
			return short
		}
		return nil
	},
}

const mostAncestors = 64

func ancestorField(get func(*Process) any) func(*Event, string) any {
	return func(e *Event, index string) any {
		if index == "*" {
			return e.ofAncestors(get)
		}
		n, err := strconv.Atoi(index)
		if err != nil {
			return nil
		}
		if p := e.processes.ancestor(e.process, n); p != nil {
			return get(p)
		}
		return nil
	}
}

// ofAncestors is what all processes above have, nearest first.
func (e *Event) ofAncestors(get func(*Process) any) any {
	list := []any{}
	for p := e.processes.parent(e.process); p != nil && len(list) < mostAncestors; p = e.processes.parent(p) {
		list = append(list, get(p))
	}
	return list
}

func directory(file string) any {
	if file == "" {
		return nil
	}
	return path.Dir(file)
}
