package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, file, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

const specText = `{"ociVersion":"1.2.0","process":{"terminal":true,"user":{"uid":0,"gid":0},"args":["sh","-c","x"],"env":["PATH=/bin"],"cwd":"/",
"capabilities":{"bounding":["CAP_CHOWN","CAP_SYS_RESOURCE"],"permitted":["CAP_SYS_RESOURCE"]},"rlimits":[{"type":"RLIMIT_CORE","hard":18446744073709551615,"soft":18446744073709551615}]},
"root":{"path":"rootfs"},"linux":{"maskedPaths":["/proc/kcore"]},
"annotations":{"io.kubernetes.cri.container-type":"container","io.kubernetes.cri.container-name":"main","io.kubernetes.cri.image-name":"r/i:1","io.kubernetes.cri.sandbox-name":"p","io.kubernetes.cri.sandbox-namespace":"prod","io.kubernetes.cri.sandbox-uid":"u","io.kubernetes.cri.sandbox-id":"s"}}`

func bundle(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir+"/config.json", specText)
	write(t, dir+"/rootfs/bin/busybox", "x")
	write(t, dir+"/rootfs/etc/passwd", "root:x:0:0::/:\napp:x:7:7::/:\n")
	if err := os.Symlink("busybox", dir+"/rootfs/bin/sh"); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestParse(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/c1/state.json", `{"config":{"labels":["x=y","bundle=/b/c1"]}}`)
	for line, want := range map[string]call{
		"--root /r --log /l --log-format json create --bundle /b --pid-file /p --console-socket /s c1": {"/r", "create", "/b", "", "c1"},
		"--root=/r create --bundle=/b c1":                                         {"/r", "create", "/b", "", "c1"},
		"--root " + dir + " --log /l exec --process /p --detach --pid-file /x c1": {dir, "exec", "/b/c1", "/p", "c1"},
		"--root /r --systemd-cgroup delete --force c1":                            {"/r", "delete", ".", "", ""},
		"--root /r kill --all c1 9":                                               {"/r", "kill", ".", "", "9"},
	} {
		got := parse(strings.Fields(line))
		if got.command != want.command || got.root != want.root || got.bundle != want.bundle || got.process != want.process || want.command != "delete" && want.command != "kill" && got.id != want.id {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

func TestCapabilityIsTakenOutAndNothingElseChanges(t *testing.T) {
	dir := bundle(t)
	file := dir + "/config.json"
	if err := dropCapability(file, true, "CAP_SYS_RESOURCE"); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(file)
	if strings.Contains(string(text), "CAP_SYS_RESOURCE") || !strings.Contains(string(text), "CAP_CHOWN") || !strings.Contains(string(text), "18446744073709551615") {
		t.Error(string(text))
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil || doc["annotations"] == nil {
		t.Error(err)
	}
	process := write(t, dir+"/process.json", `{"capabilities":{"bounding":["CAP_SYS_RESOURCE"]},"args":["x"]}`)
	if err := dropCapability(process, false, "CAP_SYS_RESOURCE"); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(process); strings.Contains(string(text), "CAP_SYS") || !strings.Contains(string(text), `"args":["x"]`) {
		t.Error(string(text))
	}
}

func TestMissing(t *testing.T) {
	if missing(1<<capSysResource, capSysResource) || !missing(1, capSysResource) {
		t.Error("bit 24 says whether the capability is there")
	}
}

func TestDescribe(t *testing.T) {
	dir := bundle(t)
	r, err := describe(call{command: "create", bundle: dir, id: "c1"}, dir+"/config.json")
	if err != nil || r.Namespace != "prod" || r.Pod != "p" || r.Container != "main" || r.Exepath != "/bin/busybox" || !r.TTY || r.User != "root" || r.Privileged {
		t.Errorf("%v %+v", err, r)
	}
	process := write(t, dir+"/p.json", `{"args":["cat","/etc/shadow"],"cwd":"/","user":{"uid":7}}`)
	r, err = describe(call{command: "exec", bundle: dir, process: process, id: "c1"}, dir+"/config.json")
	if err != nil || r.Kind != "exec" || r.Args[1] != "/etc/shadow" || r.User != "app" || r.TTY || r.Exepath != "cat" {
		t.Errorf("%v %+v", err, r)
	}
	pause := write(t, dir+"/pause/config.json", strings.Replace(specText, `container-type":"container"`, `container-type":"sandbox"`, 1))
	if r, err = describe(call{command: "create", bundle: dir, id: "s"}, pause); err != nil || r != nil {
		t.Error("the pause container is no event")
	}
}

func TestRecordAppendsOneLineAndSetsABigFileAside(t *testing.T) {
	file := t.TempDir() + "/deep/events.jsonl"
	t.Setenv("OCIWRAP_EVENTS", file)
	for range 2 {
		if err := record(&start{Args: []string{"a\nb"}}); err != nil {
			t.Fatal(err)
		}
	}
	if text, _ := os.ReadFile(file); strings.Count(string(text), "\n") != 2 {
		t.Error(string(text))
	}
	if err := os.Truncate(file, maxBytes+1); err != nil {
		t.Fatal(err)
	}
	if err := record(&start{}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file + ".1"); err != nil || info.Size() <= maxBytes {
		t.Error(err)
	}
}

func TestRuncIsRunWhateverHappens(t *testing.T) {
	dir := t.TempDir()
	wrapper := dir + "/ociwrap"
	if out, err := exec.Command("go", "build", "-o", wrapper, ".").CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	write(t, dir+"/runc.real", "#!/bin/sh\necho ran \"$@\"\nexit 7\n")
	if err := os.Chmod(dir+"/runc.real", 0o755); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(wrapper, "--root", "/nowhere", "create", "--bundle", "/nowhere", "c1")
	out, err := command.Output()
	if code := command.ProcessState.ExitCode(); code != 7 || string(out) != "ran --root /nowhere create --bundle /nowhere c1\n" {
		t.Errorf("%v %d %s", err, code, out)
	}
}
