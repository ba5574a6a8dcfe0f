// Capabilities: what this machine can grant, and taking one out of a specification.

package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
)

const capSysResource = 24 // linux/capability.h

// boundingSet is the CapBnd mask of this process; all ones when it cannot be read.
func boundingSet() uint64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return ^uint64(0)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if value, found := strings.CutPrefix(line, "CapBnd:"); found {
			if mask, err := strconv.ParseUint(strings.TrimSpace(value), 16, 64); err == nil {
				return mask
			}
		}
	}
	return ^uint64(0)
}

func missing(mask uint64, capability uint) bool { return mask&(1<<capability) == 0 }

// dropCapability rewrites a config.json (inSpec) or a process file without the capability; unchanged files stay untouched.
func dropCapability(file string, inSpec bool, name string) error {
	b, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(b), name) {
		return err
	}
	var doc map[string]json.RawMessage // raw, so that numbers above 2^53 survive
	if err := json.Unmarshal(b, &doc); err != nil {
		return err
	}
	process := doc
	if inSpec {
		process = nil
		if err := json.Unmarshal(doc["process"], &process); err != nil {
			return err
		}
	}
	var sets map[string][]string
	if err := json.Unmarshal(process["capabilities"], &sets); err != nil {
		return err
	}
	for set, have := range sets {
		keep := make([]string, 0, len(have))
		for _, c := range have {
			if c != name {
				keep = append(keep, c)
			}
		}
		sets[set] = keep
	}
	if process["capabilities"], err = json.Marshal(sets); err != nil {
		return err
	}
	if inSpec {
		if doc["process"], err = json.Marshal(process); err != nil {
			return err
		}
	}
	if b, err = json.Marshal(doc); err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o600)
}
