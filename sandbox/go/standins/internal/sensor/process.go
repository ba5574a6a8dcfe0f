// The table of processes: who started whom, with which program, in which container.

package sensor

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Process is one process as it was last seen.
type Process struct {
	pid, vpid, ppid                uint32
	name, exe, exepath, cwd        string
	args                           []string
	tty, uid, gid, loginUID, flags uint32
	container                      *Container
}

type processes struct {
	hostProc   string
	byPID      map[uint32]*Process
	ended      [mostEnded]struct{ pid, ppid uint32 } // those that ended last, by their number's last digits
	containers *containers
}

const mostEnded = 1 << 12

func newProcesses(hostProc string) *processes {
	return &processes{hostProc: hostProc, byPID: map[uint32]*Process{}, containers: newContainers(filepath.Join(hostProc, "1/root"))}
}

// seed takes in the processes that run already.
func (t *processes) seed() {
	entries, _ := os.ReadDir(t.hostProc)
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			t.fromProc(uint32(pid))
		}
	}
}

// observe brings the table up to date with a record and returns the process that the record is about.
func (t *processes) observe(r *record) *Process {
	p := t.byPID[r.pid]
	switch {
	case r.kind == kindFork:
		p = t.forked(r)
	case p == nil:
		if p = t.fromProc(r.pid); p == nil {
			p = &Process{pid: r.pid}
			t.byPID[r.pid] = p
		}
	}
	p.vpid, p.ppid, p.uid, p.gid, p.loginUID, p.tty = r.vpid, r.ppid, r.uid, r.gid, r.loginUID, r.tty
	if r.pid == r.tid || p.name == "" {
		p.name = r.comm
	}
	if c := t.containers.byCgroup(r.cgroup); c != nil {
		p.container = c
	}
	switch r.kind {
	case kindExec:
		started(p, r)
	case kindExit:
		delete(t.byPID, r.pid)
		t.ended[r.pid%mostEnded] = struct{ pid, ppid uint32 }{r.pid, r.ppid}
	}
	return p
}

// forked is a copy of the parent under the child's number.
func (t *processes) forked(r *record) *Process {
	child := &Process{}
	if parent := t.byPID[r.ppid]; parent != nil {
		*child = *parent
	}
	child.pid = r.pid
	t.byPID[r.pid] = child
	return child
}

func started(p *Process, r *record) {
	p.args = words(r.text[textFirst])
	p.exe = ""
	if len(p.args) > 0 {
		p.exe, p.args = p.args[0], p.args[1:]
	}
	p.exepath, p.cwd, p.flags = pathOf(r.text[filePath]), pathOf(r.text[baseFirst]), r.flags
	if strings.HasPrefix(p.exepath, "/memfd:") {
		p.exepath, p.flags = strings.TrimPrefix(p.exepath, "/"), p.flags|flagFromMemory
	}
}

// fromProc reads what the node's /proc tells of a process; nil if it is gone or not there yet.
func (t *processes) fromProc(pid uint32) *Process {
	folder := filepath.Join(t.hostProc, strconv.Itoa(int(pid)))
	state := status(t.hostProc, int(pid))
	if len(state) == 0 {
		return nil
	}
	number := func(key string, at int) uint32 {
		if values := state[key]; len(values) > at {
			n, _ := strconv.ParseUint(values[at], 10, 32)
			return uint32(n)
		}
		return 0
	}
	p := &Process{pid: pid, ppid: number("PPid", 0), uid: number("Uid", 0), gid: number("Gid", 0), loginUID: ^uint32(0), name: strings.Join(state["Name"], " ")}
	if text, err := os.ReadFile(filepath.Join(folder, "cmdline")); err == nil && len(text) > 0 {
		all := words(text)
		p.exe, p.args = all[0], all[1:]
	}
	p.exepath, _ = os.Readlink(filepath.Join(folder, "exe"))
	p.cwd, _ = os.Readlink(filepath.Join(folder, "cwd"))
	if text, err := os.ReadFile(filepath.Join(folder, "cgroup")); err == nil {
		for _, line := range bytes.Split(text, []byte("\n")) {
			if c := t.containers.byCgroup(filepath.Base(string(line))); c != nil {
				p.container = c
			}
		}
	}
	t.byPID[pid] = p
	return p
}

// parent is the process that started another; nil where the table ends.
//
// A program that runc starts in a container has runc for a parent until runc ends, a moment later. Falco names the shim,
// which is its parent from then on. The kernel tells that runc ends before it gives its children to the shim: what they do
// between still has runc's number.
func (t *processes) parent(p *Process) *Process {
	above := t.byPID[p.ppid]
	if one := t.ended[p.ppid%mostEnded]; above == nil && one.pid == p.ppid {
		above = t.byPID[one.ppid]
	}
	if above != nil && p.container != nil && above.container == nil && above.name == "runc" && t.byPID[above.ppid] != nil {
		return t.byPID[above.ppid]
	}
	return above
}

// ancestor is the n-th process above; 0 is the process itself.
func (t *processes) ancestor(p *Process, n int) *Process {
	for ; n > 0 && p != nil; n-- {
		p = t.parent(p)
	}
	return p
}

// status is /proc/PID/status: the words of each line by its name; empty if there is no such process.
func status(hostProc string, pid int) map[string][]string {
	out := map[string][]string{}
	text, err := os.ReadFile(filepath.Join(hostProc, strconv.Itoa(pid), "status"))
	if err != nil {
		return out
	}
	for _, line := range strings.Split(string(text), "\n") {
		name, rest, _ := strings.Cut(line, ":")
		out[name] = strings.Fields(rest)
	}
	return out
}
