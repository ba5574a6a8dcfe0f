// Package sensor sees what happens on one node: system calls, starts and ends of processes, as the kernel tells them by
// the BPF programs in sandbox/standins/sensor. It gives them the names that Falco's rules use.
package sensor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// BTF describes the running kernel's structures; without it the programs do not know where to look.
const BTF = "/sys/kernel/btf/vmlinux"

// Sensor is attached to the kernel until Close.
type Sensor struct {
	objects   *ebpf.Collection
	links     []link.Link
	reader    *ringbuf.Reader
	processes *processes
	bootNS    int64 // Unix time of the boot
	seen      atomic.Int64
}

// Open loads the programs and attaches them; nothing is wanted of system calls until Want.
//
// object is the compiled sensor.bpf.c; hostProc is the /proc of the node whose processes are watched, which tells its PID
// namespace, its processes so far and its containers.
func Open(object, hostProc string) (*Sensor, error) {
	if _, err := os.Stat(BTF); err != nil {
		return nil, fmt.Errorf("this kernel has no %s (CONFIG_DEBUG_INFO_BTF): system calls cannot be observed", BTF)
	}
	spec, err := ebpf.LoadCollectionSpec(object)
	if err != nil {
		return nil, fmt.Errorf("the sensor's programs cannot be read from %s: %w", object, err)
	}
	first := "1"
	if hostProc == "/proc" {
		first = "self" // a /proc of our own shows our own namespace, whose first process need not be ours to look at
	}
	namespace, err := inode(filepath.Join(hostProc, first, "ns/pid"))
	if err != nil {
		return nil, fmt.Errorf("the node's PID namespace is unknown: %w", err)
	}
	s := &Sensor{processes: newProcesses(hostProc), bootNS: bootTime()}
	for name, value := range map[string]uint32{
		"node_pid_namespace": namespace, "own_pid": pidOnNode(hostProc, os.Getpid()), "asking_pid": pidOnNode(hostProc, os.Getppid()),
	} {
		if err := spec.Variables[name].Set(value); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", object, name, err)
		}
	}
	if s.objects, err = ebpf.NewCollection(spec); err != nil {
		return nil, fmt.Errorf("the kernel refuses the sensor's programs (CAP_BPF and CAP_PERFMON are needed): %w", err)
	}
	if s.reader, err = ringbuf.NewReader(s.objects.Maps["records"]); err != nil {
		s.Close()
		return nil, err
	}
	for name, program := range s.objects.Programs {
		l, err := link.AttachTracing(link.TracingOptions{Program: program})
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("program %s cannot be attached: %w", name, err)
		}
		s.links = append(s.links, l)
	}
	s.processes.seed() // after the programs run, so that no process starts unseen between
	return s, nil
}

// Want tells the kernel which event types are of interest; the others are left where they happen.
func (s *Sensor) Want(types func(eventType string) bool) error {
	for _, c := range calls {
		entry := [8]byte{}
		if types(c.name) {
			entry = c.wanted()
		}
		if err := s.objects.Maps["wanted"].Put(uint32(c.number), entry[:]); err != nil {
			return fmt.Errorf("system call %s: %w", c.name, err)
		}
	}
	return nil
}

// Next waits for the next event; os.ErrClosed after Close.
func (s *Sensor) Next() (*Event, error) {
	for {
		raw, err := s.reader.Read()
		if errors.Is(err, ringbuf.ErrClosed) {
			return nil, os.ErrClosed
		}
		if err != nil {
			return nil, err
		}
		r, err := decode(raw.RawSample)
		if err != nil {
			return nil, err
		}
		s.seen.Add(1)
		if e := s.event(r); e != nil {
			return e, nil
		}
	}
}

// event keeps the table of processes and makes the event; nil for what rules do not see.
func (s *Sensor) event(r *record) *Event {
	p := s.processes.observe(r)
	c := callOf(r)
	if c == nil || r.kind == kindSyscall && r.result == 0 && (c.name == "execve" || c.name == "execveat") {
		return nil // that an exec succeeded is told by a record of its own, which has the new program
	}
	return &Event{record: r, call: c, process: p, TimeNS: s.bootNS + int64(r.timeNS), processes: s.processes}
}

// Counts tells how many records were read, and how many the kernel could not give away because the buffer was full.
func (s *Sensor) Counts() (seen, dropped int64) {
	var perCPU []uint64
	if err := s.objects.Maps["counts"].Lookup(uint32(1), &perCPU); err == nil {
		for _, n := range perCPU {
			dropped += int64(n)
		}
	}
	return s.seen.Load(), dropped
}

// Close detaches everything.
func (s *Sensor) Close() {
	if s.reader != nil {
		s.reader.Close()
	}
	for _, l := range s.links {
		l.Close()
	}
	s.objects.Close()
}

func inode(file string) (uint32, error) {
	var st syscall.Stat_t
	if err := syscall.Stat(file, &st); err != nil {
		return 0, &os.PathError{Op: "stat", Path: file, Err: err}
	}
	return uint32(st.Ino), nil
}

// pidOnNode is the number that a process of our PID namespace has on a mounted /proc; 0 if it is not there.
func pidOnNode(hostProc string, ours int) uint32 {
	mine, err := inode("/proc/self/ns/pid")
	entries, _ := os.ReadDir(hostProc)
	for _, entry := range entries {
		pid, notNumber := strconv.Atoi(entry.Name())
		if notNumber != nil || err != nil {
			continue
		}
		if other, err := inode(filepath.Join(hostProc, entry.Name(), "ns/pid")); err != nil || other != mine {
			continue
		}
		numbers := status(hostProc, pid)["NSpid"]
		if len(numbers) > 0 && numbers[len(numbers)-1] == strconv.Itoa(ours) {
			return uint32(pid)
		}
	}
	return 0
}

func bootTime() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
	return time.Now().UnixNano() - ts.Nano()
}
