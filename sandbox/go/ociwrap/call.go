// The command line of runc, as far as the wrapper must understand it.

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

type call struct {
	root, command, bundle, process, id string
}

// parse finds the command, the bundle, the process file and the container's id. runc's options come as "--name value"
// or "--name=value"; those without a value are listed, so that a value is never taken for the id.
func parse(args []string) call {
	flags := map[string]bool{"--debug": true, "--systemd-cgroup": true, "--detach": true, "-d": true, "--no-pivot": true, "--no-new-keyring": true, "--tty": true, "-t": true,
		"--keep": true, "--no-subreaper": true, "--rootless": false, "--ignore-paused": true, "--no-new-privs": true}
	c := call{root: "/run/runc", bundle: "."}
	var words []string
	for i := 0; i < len(args); i++ {
		a := args[i]
		if !strings.HasPrefix(a, "-") || a == "-" {
			words = append(words, a)
			continue
		}
		name, value, joined := strings.Cut(a, "=")
		if !joined && !flags[name] && i+1 < len(args) {
			i++
			value = args[i]
		}
		switch name {
		case "--root":
			c.root = value
		case "--bundle", "-b":
			c.bundle = value
		case "--process", "-p":
			c.process = value
		}
	}
	if len(words) > 0 {
		c.command = words[0]
	}
	if len(words) > 1 {
		c.id = words[1]
	}
	if c.command == "exec" {
		if b := bundleOf(filepath.Join(c.root, c.id, "state.json")); b != "" {
			c.bundle = b
		}
	}
	return c
}

// bundleOf reads the bundle's path from the labels in runc's state of a container.
func bundleOf(stateFile string) string {
	var state struct {
		Config struct {
			Labels []string `json:"labels"`
		} `json:"config"`
	}
	b, err := os.ReadFile(stateFile)
	if err != nil || json.Unmarshal(b, &state) != nil {
		return ""
	}
	for _, l := range state.Config.Labels {
		if bundle, found := strings.CutPrefix(l, "bundle="); found {
			return bundle
		}
	}
	return ""
}
