// Command standins is one binary that is three stand-ins and the sensor of a fourth, chosen by the name it is called by
// (or its first argument).
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"falconet.local/sandbox/standins/internal/common"
	"falconet.local/sandbox/standins/internal/receiver"
	"falconet.local/sandbox/standins/internal/sensor"
	"falconet.local/sandbox/standins/internal/sidekick"
	"falconet.local/sandbox/standins/internal/ui"
)

func main() {
	programs := map[string]func([]string) int{"falco-sensor": sensor.Main, "falcosidekick": sidekick.Main, "falcosidekick-ui": ui.Main, "alert-receiver": receiver.Main}
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	if programs[name] == nil && len(args) > 0 {
		name, args = args[0], args[1:]
	}
	run := programs[name]
	if run == nil {
		fmt.Fprintf(os.Stderr, "%s\nUsage: standins falco-sensor|falcosidekick|falcosidekick-ui|alert-receiver [options]\n", common.Notice)
		os.Exit(2)
	}
	os.Exit(run(args))
}
