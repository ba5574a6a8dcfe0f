// Package sidekick is the stand-in for Falcosidekick: Slack-, Telegram-shaped, webhook and web UI outputs.
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
	"sort"
	"strings"
	"sync"
	"time"

	"falconet.local/sandbox/standins/internal/common"
	"falconet.local/sandbox/standins/internal/rules"
)

var version = common.Version("2.31.1")

type server struct {
	settings *settings
	client   *http.Client
	mutex    sync.Mutex
	counters map[string]int64
}

// Main runs the stand-in; it ends only with the process.
func Main(args []string) int {
	for _, a := range args {
		switch a {
		case "-h", "--help":
			fmt.Printf("%s\n\nUsage: falcosidekick\n  Settings come from the environment, by the real program's names: SLACK_*, TELEGRAM_*, WEBHOOK_*, WEBUI_URL,\n"+
				"  CUSTOMFIELDS, TEMPLATEDFIELDS, CUSTOMTAGS. Telegram-shaped messages go to STANDIN_TELEGRAM_URL, never to Telegram.\n", common.Notice)
			return 0
		case "-v", "--version":
			fmt.Printf("falcosidekick %s (%s)\n", version, common.Notice)
			return 0
		}
	}
	common.Start("falcosidekick")
	s, refused := readSettings()
	if len(refused) > 0 {
		log.Printf("[ERROR] : the stand-in has no output for %s; it has slack, telegram, webhook and webui", strings.Join(refused, ", "))
		return 1
	}
	log.Printf("[INFO]  : Falcosidekick version: %s", version)
	log.Printf("[INFO]  : Enabled Outputs: [%s]", strings.Join(s.names(), " "))
	log.Printf("[INFO]  : Falcosidekick is up and listening on %s", s.address)
	common.Serve(s.address, newServer(s).routes())
	return 1
}

func newServer(s *settings) *server {
	return &server{settings: s, client: &http.Client{Timeout: 5 * time.Second}, counters: map[string]int64{}}
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", s.post)
	mux.HandleFunc("/ping", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "pong") })
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { common.JSON(w, 200, map[string]string{"status": "ok"}) })
	mux.HandleFunc("/version", func(w http.ResponseWriter, _ *http.Request) {
		common.JSON(w, 200, map[string]any{"version": version, "stand_in": true, "notice": common.Notice})
	})
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprint(w, s.metrics())
	})
	mux.HandleFunc("/test", func(w http.ResponseWriter, r *http.Request) {
		s.forward(&payload{Output: "This is a test from falcosidekick", Priority: "Debug", Rule: "Test rule", Time: time.Now().UTC().Format(time.RFC3339Nano), Source: "internal",
			OutputFields: map[string]any{"proc.name": "falcosidekick", "user.name": "falcosidekick"}, Tags: []string{"test", "example"}})
	})
	return mux
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
	if err := decoder.Decode(p); err != nil || p.Output == "" || len(p.OutputFields) == 0 {
		s.refuse(w, "Please send a valid request body")
		return
	}
	s.count(`inputs_total{source="requests",status="accepted"}`)
	s.forward(p)
}

func (s *server) forward(p *payload) {
	p.UUID = common.UUID()
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
	namespace, _ := p.OutputFields["k8s.ns.name"].(string)
	pod, _ := p.OutputFields["k8s.pod.name"].(string)
	s.count(fmt.Sprintf(`falco_events_total{hostname=%q,k8s_ns_name=%q,k8s_pod_name=%q,priority="%d",priority_raw=%q,rule=%q,source=%q}`,
		p.Hostname, namespace, pod, rules.PriorityIndex(p.Priority), strings.ToLower(p.Priority), p.Rule, p.Source))
	for _, o := range s.settings.outputs {
		if rules.PriorityIndex(p.Priority) <= o.minimum || p.Rule == "Test rule" {
			go s.deliver(o, p)
		}
	}
}

func (s *server) deliver(o *output, p *payload) {
	status := "ok"
	if err := s.send(o, p); err != nil {
		status = "error"
		log.Printf("[ERROR] : %s - %v", o.name, err)
	} else {
		log.Printf("[INFO]  : %s - Post OK", o.name)
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
	response, err := s.client.Do(request)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("%s: %w", request.URL.Host, err)
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		return fmt.Errorf("unexpected Response (%d)", response.StatusCode)
	}
	return nil
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
