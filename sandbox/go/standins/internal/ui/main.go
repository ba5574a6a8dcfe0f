// Package ui is the stand-in for Falcosidekick-UI: events kept in a real Redis, listed as JSON and as a plain page.
package ui

import (
	"crypto/subtle"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"falconet.local/sandbox/standins/internal/common"
)

var version = common.Version("2.2.0")

// Redis keys: a sorted set of events' keys by time in nanoseconds, and one string per event.
const indexKey = "standin:events"

type server struct {
	redis   *redis
	user    string // "name:password"; empty with -d
	ttl     string // seconds, "0" for ever
	outputs atomic.Pointer[[]string]
}

// Main runs the stand-in.
func Main(args []string) int {
	flags := flag.NewFlagSet("falcosidekick-ui", flag.ContinueOnError)
	address := flags.String("a", "0.0.0.0", "listen address")
	port := flags.Int("p", 2802, "listen port")
	redisAddress := flags.String("r", "localhost:6379", "Redis server address")
	ttl := flags.String("t", "0", "how long events are kept: seconds, or a number with s, m, h, d, W, M, y")
	flags.String("l", "info", "log level (accepted, without effect)")
	flags.Bool("x", false, "allow CORS (accepted, without effect)")
	noAuth := flags.Bool("d", os.Getenv("FALCOSIDEKICK_UI_DISABLEAUTH") == "true", "disable authentication")
	user := flags.String("u", os.Getenv("FALCOSIDEKICK_UI_USER"), "user:password")
	usage := "[options]; FALCOSIDEKICK_UI_USER and FALCOSIDEKICK_UI_REDIS_PASSWORD come from the environment"
	if code, goesOn := common.Options(flags, "v", version, usage, args); !goesOn {
		return code
	}
	common.Start("falcosidekick-ui")
	seconds, err := lifetime(*ttl)
	if err != nil {
		log.Printf("-t: %v", err)
		return 1
	}
	s := &server{redis: &redis{address: *redisAddress, password: os.Getenv("FALCOSIDEKICK_UI_REDIS_PASSWORD")}, user: *user, ttl: seconds}
	if s.user == "" {
		s.user = "admin:admin"
	}
	if *noAuth {
		s.user = ""
	}
	if _, err := s.redis.do("PING"); err != nil {
		log.Printf("Redis at %s: %v", *redisAddress, err)
		return 1
	}
	log.Printf("listening on %s:%d, events are kept in Redis at %s", *address, *port, *redisAddress)
	common.Serve(fmt.Sprintf("%s:%d", *address, *port), s.routes())
	return 1
}

func lifetime(text string) (string, error) {
	units := map[byte]int{'s': 1, 'm': 60, 'h': 3600, 'd': 86400, 'W': 7 * 86400, 'M': 30 * 86400, 'y': 365 * 86400}
	unit := 1
	number := text
	if n := len(text); n > 0 && units[text[n-1]] > 0 {
		unit, number = units[text[n-1]], text[:n-1]
	}
	value, err := strconv.Atoi(number)
	if err != nil || value < 0 {
		return "", fmt.Errorf("%q is not a time", text)
	}
	return strconv.Itoa(value * unit), nil
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/{$}", s.add)
	mux.HandleFunc("GET /api/v1/healthz", s.healthz)
	mux.HandleFunc("GET /api/v1/version", func(w http.ResponseWriter, _ *http.Request) {
		common.JSON(w, 200, map[string]any{"version": version, "stand_in": true, "notice": common.Notice})
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		count, _ := s.redis.do("ZCARD", indexKey)
		fmt.Fprintf(w, "# TYPE falcosidekick_ui_standin_info gauge\nfalcosidekick_ui_standin_info{stand_in=\"falcosidekick-ui\"} 1\n# TYPE falcosidekick_ui_events gauge\nfalcosidekick_ui_events %v\n", orZero(count))
	})
	mux.HandleFunc("GET /api/v1/outputs", s.auth(func(w http.ResponseWriter, _ *http.Request) { common.JSON(w, 200, s.outputs.Load()) }))
	mux.HandleFunc("GET /api/v1/configuration", s.auth(func(w http.ResponseWriter, _ *http.Request) {
		common.JSON(w, 200, map[string]any{"listen-port": 2802, "ttl": s.ttl, "stand-in": true})
	}))
	mux.HandleFunc("GET /api/v1/events/search", s.auth(s.search))
	mux.HandleFunc("GET /api/v1/events/count", s.auth(s.countAll))
	mux.HandleFunc("GET /api/v1/events/count/{by}", s.auth(s.countBy))
	mux.HandleFunc("GET /{$}", s.auth(s.page))
	mux.HandleFunc("GET /ui", s.auth(s.page))
	mux.HandleFunc("GET /ui/", s.auth(s.page))
	return mux
}

func orZero(v any) any {
	if v == nil {
		return 0
	}
	return v
}

func (s *server) auth(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name, password, _ := r.BasicAuth()
		if s.user != "" && subtle.ConstantTimeCompare([]byte(name+":"+password), []byte(s.user)) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="falcosidekick-ui stand-in"`)
			common.JSON(w, http.StatusUnauthorized, map[string]string{"message": "Unauthorized"})
			return
		}
		next(w, r)
	}
}

func (s *server) healthz(w http.ResponseWriter, _ *http.Request) {
	if _, err := s.redis.do("PING"); err != nil {
		common.JSON(w, http.StatusInternalServerError, map[string]string{"status": "redis: " + err.Error()})
		return
	}
	common.JSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

type stored struct {
	UUID         string         `json:"uuid,omitempty"`
	Output       string         `json:"output"`
	Priority     string         `json:"priority"`
	Rule         string         `json:"rule"`
	Time         time.Time      `json:"time"`
	Source       string         `json:"source"`
	OutputFields map[string]any `json:"output_fields"`
	Tags         []string       `json:"tags"`
	Hostname     string         `json:"hostname,omitempty"`
}

func (s *server) add(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Event   stored   `json:"event"`
		Outputs []string `json:"outputs"`
	}
	decoder := json.NewDecoder(io.LimitReader(r.Body, 4<<20))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil || body.Event.Rule == "" {
		common.JSON(w, http.StatusBadRequest, map[string]string{"message": "an event with a rule is wanted"})
		return
	}
	if body.Event.UUID == "" {
		body.Event.UUID = common.UUID()
	}
	s.outputs.Store(&body.Outputs)
	var text strings.Builder
	_ = common.Line(&text, body.Event)
	key := "standin:event:" + body.Event.UUID
	command := []string{"SET", key, strings.TrimSpace(text.String())}
	if s.ttl != "0" {
		command = append(command, "EX", s.ttl)
	}
	_, err := s.redis.do(command...)
	if err == nil {
		_, err = s.redis.do("ZADD", indexKey, strconv.FormatInt(body.Event.Time.UnixNano(), 10), key)
	}
	if err != nil {
		log.Printf("an event could not be stored: %v", err)
		common.JSON(w, http.StatusInternalServerError, map[string]string{"message": "redis: " + err.Error()})
		return
	}
	common.JSON(w, http.StatusOK, "{}")
}

// events reads what the query of the request asks for, newest first; expired ones leave the index.
func (s *server) events(r *http.Request) ([]stored, error) {
	keys, err := s.redis.do("ZREVRANGE", indexKey, "0", "-1")
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	oldest := time.Time{}
	if since := q.Get("since"); since != "" && since != "null" {
		seconds, err := lifetime(strings.TrimSuffix(since, "in"))
		if err != nil {
			return nil, err
		}
		d, _ := strconv.Atoi(seconds)
		oldest = time.Now().Add(-time.Duration(d) * time.Second)
	}
	out := []stored{}
	list, _ := keys.([]any)
	for _, k := range list {
		key, _ := k.(string)
		value, err := s.redis.do("GET", key)
		if err != nil {
			return nil, err
		}
		text, found := value.(string)
		if !found {
			_, _ = s.redis.do("ZREM", indexKey, key)
			continue
		}
		var e stored
		if json.Unmarshal([]byte(text), &e) != nil || e.Time.Before(oldest) {
			continue
		}
		if wanted(q.Get("priority"), e.Priority) && wanted(q.Get("rule"), e.Rule) && wanted(q.Get("source"), e.Source) && wanted(q.Get("tags"), e.Tags...) &&
			strings.Contains(strings.ToLower(text), strings.ToLower(strings.ReplaceAll(q.Get("filter"), "null", ""))) {
			out = append(out, e)
		}
	}
	return out, nil
}

func wanted(list string, have ...string) bool {
	if list == "" || list == "null" {
		return true
	}
	for _, want := range strings.Split(list, ",") {
		for _, h := range have {
			if strings.EqualFold(want, h) {
				return true
			}
		}
	}
	return false
}

func (s *server) answer(w http.ResponseWriter, r *http.Request, build func([]stored) map[string]any) {
	events, err := s.events(r)
	if err != nil {
		common.JSON(w, http.StatusBadRequest, map[string]string{"message": err.Error()})
		return
	}
	common.JSON(w, http.StatusOK, build(events))
}

func (s *server) search(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, func(all []stored) map[string]any {
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		if limit <= 0 {
			limit = 100
		}
		from := min(max(page-1, 0)*limit, len(all))
		part := all[from:min(from+limit, len(all))]
		return map[string]any{"results": part, "statistics": map[string]int{"returned": len(part), "all": len(all)}}
	})
}

func (s *server) countAll(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, func(all []stored) map[string]any {
		return map[string]any{"statistics": map[string]int{"all": len(all)}}
	})
}

func (s *server) countBy(w http.ResponseWriter, r *http.Request) {
	s.answer(w, r, func(all []stored) map[string]any {
		counts := map[string]int{}
		for _, e := range all {
			switch r.PathValue("by") {
			case "priority":
				counts[e.Priority]++
			case "rule":
				counts[e.Rule]++
			case "source":
				counts[e.Source]++
			case "hostname":
				counts[e.Hostname]++
			case "tags":
				for _, t := range e.Tags {
					counts[t]++
				}
			}
		}
		return map[string]any{"results": counts, "statistics": map[string]int{"all": len(all), "distincts": len(counts)}}
	})
}

func (s *server) page(w http.ResponseWriter, r *http.Request) {
	events, err := s.events(r)
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.Header().Set("X-Stand-In", "falconet-sandbox")
	fmt.Fprintf(w, "<!doctype html><title>falcosidekick-ui (stand-in)</title><h1>Events</h1><p>%s</p>", html.EscapeString(common.Notice))
	if err != nil {
		fmt.Fprintf(w, "<p>%s</p>", html.EscapeString(err.Error()))
	}
	fmt.Fprint(w, "<table border=1><tr><th>time<th>priority<th>rule<th>host<th>output")
	for _, e := range events {
		fmt.Fprintf(w, "<tr><td>%s<td>%s<td>%s<td>%s<td>%s", e.Time.Format(time.RFC3339Nano), html.EscapeString(e.Priority), html.EscapeString(e.Rule), html.EscapeString(e.Hostname), html.EscapeString(e.Output))
	}
	fmt.Fprint(w, "</table>")
}
