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

var sample = start{TimeNS: 1795251527573375270, Kind: "exec", ContainerID: "fc071ef77e0b0123456789", Container: "main", Image: "docker.io/library/alpine:3.20", Pod: "v1",
	Namespace: "prod", Args: []string{"sh", "-c", "cat /etc/shadow | grep root > /dev/null; exit"}, Exepath: "/bin/busybox", Cwd: "/", TTY: true, User: "root"}

func TestAlertHasTheObservedShape(t *testing.T) {
	_, c := setUp(t, "")
	d := started(t, c)
	var alerts []map[string]any
	for _, ev := range sample.events("worker01") {
		for _, a := range d.engine.Load().process(ev) {
			var doc map[string]any
			if err := json.Unmarshal(a.json, &doc); err != nil {
				t.Fatal(err)
			}
			alerts = append(alerts, doc)
		}
	}
	if len(alerts) != 2 {
		t.Fatalf("%v", alerts)
	}
	first := alerts[0]
	want := "08:58:47.573375270: Notice shell sh -c cat /etc/shadow | grep root > /dev/null; exit tty=34816 parent=<NA> container_id=fc071ef77e0b container_name=main " +
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
	if alerts[1]["rule"] != "Read" || alerts[1]["output_fields"].(map[string]any)["fd.name"] != "/etc/shadow" {
		t.Errorf("%v", alerts[1])
	}
}

func TestShellScriptsAreCutIntoCommands(t *testing.T) {
	for script, want := range map[string]string{
		"cat /etc/shadow":                      "cat,/etc/shadow",
		"cd /x && exec cat 'a b' >/dev/null":   "cat,a b",
		"A=1 cat /etc/shadow 2>&1 | head -n 1": "cat,/etc/shadow;head,-n,1",
		"if true; then cat \"/x\"; fi":         "cat,/x",
		"echo hi; exit 3":                      "",
	} {
		parts := []string{}
		for _, words := range commands(script) {
			parts = append(parts, strings.Join(words, ","))
		}
		if got := strings.Join(parts, ";"); got != want {
			t.Errorf("%s: %q", script, got)
		}
	}
}

func TestRuleMatching(t *testing.T) {
	for mode, want := range map[string]int{"first": 1, "all": 2} {
		dir, c := setUp(t, "rule_matching: "+mode+"\n")
		write(t, dir+"/rules.d/own.yaml", "- rule: Own\n  desc: d\n  condition: evt.type = execve\n  output: own\n  priority: ERROR\n")
		d := started(t, c)
		n := 0
		for _, ev := range (start{Args: []string{"sh"}}).events("h") {
			n += len(d.engine.Load().process(ev))
		}
		if n != want {
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

func TestFollowSeesOnlyWhatIsNewAndSurvivesReplacement(t *testing.T) {
	file := t.TempDir() + "/events.jsonl"
	write(t, file, `{"args":["old"]}`+"\n")
	seen := make(chan string, 10)
	go follow(file, func(s start) { seen <- s.Args[0] })
	next := func() string {
		select {
		case s := <-seen:
			return s
		case <-time.After(5 * time.Second):
			t.Fatal("nothing came")
			return ""
		}
	}
	time.Sleep(100 * time.Millisecond) // the follower must have found the end of the file
	f, _ := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	_, _ = f.WriteString(`{"args":["ne`)
	_, _ = f.WriteString("w\"]}\n")
	f.Close()
	if s := next(); s != "new" {
		t.Error(s)
	}
	_ = os.Rename(file, file+".1")
	write(t, file, `{"args":["other"]}`+"\n")
	if s := next(); s != "other" {
		t.Error(s)
	}
}
