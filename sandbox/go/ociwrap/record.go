// The record of one process start: one JSON line, appended in one write.

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	defaultFile = "/run/sandbox-events/events.jsonl"
	maxBytes    = 16 << 20 // beyond that the file is set aside as events.jsonl.1
)

type start struct {
	TimeNS     int64    `json:"time_ns"`
	Kind       string   `json:"kind"`
	ID         string   `json:"container_id"`
	Container  string   `json:"container_name"`
	Image      string   `json:"container_image"`
	Pod        string   `json:"pod_name"`
	Namespace  string   `json:"pod_namespace"`
	PodUID     string   `json:"pod_uid"`
	SandboxID  string   `json:"sandbox_id"`
	Args       []string `json:"args"`
	Exepath    string   `json:"exepath"`
	Cwd        string   `json:"cwd"`
	TTY        bool     `json:"tty"`
	UID        int64    `json:"uid"`
	User       string   `json:"user"`
	Privileged bool     `json:"privileged"`
}

type process struct {
	Args     []string `json:"args"`
	Env      []string `json:"env"`
	Cwd      string   `json:"cwd"`
	Terminal bool     `json:"terminal"`
	User     struct {
		UID int64 `json:"uid"`
	} `json:"user"`
}

type spec struct {
	Process     process           `json:"process"`
	Annotations map[string]string `json:"annotations"`
	Root        struct {
		Path string `json:"path"`
	} `json:"root"`
	Linux struct {
		MaskedPaths []string `json:"maskedPaths"`
	} `json:"linux"`
}

func readJSON(file string, into any) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// describe builds the record; nil for the pause container of a pod and for containers that Kubernetes did not make.
func describe(c call, specFile string) (*start, error) {
	var s spec
	if err := readJSON(specFile, &s); err != nil {
		return nil, err
	}
	const cri = "io.kubernetes.cri."
	if s.Annotations[cri+"container-type"] != "container" {
		return nil, nil
	}
	p := s.Process
	if c.command == "exec" {
		if c.process == "" {
			return nil, nil
		}
		p = process{}
		if err := readJSON(c.process, &p); err != nil {
			return nil, err
		}
	}
	root := s.Root.Path
	if !filepath.IsAbs(root) {
		root = filepath.Join(c.bundle, root)
	}
	return &start{TimeNS: time.Now().UnixNano(), Kind: c.command, ID: c.id, Container: s.Annotations[cri+"container-name"], Image: s.Annotations[cri+"image-name"],
		Pod: s.Annotations[cri+"sandbox-name"], Namespace: s.Annotations[cri+"sandbox-namespace"], PodUID: s.Annotations[cri+"sandbox-uid"], SandboxID: s.Annotations[cri+"sandbox-id"],
		Args: p.Args, Exepath: executable(root, p), Cwd: p.Cwd, TTY: p.Terminal, UID: p.User.UID, User: userName(root, p.User.UID), Privileged: len(s.Linux.MaskedPaths) == 0}, nil
}

// executable finds the program in the container's root as exec would, symbolic links followed; the bare name otherwise.
func executable(root string, p process) string {
	if len(p.Args) == 0 {
		return ""
	}
	name := p.Args[0]
	candidates := []string{name}
	if !strings.Contains(name, "/") {
		path := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
		for _, e := range p.Env {
			if value, found := strings.CutPrefix(e, "PATH="); found {
				path = value
			}
		}
		candidates = nil
		for _, dir := range strings.Split(path, ":") {
			candidates = append(candidates, filepath.Join(dir, name))
		}
	} else if !filepath.IsAbs(name) {
		candidates = []string{filepath.Join(p.Cwd, name)}
	}
	for _, at := range candidates {
		for hops := 0; hops < 16; hops++ {
			info, err := os.Lstat(filepath.Join(root, at))
			if err != nil || info.IsDir() {
				break
			}
			if info.Mode()&os.ModeSymlink == 0 {
				return at
			}
			target, err := os.Readlink(filepath.Join(root, at))
			if err != nil {
				break
			}
			if !filepath.IsAbs(target) {
				target = filepath.Join(filepath.Dir(at), target)
			}
			at = filepath.Clean(target)
		}
	}
	return name
}

func userName(root string, uid int64) string {
	text, err := os.ReadFile(filepath.Join(root, "etc/passwd"))
	if err == nil {
		for _, line := range strings.Split(string(text), "\n") {
			if f := strings.Split(line, ":"); len(f) > 2 && f[2] == strconv.FormatInt(uid, 10) {
				return f[0]
			}
		}
	}
	if uid == 0 {
		return "root"
	}
	return ""
}

func record(r *start) error {
	file := os.Getenv("OCIWRAP_EVENTS")
	if file == "" {
		file = defaultFile
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if info, err := os.Stat(file); err == nil && info.Size() > maxBytes {
		if err := os.Rename(file, file+".1"); err != nil {
			return err
		}
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	_, err = out.Write(append(line, '\n'))
	return err
}
