// ociwrap stands before runc on machines that cannot grant CAP_SYS_RESOURCE.
//
// runc refuses to start a container whose specification asks for a capability that
// the machine itself lacks. ociwrap takes that one capability out of the
// specification (config.json of a bundle, or the process file of an exec) and hands
// over to runc. The sandbox puts it in place only where the capability is missing.
//
// Source of the file formats: OCI runtime specification, "config.json" and "process".
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const (
	missing = "CAP_SYS_RESOURCE"
	runc    = "/usr/sbin/runc"
)

type document = map[string]any

// without returns list with every occurrence of the missing capability left out.
func without(list []any) []any {
	kept := make([]any, 0, len(list))
	for _, name := range list {
		if name != missing {
			kept = append(kept, name)
		}
	}
	return kept
}

// strip edits the capability sets of an OCI "process" object; true when it changed one.
func strip(process document) bool {
	sets, _ := process["capabilities"].(document)
	changed := false
	for name, value := range sets {
		list, ok := value.([]any)
		if !ok {
			continue
		}
		kept := without(list)
		changed = changed || len(kept) != len(list)
		sets[name] = kept
	}
	return changed
}

// rewrite strips the file at path; field is the member that holds the process object, "" for the file itself.
func rewrite(path, field string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var whole document
	if err := json.Unmarshal(text, &whole); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	process := whole
	if field != "" {
		process, _ = whole[field].(document)
	}
	if process == nil || !strip(process) {
		return nil
	}
	if text, err = json.Marshal(whole); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// option returns the value that follows one of the names in arguments, or fallback.
func option(arguments []string, fallback string, names ...string) string {
	for i := 0; i+1 < len(arguments); i++ {
		for _, name := range names {
			if arguments[i] == name {
				return arguments[i+1]
			}
		}
	}
	return fallback
}

// subcommand returns runc's verb, which global options with values of their own precede.
func subcommand(arguments []string) string {
	for _, argument := range arguments {
		switch argument {
		case "create", "run", "exec", "restore":
			return argument
		}
	}
	return ""
}

func main() {
	arguments := os.Args[1:]
	var err error
	switch subcommand(arguments) {
	case "create", "run", "restore":
		err = rewrite(filepath.Join(option(arguments, ".", "--bundle", "-b"), "config.json"), "process")
	case "exec":
		if path := option(arguments, "", "--process", "-p"); path != "" {
			err = rewrite(path, "")
		}
	}
	if err == nil {
		err = syscall.Exec(runc, append([]string{"runc"}, arguments...), os.Environ())
	}
	fmt.Fprintln(os.Stderr, "ociwrap:", err)
	os.Exit(1)
}
