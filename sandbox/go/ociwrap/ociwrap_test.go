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
	return dir
}

func TestParse(t *testing.T) {
	for line, want := range map[string]call{
		"--root /r --log /l --log-format json create --bundle /b --pid-file /p --console-socket /s c1": {"create", "/b", ""},
		"--root=/r create --bundle=/b c1":                                {"create", "/b", ""},
		"--root /r --log /l exec --process /p --detach --pid-file /x c1": {"exec", ".", "/p"},
		"--root /r --systemd-cgroup delete --force c1":                   {"delete", ".", ""},
		"--root /r kill --all c1 9":                                      {"kill", ".", ""},
	} {
		if got := parse(strings.Fields(line)); got != want {
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
