// Command ociwrap stands before runc in a sandbox node: where the machine itself cannot grant CAP_SYS_RESOURCE, it takes
// that capability out of the OCI specification, because runc would fail on it.
// Whatever goes wrong here, runc is run: the wrapper must never be why a container does not start.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

func main() {
	call := parse(os.Args[1:])
	if call.command == "create" || call.command == "run" || call.command == "exec" {
		if err := wrap(call); err != nil {
			fmt.Fprintf(os.Stderr, "ociwrap: %v\n", err)
		}
	}
	runc := realRunc()
	err := syscall.Exec(runc, append([]string{"runc"}, os.Args[1:]...), os.Environ())
	fmt.Fprintf(os.Stderr, "ociwrap: %s: %v\n", runc, err)
	os.Exit(1)
}

// realRunc is what OCIWRAP_RUNC names, else runc.real beside the wrapper, else the system's runc.
func realRunc() string {
	if named := os.Getenv("OCIWRAP_RUNC"); named != "" {
		return named
	}
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	for _, candidate := range []string{filepath.Join(filepath.Dir(self), "runc.real"), "/usr/sbin/runc", "/usr/bin/runc"} {
		if _, err := os.Stat(candidate); err == nil && candidate != self {
			return candidate
		}
	}
	return "/usr/sbin/runc"
}

func wrap(c call) error {
	file := c.process
	if c.command != "exec" {
		file = filepath.Join(c.bundle, "config.json")
	}
	if file == "" || !missing(boundingSet(), capSysResource) {
		return nil
	}
	return dropCapability(file, c.command != "exec", "CAP_SYS_RESOURCE")
}
