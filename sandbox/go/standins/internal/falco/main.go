// Package falco is the stand-in for Falco's program: real rule files, outputs and system calls, a sensor of the sandbox's own.
package falco

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"falconet.local/sandbox/standins/internal/common"
	"falconet.local/sandbox/standins/internal/sensor"
)

const engineVersion = "0.63.0"

var version = common.Version("0.44.0")

const usage = `Usage: falco [options]
  -c FILE        configuration (default /etc/falco/falco.yaml)
  -o KEY=VALUE   override a configuration key
  -r FILE        rules file or directory, in place of rules_files (repeatable)
  -V FILE        validate rules files and exit 0 or 1 (repeatable; /dev/stdin works)
  -L             print the names of all rules and exit
  --version      print the version and exit

The events are real: BPF programs tell the system calls, the starts and the ends of processes of this node. It is a
stand-in all the same: it knows the system calls and the fields that sandbox/standins/README.md names, and no others.
`

type daemon struct {
	engine    atomic.Pointer[engine]
	reloading atomic.Bool
	sensor    *sensor.Sensor // nil where system calls are no source
	startNS   int64
	dropped   int64 // as far as an alert told of them
	configSum string
	out       *outputs
}

// Main runs the stand-in and returns its exit code.
func Main(args []string) int {
	configFile, overrides, validated, only, list, observe := "/etc/falco/falco.yaml", []string{}, []string{}, []string{}, false, true
	for i := 0; i < len(args); i++ {
		flag, value, joined := strings.Cut(args[i], "=")
		if !strings.HasPrefix(flag, "--") {
			flag, value, joined = args[i], "", false
		}
		next := func() string {
			if joined {
				return value
			}
			i++
			if i >= len(args) {
				fmt.Fprintf(os.Stderr, "Error: option %s wants a value\n", flag)
				os.Exit(1)
			}
			return args[i]
		}
		switch flag {
		case "-c", "--config":
			configFile = next()
		case "-o", "--option":
			overrides = append(overrides, next())
		case "-r", "--rules":
			only = append(only, next())
		case "-V", "--validate":
			validated = append(validated, next())
		case "-L":
			list = true
		case "-A", "-U", "--unbuffered", "-u", "--userspace":
		case "--disable-source":
			observe = observe && next() != "syscall"
		case "--enable-source", "-p", "--print", "-M":
			next()
		case "-pk", "-pc":
		case "-h", "--help":
			fmt.Printf("%s\n\n%s", common.Notice, usage)
			return 0
		case "--version":
			fmt.Printf("Falco version: %s\nEngine:        %s\n%s\n", version, engineVersion, common.Notice)
			return 0
		default:
			fmt.Fprintf(os.Stderr, "Error: option '%s' is unknown to the stand-in for Falco\n%s", args[i], usage)
			return 1
		}
	}
	c, err := readConfig(configFile, overrides)
	if len(validated) > 0 {
		return validate(validated, err == nil && c.JSONOutput, os.Stdout, os.Stderr)
	}
	common.Start("falco")
	if err != nil {
		log.Printf("Error: %v", err)
		return 1
	}
	if len(only) > 0 {
		c.RulesFiles = only
	}
	hostname := os.Getenv("FALCO_HOSTNAME")
	if hostname == "" {
		hostname, _ = os.Hostname()
	}
	log.Printf("Falco version: %s", version)
	e, results, err := load(c, hostname)
	for _, r := range results {
		log.Printf("Loading rules from: %s | %s", r.File, verdict(r))
	}
	if err != nil {
		log.Printf("Error: %v", err)
		return 1
	}
	if list {
		for _, r := range e.active {
			fmt.Println(r.Name)
		}
		return 0
	}
	text, _ := os.ReadFile(configFile)
	sum := sha256.Sum256(text)
	d := &daemon{startNS: time.Now().UnixNano(), configSum: hex.EncodeToString(sum[:]), out: newOutputs(c)}
	d.engine.Store(e)
	if observe {
		if d.sensor, err = sensor.Open(object(), filepath.Join(os.Getenv("HOST_ROOT"), "/proc")); err != nil {
			log.Printf("Error: %v", err)
			return 1
		}
		defer d.sensor.Close()
		if err := d.sensor.Want(e.wants); err != nil {
			log.Printf("Error: %v", err)
			return 1
		}
		go d.watch()
	}
	log.Printf("%d rules are active; driver %q is not used: a sensor of the sandbox sees the system calls of this node", len(e.active), c.Engine.Kind)
	if c.Webserver.Enabled {
		log.Printf("Starting health webserver, listening on %s:%d", c.Webserver.Address, c.Webserver.Port)
		go common.Serve(fmt.Sprintf("%s:%d", c.Webserver.Address, c.Webserver.Port), d.routes())
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	ticker, second := time.NewTicker(250*time.Millisecond), time.NewTicker(time.Second)
	for {
		select {
		case <-second.C:
			d.tellDrops()
		case s := <-stop:
			if s != syscall.SIGHUP {
				log.Printf("%v: end", s)
				return 0
			}
			d.reload()
		case <-ticker.C:
			if d.changed() {
				d.reload()
			}
		}
	}
}

// object is the file with the sensor's programs.
func object() string {
	if file := os.Getenv("SENSOR_OBJECT"); file != "" {
		return file
	}
	return "/usr/share/falco/sensor.o"
}

// watch sends each event to the rules until the sensor is closed.
func (d *daemon) watch() {
	for {
		ev, err := d.sensor.Next()
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			log.Printf("an event is lost: %v", err)
			continue
		}
		e := d.engine.Load()
		ev.Hostname = e.hostname
		for _, a := range e.process(ev) {
			d.out.send(a)
		}
	}
}

// tellDrops alerts where the kernel could not give events away since it was asked last.
func (d *daemon) tellDrops() {
	if d.sensor == nil {
		return
	}
	seen, dropped := d.sensor.Counts()
	if dropped == d.dropped {
		return
	}
	e := d.engine.Load()
	text := fmt.Sprintf("Falco internal: syscall event drop. %d system calls dropped in last second.", dropped-d.dropped)
	d.out.send(e.build(time.Now().UTC(), "Falco internal: syscall event drop", "Debug", "internal", nil, text,
		map[string]any{"n_drops": dropped - d.dropped, "n_drops_buffer_total": dropped, "n_evts": seen, "evt.time": time.Now().UnixNano()}))
	d.dropped = dropped
}

func (d *daemon) changed() bool {
	e := d.engine.Load()
	if !e.config.WatchConfigFiles {
		return false
	}
	_, state, err := snapshot(e.config.rulesFiles())
	return err == nil && state != e.state
}

// reload tries the new files; when they are broken the old rules stay, and only the log and an alert tell.
func (d *daemon) reload() {
	old := d.engine.Load()
	log.Print("Rules files changed: restarting with a dry run first")
	e, results, err := load(old.config, old.hostname)
	if err != nil {
		for _, r := range results {
			log.Printf("Loading rules from: %s | %s", r.File, verdict(r))
		}
		log.Printf("Error: hot restart failure: %v; the old rules stay", err)
		d.out.send(old.build(time.Now().UTC(), "Falco internal: hot restart failure", "Critical", "internal", nil,
			"Falco internal: hot restart failure: "+err.Error(), map[string]any{}))
		if _, state, err := snapshot(old.config.rulesFiles()); err == nil {
			old.state = state // the same broken files are not tried again
		}
		return
	}
	for name, n := range old.matches {
		if m := e.matches[name]; m != nil {
			m.Store(n.Load())
		}
	}
	d.reloading.Store(true)
	d.engine.Store(e)
	if d.sensor != nil {
		if err := d.sensor.Want(e.wants); err != nil {
			log.Printf("Error: %v", err)
		}
	}
	time.AfterFunc(300*time.Millisecond, func() { d.reloading.Store(false) })
	log.Printf("%d rules are active after the reload", len(e.active))
}
