// Events: lines that the sandbox's OCI wrapper wrote, turned into simulated system call events.

package falco

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"log"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// start is one process start in a container, as ociwrap records it.
type start struct {
	TimeNS       int64    `json:"time_ns"`
	Kind         string   `json:"kind"`
	ContainerID  string   `json:"container_id"`
	Container    string   `json:"container_name"`
	Image        string   `json:"container_image"`
	Pod          string   `json:"pod_name"`
	Namespace    string   `json:"pod_namespace"`
	PodUID       string   `json:"pod_uid"`
	SandboxID    string   `json:"sandbox_id"`
	Args         []string `json:"args"`
	Exepath      string   `json:"exepath"`
	Cwd          string   `json:"cwd"`
	TTY          bool     `json:"tty"`
	UID          int64    `json:"uid"`
	User         string   `json:"user"`
	Privileged   bool     `json:"privileged"`
	ancestorsNow []string
}

type event map[string]any

// Field implements rules.Event.
func (e event) Field(name string) (any, bool) {
	v, ok := e[name]
	return v, ok
}

const simulatedTTY = int64(34816)

var (
	readers = map[string]bool{"cat": true, "head": true, "tail": true, "less": true, "more": true, "grep": true, "egrep": true, "strings": true,
		"wc": true, "od": true, "xxd": true, "hexdump": true, "base64": true, "sort": true, "awk": true, "sed": true, "cut": true, "md5sum": true, "sha256sum": true, "dd": true, "tac": true, "nl": true}
	shells     = map[string]bool{"sh": true, "bash": true, "ash": true, "dash": true, "zsh": true, "ksh": true, "csh": true}
	sequenceNo int64
	fakePID    = int64(100000)
)

// events makes the simulated events of one process start: execve, reads of named files, and what `sh -c` would start.
func (s start) events(hostname string) []event {
	if len(s.Args) == 0 {
		return nil
	}
	if s.ancestorsNow == nil {
		s.ancestorsNow = []string{"containerd-shim"}
	}
	base := s.base(hostname)
	out := []event{s.execve(base)}
	name := path.Base(s.Args[0])
	files := s.Args[1:]
	if shells[name] {
		for i, arg := range s.Args[1:] {
			if strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.HasSuffix(arg, "c") && i+2 < len(s.Args) {
				for _, words := range commands(s.Args[i+2]) {
					child := s
					child.Args, child.Exepath, child.TimeNS = words, "", s.TimeNS+int64(len(out))*1000
					child.ancestorsNow = append([]string{name}, s.ancestorsNow...)
					out = append(out, child.events(hostname)...)
				}
				return out
			}
		}
	}
	if readers[name] {
		for _, arg := range files {
			arg = strings.TrimPrefix(arg, "if=")
			if !strings.HasPrefix(arg, "/") && s.Cwd != "" && strings.Contains(arg, "/") && !strings.HasPrefix(arg, "-") {
				arg = path.Join(s.Cwd, arg)
			}
			if strings.HasPrefix(arg, "/") {
				out = append(out, s.open(base, arg))
			}
		}
	}
	return out
}

func (s start) base(hostname string) event {
	id := s.ContainerID
	if len(id) > 12 {
		id = id[:12]
	}
	image, tag := s.Image, ""
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		image, tag = image[:i], image[i+1:]
	}
	image, _, _ = strings.Cut(image, "@")
	fakePID++
	name := path.Base(s.Args[0])
	tty := int64(0)
	if s.TTY {
		tty = simulatedTTY
	}
	exepath := s.Exepath
	if exepath == "" {
		exepath = s.Args[0]
	}
	e := event{
		"evt.time": s.TimeNS, "evt.rawtime": s.TimeNS, "evt.hostname": hostname, "evt.source": "syscall", "evt.res": "SUCCESS", "evt.rawres": int64(0), "evt.failed": false,
		"evt.dir": "<", "evt.is_async": false, "evt.datetime": time.Unix(0, s.TimeNS).UTC().Format("2006-01-02 15:04:05.000000000"),
		"proc.name": name, "proc.exe": s.Args[0], "proc.exepath": exepath, "proc.cmdline": strings.Join(append([]string{name}, s.Args[1:]...), " "),
		"proc.args": strings.Join(s.Args[1:], " "), "proc.nargs": int64(len(s.Args) - 1), "proc.exeline": strings.Join(s.Args, " "), "proc.tty": tty, "proc.cwd": s.Cwd,
		"proc.pid": fakePID, "proc.vpid": fakePID % 1000, "proc.ppid": fakePID - 1, "proc.pname": s.ancestorsNow[0], "proc.pcmdline": s.ancestorsNow[0],
		"proc.is_exe_writable": true, "proc.is_exe_upper_layer": false, "proc.is_exe_lower_layer": true, "proc.is_exe_from_memfd": false,
		"proc.is_container_healthcheck": false, "proc.is_container_liveness_probe": false, "proc.is_container_readiness_probe": false,
		"thread.tid": fakePID, "thread.vtid": fakePID % 1000,
		"user.name": s.User, "user.uid": s.UID, "user.loginuid": int64(-1), "user.loginname": "<NA>",
		"container.id": id, "container.full_id": s.ContainerID, "container.name": s.Container, "container.type": "containerd",
		"container.image": s.Image, "container.image.repository": image, "container.privileged": s.Privileged,
		"k8s.ns.name": s.Namespace, "k8s.pod.name": s.Pod, "k8s.pod.uid": s.PodUID, "k8s.pod.id": s.PodUID, "k8s.pod.full_sandbox_id": s.SandboxID,
	}
	if tag != "" {
		e["container.image.tag"] = tag
	}
	e["proc.aname[0]"] = name
	for i, a := range s.ancestorsNow {
		e["proc.aname["+strconv.Itoa(i+1)+"]"] = a
	}
	for key, value := range e {
		if value == "" && (strings.HasPrefix(key, "k8s.") || strings.HasPrefix(key, "container.") || strings.HasPrefix(key, "user.")) {
			delete(e, key)
		}
	}
	return e
}

func (e event) with(more event) event {
	sequenceNo++
	out := event{"evt.num": sequenceNo}
	for k, v := range e {
		out[k] = v
	}
	for k, v := range more {
		out[k] = v
	}
	return out
}

func (s start) execve(base event) event {
	return base.with(event{"evt.type": "execve", "evt.category": "process", "syscall.type": "execve", "evt.arg.flags": "EXE_WRITABLE|EXE_LOWER_LAYER",
		"evt.arg.filename": base["proc.exepath"], "evt.args": "filename=" + base["proc.exepath"].(string)})
}

func (s start) open(base event, file string) event {
	return base.with(event{"evt.time": s.TimeNS + 1000000, "evt.type": "openat", "evt.category": "file", "syscall.type": "openat",
		"evt.is_open_read": true, "evt.is_open_write": false, "evt.is_open_exec": false, "evt.is_open_create": false, "evt.rawres": int64(3),
		"evt.arg.flags": "O_RDONLY", "evt.arg.name": file, "evt.args": "fd=3(<f>" + file + ") name=" + file + " flags=1(O_RDONLY) mode=0",
		"fd.name": file, "fd.nameraw": file, "fd.filename": path.Base(file), "fd.directory": path.Dir(file), "fd.num": int64(3), "fd.type": "file", "fd.typechar": "f"})
}

// commands cuts a shell script into simple commands; quotes are honoured, expansions are not.
func commands(script string) [][]string {
	var out [][]string
	var words []string
	var word strings.Builder
	inWord, quote, redirect := false, byte(0), false
	endWord := func() {
		if inWord {
			if !redirect {
				words = append(words, word.String())
			}
			redirect = false
		}
		inWord = false
		word.Reset()
	}
	endCommand := func() {
		endWord()
		for len(words) > 0 && (words[0] == "exec" || words[0] == "then" || words[0] == "do" || words[0] == "else" || words[0] == "!" || words[0] == "{" || words[0] == "(" ||
			words[0] == "while" || words[0] == "if" || words[0] == "until" || strings.Contains(words[0], "=")) {
			words = words[1:]
		}
		if len(words) > 0 && !builtins[words[0]] {
			out = append(out, words)
		}
		words = nil
	}
	for i := 0; i < len(script); i++ {
		c := script[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteByte(c)
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case c == '\\' && i+1 < len(script):
			i++
			word.WriteByte(script[i])
			inWord = true
		case c == ';' || c == '\n' || c == '|' || c == '(' || c == ')' || c == '&' && !(i > 0 && script[i-1] == '>') && !(i+1 < len(script) && script[i+1] == '>'):
			endCommand()
		case c == '>' || c == '<':
			if inWord && strings.Trim(word.String(), "0123456789&") == "" {
				inWord = false
				word.Reset()
			}
			endWord()
			redirect = true
		case c == ' ' || c == '\t':
			endWord()
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	endCommand()
	return out
}

var builtins = map[string]bool{"exit": true, "cd": true, "echo": true, "true": true, "false": true, "set": true, "export": true, "test": true, "[": true, ":": true, "read": true,
	"trap": true, "wait": true, "fi": true, "done": true, "for": true, "case": true, "esac": true, "printf": true, "shift": true, "return": true, "}": true, "unset": true}

// follow sends each line written to file from now on; a file that is replaced or cut is opened again from its start.
func follow(file string, each func(start)) {
	var handle *os.File
	var reader *bufio.Reader
	var rest []byte
	first := true
	for ; ; time.Sleep(20 * time.Millisecond) {
		info, err := os.Stat(file)
		if err != nil {
			first = false
			continue
		}
		if handle != nil {
			old, err := handle.Stat()
			at, _ := handle.Seek(0, io.SeekCurrent)
			if err != nil || !os.SameFile(old, info) || info.Size() < at {
				rest = drain(reader, rest, each)
				handle.Close()
				handle = nil
			}
		}
		if handle == nil {
			if handle, err = os.Open(file); err != nil {
				handle = nil
				continue
			}
			if first {
				if _, err := handle.Seek(0, io.SeekEnd); err != nil {
					log.Printf("seek %s: %v", file, err)
				}
			}
			first = false
			reader, rest = bufio.NewReader(handle), nil
		}
		rest = drain(reader, rest, each)
	}
}

func drain(reader *bufio.Reader, rest []byte, each func(start)) []byte {
	for {
		part, err := reader.ReadBytes('\n')
		rest = append(rest, part...)
		if err != nil {
			return rest
		}
		var s start
		if err := json.Unmarshal(bytes.TrimSpace(rest), &s); err != nil {
			log.Printf("a line of the event source is not JSON: %v", err)
		} else {
			each(s)
		}
		rest = nil
	}
}

func kernelRelease() string {
	var u syscall.Utsname
	if syscall.Uname(&u) != nil {
		return "unknown"
	}
	var b strings.Builder
	for _, c := range u.Release {
		if c == 0 {
			break
		}
		b.WriteByte(byte(c))
	}
	return b.String()
}
