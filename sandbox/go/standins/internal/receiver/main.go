// Package receiver takes alerts as Slack, Telegram and webhooks would, keeps the last ones and gives them back.
package receiver

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"falconet.local/sandbox/standins/internal/common"
)

var version = common.Version("0.1.0")

// record is one received message. Neither tokens nor paths are part of it: a Slack path is a secret.
type record struct {
	ID          string         `json:"id"`
	Received    string         `json:"received"`
	Destination string         `json:"destination"`
	Rule        *string        `json:"rule"`
	Text        string         `json:"text"`
	Alert       map[string]any `json:"alert"`
	at          time.Time
}

type server struct {
	mutex   sync.Mutex
	keep    int
	records []record
	counts  map[string]int64
}

// Main runs the receiver.
func Main(args []string) int {
	flags := flag.NewFlagSet("alert-receiver", flag.ContinueOnError)
	listen := flags.String("listen", ":8080", "listen address")
	keep := flags.Int("keep", 1000, "number of messages kept")
	usage := "[options]\n  POST /services/... (Slack), POST /bot<token>/sendMessage (Telegram), POST /webhook; GET /alerts?since=TIME|NS|ID, DELETE /alerts"
	if code, goesOn := common.Options(flags, "version", version, usage, args); !goesOn {
		return code
	}
	common.Start("alert-receiver")
	log.Printf("listening on %s, the last %d messages are kept", *listen, *keep)
	common.Serve(*listen, newServer(*keep).routes())
	return 1
}

func newServer(keep int) *server { return &server{keep: keep, counts: map[string]int64{}} }

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { common.JSON(w, 200, map[string]string{"status": "ok"}) })
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		common.JSON(w, 200, map[string]any{"version": version, "stand_in": true, "notice": common.Notice})
	})
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("GET /alerts", s.list)
	mux.HandleFunc("DELETE /alerts", func(w http.ResponseWriter, _ *http.Request) {
		s.mutex.Lock()
		s.records = nil
		s.mutex.Unlock()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("/", s.receive)
	return mux
}

var botPath = regexp.MustCompile(`^/bot[^/]+/sendMessage$`)

func (s *server) receive(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		http.Error(w, "messages are posted", http.StatusMethodNotAllowed)
		return
	}
	var body map[string]any
	decoder := json.NewDecoder(io.LimitReader(r.Body, 4<<20))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil {
		s.count("invalid")
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	var rec record
	switch {
	case botPath.MatchString(r.URL.Path):
		rec = telegram(body)
	case body["attachments"] != nil || body["blocks"] != nil || strings.HasPrefix(r.URL.Path, "/services/"):
		rec = slack(body)
	default:
		rec = webhook(body)
	}
	rec.at = time.Now().UTC()
	rec.ID, rec.Received = common.UUID(), rec.at.Format("2006-01-02T15:04:05.000000000Z")
	s.mutex.Lock()
	s.records = append(s.records, rec)
	if len(s.records) > s.keep {
		s.records = append([]record{}, s.records[len(s.records)-s.keep:]...)
	}
	s.mutex.Unlock()
	s.count(rec.Destination)
	rule := "unknown"
	if rec.Rule != nil {
		rule = *rec.Rule
	}
	log.Printf("received by %s: rule %q, id %s", rec.Destination, rule, rec.ID)
	if rec.Destination == "telegram" {
		common.JSON(w, 200, map[string]any{"ok": true, "result": map[string]any{"message_id": len(s.records)}})
		return
	}
	fmt.Fprint(w, "ok")
}

func (s *server) count(destination string) {
	s.mutex.Lock()
	s.counts[destination]++
	s.mutex.Unlock()
}

func text(v any) string {
	if v == nil {
		return ""
	}
	if t, ok := v.(string); ok {
		return t
	}
	return fmt.Sprint(v)
}

func slack(body map[string]any) record {
	rec := record{Destination: "slack"}
	lines := []string{text(body["text"])}
	attachments, _ := body["attachments"].([]any)
	for _, a := range attachments {
		m, _ := a.(map[string]any)
		for _, key := range []string{"pretext", "title", "text"} {
			lines = append(lines, text(m[key]))
		}
		if text(m["text"]) == "" {
			lines = append(lines, text(m["fallback"]))
		}
		fields, _ := m["fields"].([]any)
		for _, f := range fields {
			field, _ := f.(map[string]any)
			title, value := text(field["title"]), text(field["value"])
			lines = append(lines, title+": "+value)
			if title == "rule" {
				rec.Rule = &value
			}
		}
	}
	rec.Text = join(lines)
	return rec
}

var (
	escaped  = regexp.MustCompile("\\\\([_*\\[\\]()~`>#+\\-=|{}.!])")
	headline = regexp.MustCompile(`(?m)^\*?\[Falco\] \[[^\]]*\] (.*?)\*?$`)
)

func telegram(body map[string]any) record {
	plain := escaped.ReplaceAllString(text(body["text"]), "$1")
	rec := record{Destination: "telegram", Text: plain}
	if m := headline.FindStringSubmatch(plain); m != nil {
		rec.Rule = &m[1]
	}
	return rec
}

func webhook(body map[string]any) record {
	rec := record{Destination: "webhook", Alert: body}
	if rule, ok := body["rule"].(string); ok {
		rec.Rule = &rule
	}
	lines := []string{text(body["rule"]), text(body["output"])}
	fields, _ := body["output_fields"].(map[string]any)
	names := []string{}
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		lines = append(lines, name+": "+text(fields[name]))
	}
	rec.Text = join(lines)
	return rec
}

func join(lines []string) string {
	out := []string{}
	for _, l := range lines {
		if l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

// after tells which records a `since` leaves: those later than a time or a number of nanoseconds, or after a record's id.
func (s *server) after(since string) ([]record, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if since == "" {
		return append([]record{}, s.records...), nil
	}
	var moment time.Time
	if t, err := time.Parse(time.RFC3339Nano, since); err == nil {
		moment = t
	} else if n, err := strconv.ParseInt(since, 10, 64); err == nil {
		moment = time.Unix(0, n)
	} else {
		for i, r := range s.records {
			if r.ID == since {
				return append([]record{}, s.records[i+1:]...), nil
			}
		}
		return nil, fmt.Errorf("since=%s is no RFC 3339 time, no number of nanoseconds and no id that is still kept", since)
	}
	for i, r := range s.records {
		if r.at.After(moment) {
			return append([]record{}, s.records[i:]...), nil
		}
	}
	return nil, nil
}

func (s *server) list(w http.ResponseWriter, r *http.Request) {
	// A "+" of a zone offset arrives as a space when the caller did not escape it.
	records, err := s.after(strings.ReplaceAll(r.URL.Query().Get("since"), " ", "+"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("X-Stand-In", "falconet-sandbox")
	for _, rec := range records {
		if err := common.Line(w, rec); err != nil {
			return
		}
	}
}

func (s *server) metrics(w http.ResponseWriter, _ *http.Request) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	fmt.Fprint(w, "# TYPE alert_receiver_standin_info gauge\nalert_receiver_standin_info{stand_in=\"alert-receiver\"} 1\n# TYPE alert_receiver_messages_total counter\n")
	for _, d := range []string{"slack", "telegram", "webhook", "invalid"} {
		fmt.Fprintf(w, "alert_receiver_messages_total{destination=%q} %d\n", d, s.counts[d])
	}
}
