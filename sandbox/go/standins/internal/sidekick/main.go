// Package sidekick is the stand-in for Falcosidekick: Slack-, Telegram-shaped, forwarding and web UI outputs, TLS.
package sidekick

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"falconet.local/sandbox/standins/internal/common"
)

var version = common.Version("2.31.1")

const testRule = "Test rule"

type server struct {
	settings *settings
	mutex    sync.Mutex
	counters map[string]int64
	channels map[*output]channel
}

// channel is an output's connection: one request at a time, as the real program's default has it.
type channel struct {
	client *http.Client
	turn   chan struct{}
}

// Main runs the stand-in; it ends only with the process.
func Main(args []string) int {
	for _, a := range args {
		switch a {
		case "-h", "--help":
			fmt.Printf("%s\n\nUsage: falcosidekick\n  Settings come from the environment, by the real program's names: SLACK_*, TELEGRAM_*, WEBHOOK_*, NODERED_*, TEKTON_*, N8N_*,\n"+
				"  WEBUI_URL, CUSTOMFIELDS, TEMPLATEDFIELDS, CUSTOMTAGS, TLSSERVER_*, TLSCLIENT_*, MUTUALTLSCLIENT_*. Telegram-shaped messages go to STANDIN_TELEGRAM_URL, never to Telegram.\n", common.Notice)
			return 0
		case "-v", "--version":
			fmt.Printf("falcosidekick %s (%s)\n", version, common.Notice)
			return 0
		}
	}
	common.Start("falcosidekick")
	s, refused := readSettings()
	if len(refused) > 0 {
		log.Printf("[ERROR] : the stand-in has no output for %s; it has slack, telegram, webhook, nodered, tekton, n8n and webui", strings.Join(refused, ", "))
		return 1
	}
	log.Printf("[INFO]  : Falcosidekick version: %s", version)
	log.Printf("[INFO]  : Enabled Outputs: [%s]", strings.Join(s.names(), " "))
	listeners, err := newServer(s).listeners()
	if err != nil {
		log.Printf("[FATAL] : %v", err)
		return 1
	}
	for _, one := range listeners {
		log.Printf("[INFO]  : Falcosidekick is up and listening on %s (TLS: %t)", one.server.Addr, one.tls)
	}
	log.Printf("[FATAL] : %v", serve(listeners, s.serverTLS))
	return 1
}

func newServer(s *settings) *server {
	found := &server{settings: s, counters: map[string]int64{}, channels: map[*output]channel{}}
	for _, o := range s.outputs {
		found.channels[o] = channel{client: s.clientTLS.client(o), turn: make(chan struct{}, 1)}
	}
	return found
}

func (s *server) handlers() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"/":        s.post,
		"/ping":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "pong") },
		"/healthz": func(w http.ResponseWriter, _ *http.Request) { common.JSON(w, 200, map[string]string{"status": "ok"}) },
		"/version": func(w http.ResponseWriter, _ *http.Request) {
			common.JSON(w, 200, map[string]any{"version": version, "stand_in": true, "notice": common.Notice})
		},
		"/metrics": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4")
			fmt.Fprint(w, s.metrics())
		},
		"/test": s.test,
	}
}

// test sends an alert of its own the way that others come, so the request must be a POST here as well.
func (s *server) test(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		s.refuse(w, "Please send with post http method")
		return
	}
	s.take(&payload{Output: "This is a test from falcosidekick", Priority: "Debug", Rule: testRule, Time: time.Now().UTC().Format(time.RFC3339), Hostname: "falcosidekick",
		OutputFields: map[string]any{"proc.name": "falcosidekick", "user.name": "falcosidekick"}, Tags: []string{"test", "example"}})
}

func (s *server) count(key string) {
	s.mutex.Lock()
	s.counters[key]++
	s.mutex.Unlock()
}

func (s *server) refuse(w http.ResponseWriter, why string) {
	s.count(`inputs_total{source="requests",status="rejected"}`)
	http.Error(w, why, http.StatusBadRequest)
}

func (s *server) post(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		s.refuse(w, "Please send with post http method")
		return
	}
	p := &payload{}
	decoder := json.NewDecoder(io.LimitReader(r.Body, 4<<20))
	decoder.UseNumber()
	// Observed: an alert without output fields (Falco's hot restart failure) is refused, and nothing is logged.
	if err := decoder.Decode(p); err != nil || priorityIndex(p.Priority) < 0 || p.Rule == "" || p.Time == "" || len(p.OutputFields) == 0 {
		s.refuse(w, "Please send a valid request body")
		return
	}
	s.take(p)
}

func (s *server) take(p *payload) {
	s.count(`inputs_total{source="requests",status="accepted"}`)
	s.forward(p)
}

func (s *server) forward(p *payload) {
	p.UUID = common.UUID()
	switch {
	case p.Rule == testRule:
		p.Source = "internal"
	case p.Source == "":
		p.Source = "syscalls"
	}
	for key, value := range s.settings.customFields {
		p.OutputFields[key] = value
	}
	for key, t := range s.settings.templatedFields {
		var b strings.Builder
		if err := t.Execute(&b, p.OutputFields); err == nil {
			p.OutputFields[key] = b.String()
		}
	}
	// Observed: with no custom tags the list of tags begins with an empty one.
	p.Tags = append(append([]string{}, s.settings.customTags...), p.Tags...)
	sort.Strings(p.Tags)
	s.count("falco_events_total{" + strings.Join(s.labels(p), ",") + "}")
	for _, o := range s.settings.outputs {
		if priorityIndex(p.Priority) <= o.minimum || p.Rule == testRule {
			go s.deliver(o, p)
		}
	}
}

var labelName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)

// labels are those of the metric of events, sorted; custom and templated fields are among them.
func (s *server) labels(p *payload) []string {
	namespace, _ := p.OutputFields["k8s.ns.name"].(string)
	pod, _ := p.OutputFields["k8s.pod.name"].(string)
	// The real program counts priorities from 1 (debug) to 8 (emergency).
	values := map[string]string{"hostname": orElse(p.Hostname, "unknown"), "rule": p.Rule, "source": p.Source, "k8s_ns_name": namespace, "k8s_pod_name": pod,
		"priority": strconv.Itoa(len(priorities) - priorityIndex(p.Priority)), "priority_raw": strings.ToLower(p.Priority)}
	for key := range s.settings.customFields {
		values[key] = fmt.Sprint(p.OutputFields[key])
	}
	for key := range s.settings.templatedFields {
		values[key] = fmt.Sprint(p.OutputFields[key])
	}
	found := []string{}
	for key, value := range values {
		if name := strings.ReplaceAll(key, ".", "_"); labelName.MatchString(name) {
			found = append(found, fmt.Sprintf("%s=%q", name, value))
		}
	}
	sort.Strings(found)
	return found
}

func (s *server) deliver(o *output, p *payload) {
	status := "ok"
	if err := s.send(o, p); err != nil {
		status = "error"
		log.Printf("[ERROR] : %s - %v", o.title, err)
	}
	s.count(fmt.Sprintf(`outputs_total{destination=%q,status=%q}`, o.name, status))
}

// send posts to the output's address. Addresses hold tokens, so errors are told without them.
func (s *server) send(o *output, p *payload) error {
	if o.endpoint == "" {
		return errors.New("the stand-in sends nothing to Telegram itself: set STANDIN_TELEGRAM_URL")
	}
	var body bytes.Buffer
	if err := common.Line(&body, o.payload(p)); err != nil {
		return err
	}
	request, err := http.NewRequest(o.method, o.endpoint, &body)
	if err != nil {
		return errors.New("the address is not a URL")
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set("User-Agent", "Falcosidekick")
	for key, value := range o.headers {
		request.Header.Set(key, value)
	}
	channel := s.channels[o]
	channel.turn <- struct{}{}
	defer func() { <-channel.turn }()
	response, err := channel.client.Do(request)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("%s: %w", request.URL.Host, err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20)) // so that the connection is used again
	return answer(o, response.StatusCode)
}

// refusals are the real program's words for what a destination answers.
var refusals = map[int]string{400: "header missing", 401: "authentication error", 403: "access denied", 404: "resource not found", 422: "bad request", 429: "exceeding post rate limit",
	500: "internal server error", 502: "bad gateway"}

// answer tells whether a destination took the alert: only these four codes say so.
func answer(o *output, code int) error {
	switch code {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
		log.Printf("[INFO]  : %s - %s OK (%d)", o.title, o.method, code)
		return nil
	}
	if words, found := refusals[code]; found {
		return fmt.Errorf("%s (%d)", words, code)
	}
	return fmt.Errorf("unexpected Response (%d)", code)
}

func (s *server) metrics() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	keys := []string{}
	for k := range s.counters {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var b strings.Builder
	b.WriteString("# HELP falcosecurity_falcosidekick_standin_info 1: these figures come from the falconet sandbox's stand-in\n# TYPE falcosecurity_falcosidekick_standin_info gauge\n" +
		"falcosecurity_falcosidekick_standin_info{stand_in=\"falcosidekick\",version=\"" + version + "\"} 1\n")
	last := ""
	for _, k := range keys {
		name, _, _ := strings.Cut(k, "{")
		if name != last {
			fmt.Fprintf(&b, "# TYPE falcosecurity_falcosidekick_%s counter\n", name)
			last = name
		}
		fmt.Fprintf(&b, "falcosecurity_falcosidekick_%s %d\n", k, s.counters[k])
	}
	return b.String()
}
