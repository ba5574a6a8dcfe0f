package sensor

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const openAt2 = "openat2"

// TestMain is the test, or a program that opens a file by openat2, which no usual one does.
func TestMain(m *testing.M) {
	if len(os.Args) != 3 || os.Args[1] != openAt2 {
		os.Exit(m.Run())
	}
	_, _ = unix.Openat2(unix.AT_FDCWD, os.Args[2], &unix.OpenHow{Flags: unix.O_WRONLY | unix.O_CREAT | unix.O_TRUNC, Mode: 0o700})
}

// attached is a sensor on this machine's kernel that wants everything.
func attached(t *testing.T) *Sensor {
	t.Helper()
	object := os.Getenv("SENSOR_OBJECT")
	if object == "" || os.Geteuid() != 0 {
		t.Skip("wants root, and SENSOR_OBJECT to name the compiled sensor.bpf.c")
	}
	s, err := Open(object, "/proc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.Want(func(string) bool { return true }); err != nil {
		t.Fatal(err)
	}
	return s
}

// await reads events until one has all of the fields.
func await(t *testing.T, s *Sensor, want map[string]any) *Event {
	t.Helper()
	s.reader.SetDeadline(time.Now().Add(20 * time.Second))
	for {
		e, err := s.Next()
		if err != nil {
			t.Fatalf("no event has %v: %v", want, err)
		}
		fits := true
		for name, value := range want {
			have, _ := e.Field(name)
			fits = fits && have == value
		}
		if fits {
			return e
		}
	}
}

func TestTheKernelTellsWhatProgramsDo(t *testing.T) {
	s := attached(t)
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	script := filepath.Join(dir, "named")
	if err := os.WriteFile(script, []byte("#!/bin/sh\ncat /etc/hostname\n:\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		in   string
		argv []string
		want map[string]any
	}{
		{"/etc", []string{"cat", "hostname"}, map[string]any{"evt.type": "openat", "fd.name": "/etc/hostname", "fd.nameraw": "hostname", "proc.cmdline": "cat hostname", "proc.cwd": "/etc/", "evt.is_open_read": true, "fd.directory": "/etc"}},
		{dir, []string{"ln", "-s", "/etc/shadow", link}, map[string]any{"evt.arg.target": "/etc/shadow", "fs.path.source": link, "fs.path.target": "/etc/shadow", "proc.name": "ln"}},
		{dir, []string{"mv", link, link + "2"}, map[string]any{"fs.path.source": link, "fs.path.target": link + "2"}},
		{dir, []string{"rm", link + "2"}, map[string]any{"fs.path.name": link + "2", "evt.res": "SUCCESS"}},
		{dir, []string{"mkdir", "below"}, map[string]any{"evt.type": "mkdir", "fs.path.name": dir + "/below", "fs.path.nameraw": "below"}},
		{dir, []string{"cat", "/no/such"}, map[string]any{"fd.name": "/no/such", "evt.res": "ENOENT", "evt.failed": true, "fd.num": int64(-1)}},
		{dir, []string{"sh", "-c", "echo x > made"}, map[string]any{"fd.name": dir + "/made", "evt.is_open_write": true, "evt.is_open_create": true, "proc.name": "sh"}},
		{dir, []string{"sh", "-c", "echo x > made"}, map[string]any{"fd.name": dir + "/made", "evt.is_open_create": false}},
		{dir, []string{os.Args[0], openAt2, "how"},
			map[string]any{"evt.type": "openat2", "fd.name": dir + "/how", "evt.arg.flags": "O_TRUNC|O_CREAT|O_WRONLY|O_F_CREATED", "evt.is_open_write": true, "evt.is_open_exec": true}},
		{dir, []string{script}, map[string]any{"evt.type": "execve", "proc.name": "cat", "proc.pname": "named", "proc.args": "/etc/hostname"}},
		{dir, []string{"chmod", "4755", "made"}, map[string]any{"fs.path.name": dir + "/made", "evt.arg.mode": "S_IXOTH|S_IROTH|S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISUID"}},
	} {
		command := exec.Command(one.argv[0], one.argv[1:]...)
		command.Dir = one.in
		_ = command.Run()
		t.Run(command.String(), func(t *testing.T) {
			e := await(t, s, one.want)
			if id, _ := e.Field("container.id"); id != "host" {
				t.Errorf("container.id is %v", id)
			}
		})
	}
	if _, dropped := s.Counts(); dropped != 0 {
		t.Errorf("%d records were dropped", dropped)
	}
}

func TestWhatIsNotWantedStaysInTheKernel(t *testing.T) {
	s := attached(t)
	if err := s.Want(func(eventType string) bool { return eventType == "execve" }); err != nil {
		t.Fatal(err)
	}
	_ = exec.Command("cat", "/etc/hostname").Run()
	s.reader.SetDeadline(time.Now().Add(20 * time.Second))
	for {
		e, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e.Type() != "execve" && e.Type() != "procexit" && e.TimeNS > time.Now().Add(-10*time.Second).UnixNano() && e.process.name == "cat" {
			t.Fatalf("%s came all the same", e.Type())
		}
		if line, _ := e.Field("proc.cmdline"); line == "cat /etc/hostname" && e.Type() == "procexit" {
			return
		}
	}
}
