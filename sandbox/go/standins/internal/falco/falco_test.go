package falco

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const base = "- rule: Shell\n  desc: d\n  condition: evt.type = execve and proc.name = sh\n  output: shell %proc.cmdline tty=%proc.tty parent=%proc.aname[2]\n  priority: NOTICE\n  tags: [b, a]\n" +
	"- rule: Read\n  desc: d\n  condition: evt.type in (open, openat) and evt.is_open_read = true and fd.name = /etc/shadow\n  output: read %fd.name\n  priority: WARNING\n"

func setUp(t *testing.T, more string) (string, *Config) {
	t.Helper()
	dir := t.TempDir()
	rulesDir := filepath.Join(dir, "rules.d")
	if err := os.Mkdir(rulesDir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "falco_rules.yaml"), base)
	config := filepath.Join(dir, "falco.yaml")
	write(t, config, "rules_files: ["+dir+"/falco_rules.yaml, "+dir+"/absent.yaml, "+rulesDir+"]\njson_output: true\nmetrics: {enabled: true}\n"+
		"webserver: {prometheus_metrics_enabled: true}\nappend_output: [{suggested_output: true}]\n"+more)
	c, err := readConfig(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	return dir, c
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func started(t *testing.T, c *Config) *daemon {
	t.Helper()
	e, _, err := load(c, "worker01")
	if err != nil {
		t.Fatal(err)
	}
	c.StdoutOutput.Enabled = false
	d := &daemon{startNS: time.Now().UnixNano(), out: newOutputs(c)}
	d.engine.Store(e)
	return d
}

// seen is an event whose fields a test makes up.
type seen map[string]any

func (e seen) Field(name string) (any, bool) { v, ok := e[name]; return v, ok }

func (e seen) Type() string { return e["evt.type"].(string) }

var sample = seen{"evt.time": int64(1795251527573375270), "evt.type": "execve", "proc.name": "sh", "proc.cmdline": "sh -c id", "proc.tty": int64(34816), "container.id": "fc071ef77e0b",
	"container.name": "main", "container.image.repository": "docker.io/library/alpine", "container.image.tag": "3.20", "k8s.pod.name": "v1", "k8s.ns.name": "prod"}

func TestAlertHasTheObservedShape(t *testing.T) {
	_, c := setUp(t, "")
	alerts := started(t, c).engine.Load().process(sample)
	if len(alerts) != 1 {
		t.Fatalf("%v", alerts)
	}
	var first map[string]any
	if err := json.Unmarshal(alerts[0].json, &first); err != nil {
		t.Fatal(err)
	}
	want := "08:58:47.573375270: Notice shell sh -c id tty=34816 parent=<NA> container_id=fc071ef77e0b container_name=main " +
		"container_image_repository=docker.io/library/alpine container_image_tag=3.20 k8s_pod_name=v1 k8s_ns_name=prod"
	if first["output"] != want || first["hostname"] != "worker01" || first["priority"] != "Notice" || first["source"] != "syscall" || first["time"] != "2026-11-21T08:58:47.573375270Z" {
		t.Errorf("%v", first)
	}
	if tags := first["tags"].([]any); tags[0] != "a" {
		t.Error("tags are sorted")
	}
	values := first["output_fields"].(map[string]any)
	if value, there := values["proc.aname[2]"]; !there || value != nil || values["evt.time"] == nil || values["proc.tty"] != 34816.0 {
		t.Errorf("%v", values)
	}
}

func TestOnlyTheEventTypesOfActiveRulesAreWanted(t *testing.T) {
	dir, c := setUp(t, "")
	e := started(t, c).engine.Load()
	for eventType, want := range map[string]bool{"execve": true, "openat": true, "connect": false} {
		if e.wants(eventType) != want {
			t.Errorf("%s: %v", eventType, !want)
		}
	}
	write(t, dir+"/rules.d/any.yaml", "- rule: Any\n  desc: d\n  condition: proc.name = nosuch or evt.type = open\n  output: any\n  priority: INFO\n")
	if e = started(t, c).engine.Load(); !e.wants("connect") || len(e.rulesFor("connect")) != 1 || len(e.rulesFor("openat")) != 2 {
		t.Error("a rule that may hold for every type wants all of them, and is asked for each")
	}
}

func TestRuleMatching(t *testing.T) {
	for mode, want := range map[string]int{"first": 1, "all": 2} {
		dir, c := setUp(t, "rule_matching: "+mode+"\n")
		write(t, dir+"/rules.d/own.yaml", "- rule: Own\n  desc: d\n  condition: evt.type = execve\n  output: own\n  priority: ERROR\n")
		d := started(t, c)
		if n := len(d.engine.Load().process(sample)); n != want {
			t.Errorf("%s: %d alerts", mode, n)
		}
	}
}

func TestBrokenFilesStopAStartButNotARunningOne(t *testing.T) {
	dir, c := setUp(t, "")
	own := dir + "/rules.d/own.yaml"
	write(t, own, "- rule: broken\n")
	if _, _, err := load(c, "h"); err == nil {
		t.Error("a start with broken rules ends")
	}
	write(t, own, "- macro: fine\n  condition: evt.type = open\n")
	d := started(t, c)
	before := d.metrics()
	write(t, own, "- rule: broken\n")
	if !d.changed() {
		t.Fatal("a changed file is noticed")
	}
	d.reload()
	if d.metrics() == "" || digestOf(before) != digestOf(d.metrics()) {
		t.Error("the digest in the metrics stays that of the old file")
	}
	if d.changed() {
		t.Error("the same broken file is not tried again")
	}
	write(t, own, "- macro: better\n  condition: evt.type = open\n")
	d.reload()
	if digestOf(before) == digestOf(d.metrics()) {
		t.Error("the next good file is taken")
	}
}

func digestOf(metrics string) string {
	for _, line := range strings.Split(metrics, "\n") {
		if strings.HasPrefix(line, `falcosecurity_falco_sha256_rules_files_info{file_name="own.yaml"`) {
			return line
		}
	}
	return ""
}

func TestConfigMapDirectoriesAreReadOnce(t *testing.T) {
	dir, c := setUp(t, "")
	data := dir + "/rules.d/..2026"
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, data+"/b.yaml", "[]")
	_ = os.Symlink("..2026", dir+"/rules.d/..data")
	_ = os.Symlink("..data/b.yaml", dir+"/rules.d/b.yaml")
	write(t, dir+"/rules.d/a.yaml", "[]")
	files := c.rulesFiles()
	if len(files) != 3 || filepath.Base(files[1]) != "a.yaml" || filepath.Base(files[2]) != "b.yaml" {
		t.Errorf("%v", files)
	}
}

func TestWebserver(t *testing.T) {
	_, c := setUp(t, "")
	d := started(t, c)
	server := httptest.NewServer(d.routes())
	defer server.Close()
	for path, want := range map[string]string{"/healthz": `{"status": "ok"}`, "/versions": `"stand_in":true`, "/metrics": `falcosecurity_falco_sha256_rules_files_info{file_name="falco_rules.yaml",sha256="`} {
		response, err := server.Client().Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(response.Body)
		response.Body.Close()
		if !strings.Contains(body.String(), want) {
			t.Errorf("%s: %s", path, body.String())
		}
	}
	d.reloading.Store(true)
	if response, _ := server.Client().Get(server.URL + "/metrics"); response.StatusCode != 404 {
		t.Error("during a reload the metrics are not there")
	}
}

func TestValidate(t *testing.T) {
	dir, _ := setUp(t, "")
	bad := dir + "/bad.yaml"
	write(t, bad, "- rule: r\n  desc: d\n  condition: nosuch\n  output: o\n  priority: INFO\n")
	var out, errOut bytes.Buffer
	if code := validate([]string{dir + "/falco_rules.yaml"}, false, &out, &errOut); code != 0 || !strings.HasSuffix(out.String(), "falco_rules.yaml: Ok\n") {
		t.Errorf("%d %s", code, out.String())
	}
	out.Reset()
	if code := validate([]string{dir + "/falco_rules.yaml", bad}, true, &out, &errOut); code != 1 {
		t.Error("exit code 1 is wanted")
	}
	var doc struct {
		Results []struct {
			Name       string `json:"name"`
			Successful bool   `json:"successful"`
			Errors     []struct {
				Code string `json:"code"`
			} `json:"errors"`
		} `json:"falco_load_results"`
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil || len(doc.Results) != 2 || !doc.Results[0].Successful || doc.Results[1].Errors[0].Code != "LOAD_ERR_COMPILE_CONDITION" {
		t.Errorf("%v %s", err, out.String())
	}
}

func TestConfigIsRefusedWhereTheStandInCannotFollow(t *testing.T) {
	for text, want := range map[string]string{
		"load_plugins: [k8saudit]":       "k8saudit",
		"webserver: {ssl_enabled: true}": "ssl_enabled",
		"rule_matching: some":            "rule_matching",
		"rules_files: []":                "rules_files",
	} {
		dir := t.TempDir()
		if !strings.HasPrefix(text, "rules_files") {
			text += "\nrules_files: [/x]"
		}
		write(t, dir+"/falco.yaml", text)
		if _, err := readConfig(dir+"/falco.yaml", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestOverridesOnTheCommandLine(t *testing.T) {
	dir, _ := setUp(t, "")
	c, err := readConfig(dir+"/falco.yaml", []string{"json_output=false", "webserver.listen_port=1234"})
	if err != nil || c.JSONOutput || c.Webserver.Port != 1234 || !c.Webserver.Prometheus {
		t.Errorf("%v %+v", err, c)
	}
}
