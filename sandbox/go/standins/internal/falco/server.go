// The web server: /healthz, /versions and /metrics in the shape that Falco 0.44 was observed to give.

package falco

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func (d *daemon) routes() http.Handler {
	mux := http.NewServeMux()
	c := d.engine.Load().config
	mux.HandleFunc(c.Webserver.Healthz, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"status": "ok"}`)
	})
	mux.HandleFunc("/versions", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"default_driver_version":"","driver_api_version":"","driver_schema_version":"","engine_version":"63","engine_version_semver":%q,"falco_version":%q,"libs_version":"","plugin_api_version":"","stand_in":true}`, engineVersion, version)
	})
	if c.Webserver.Prometheus && c.Metrics.Enabled {
		mux.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
			if d.reloading.Load() {
				http.NotFound(w, r) // observed: for a moment after a reload the metrics are not there yet
				return
			}
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			fmt.Fprint(w, d.metrics())
		})
	}
	return mux
}

var notLabel = regexp.MustCompile(`[^a-zA-Z0-9_]`)

func (d *daemon) metrics() string {
	var b strings.Builder
	e := d.engine.Load()
	add := func(name, kind, labels, value string) {
		if labels != "" {
			labels = "{" + labels + "}"
		}
		fmt.Fprintf(&b, "# HELP falcosecurity_%s https://falco.org/docs/metrics/\n# TYPE falcosecurity_%s %s\nfalcosecurity_%s%s %s\n", name, name, kind, name, labels, value)
	}
	integer := func(n int64) string { return strconv.FormatInt(n, 10) }
	fmt.Fprintf(&b, "# HELP falcosecurity_falco_standin_info 1: these figures come from the falconet sandbox's stand-in, not from Falco\n"+
		"# TYPE falcosecurity_falco_standin_info gauge\nfalcosecurity_falco_standin_info{stand_in=\"falco\"} 1\n")
	add("falco_version_info", "gauge", fmt.Sprintf("version=%q", version), "1")
	for _, f := range e.digests {
		add("falco_sha256_rules_files_info", "gauge", fmt.Sprintf("file_name=%q,sha256=%q", f.name, f.sum), "1")
	}
	add("falco_sha256_config_files_info", "gauge", fmt.Sprintf("file_name=\"falco.yaml\",sha256=%q", d.configSum), "1")
	if e.config.Metrics.RulesCounters {
		for _, r := range e.active {
			n := e.matches[r.Name].Load()
			if n == 0 {
				continue
			}
			labels := fmt.Sprintf("priority=\"%d\",rule_name=%q,source=%q", r.Priority, r.Name, r.Source)
			tags := append([]string{}, r.Tags...)
			sort.Strings(tags)
			for _, t := range tags {
				labels += fmt.Sprintf(",tag_%s=\"true\"", notLabel.ReplaceAllString(t, "_"))
			}
			add("falco_rules_matches_total", "counter", labels, integer(n))
		}
	}
	var seen, dropped int64
	if d.sensor != nil {
		seen, dropped = d.sensor.Counts()
	}
	add("scap_engine_name_info", "gauge", `engine_name="standin",evt_source="syscall"`, "1")
	add("scap_n_evts_total", "counter", "", integer(seen))
	add("scap_n_drops_total", "counter", "", integer(dropped))
	for _, kind := range []string{"clone_fork", "execve", "connect", "open", "dir_file", "other_interest", "close", "proc"} {
		add("scap_n_drops_buffer_total", "counter", fmt.Sprintf("dir=\"exit\",drop=%q", kind), "0")
	}
	add("falco_kernel_release_info", "gauge", fmt.Sprintf("kernel_release=%q", kernelRelease()), "1")
	add("evt_hostname_info", "gauge", fmt.Sprintf("hostname=%q", e.hostname), "1")
	add("falco_outputs_queue_num_drops_total", "counter", "", "0")
	add("falco_reload_timestamp_nanoseconds", "gauge", "", integer(e.loadedNS))
	add("falco_start_timestamp_nanoseconds", "gauge", "", integer(d.startNS))
	add("falco_duration_seconds_total", "counter", "", integer((time.Now().UnixNano()-d.startNS)/1e9))
	add("falco_memory_rss_bytes", "gauge", "", rss())
	return b.String()
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

func rss() string {
	text, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return "0.000000"
	}
	pages, _ := strconv.ParseFloat(fields[1], 64)
	return strconv.FormatFloat(pages*float64(os.Getpagesize()), 'f', 6, 64)
}
