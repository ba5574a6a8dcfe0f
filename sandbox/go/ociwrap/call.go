// The command line of runc, as far as the wrapper must understand it.

package main

import "strings"

type call struct {
	command, bundle, process string
}

// parse finds the command, the bundle and the process file. runc's options come as "--name value" or "--name=value";
// those without a value are listed, so that a command is never taken for one.
func parse(args []string) call {
	flags := map[string]bool{"--debug": true, "--systemd-cgroup": true, "--detach": true, "-d": true, "--no-pivot": true, "--no-new-keyring": true, "--tty": true, "-t": true,
		"--keep": true, "--no-subreaper": true, "--rootless": false, "--ignore-paused": true, "--no-new-privs": true}
	c := call{bundle: "."}
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
		case "--bundle", "-b":
			c.bundle = value
		case "--process", "-p":
			c.process = value
		}
	}
	if len(words) > 0 {
		c.command = words[0]
	}
	return c
}
