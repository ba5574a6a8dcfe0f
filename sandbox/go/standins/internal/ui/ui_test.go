package ui

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fakeRedis speaks enough RESP for the tests: AUTH, PING, SET, GET, ZADD, ZREM, ZCARD, ZREVRANGE.
type fakeRedis struct {
	net.Listener
	mutex    sync.Mutex
	password string
	strings  map[string]string
	scores   map[string]int64
	conns    []net.Conn
}

func newFakeRedis(t *testing.T, password string) *fakeRedis {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeRedis{Listener: l, password: password, strings: map[string]string{}, scores: map[string]int64{}}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.mutex.Lock()
			f.conns = append(f.conns, c)
			f.mutex.Unlock()
			go f.serve(c)
		}
	}()
	t.Cleanup(func() { l.Close() })
	return f
}

func (f *fakeRedis) dropConnections() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, c := range f.conns {
		c.Close()
	}
	f.conns = nil
}

func (f *fakeRedis) serve(c net.Conn) {
	r := bufio.NewReader(c)
	open := f.password == ""
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
		args := make([]string, n)
		for i := range args {
			_, _ = r.ReadString('\n')
			value, _ := r.ReadString('\n')
			args[i] = strings.TrimRight(value, "\r\n")
		}
		f.mutex.Lock()
		answer := "-NOAUTH Authentication required.\r\n"
		if args[0] == "AUTH" {
			if open = args[1] == f.password; open {
				answer = "+OK\r\n"
			} else {
				answer = "-WRONGPASS\r\n"
			}
		} else if open {
			answer = f.answer(args)
		}
		f.mutex.Unlock()
		fmt.Fprint(c, answer)
	}
}

func (f *fakeRedis) answer(args []string) string {
	switch args[0] {
	case "PING":
		return "+PONG\r\n"
	case "SET":
		f.strings[args[1]] = args[2]
		return "+OK\r\n"
	case "GET":
		v, there := f.strings[args[1]]
		if !there {
			return "$-1\r\n"
		}
		return fmt.Sprintf("$%d\r\n%s\r\n", len(v), v)
	case "ZADD":
		f.scores[args[3]], _ = strconv.ParseInt(args[2], 10, 64)
		return ":1\r\n"
	case "ZREM":
		delete(f.scores, args[2])
		return ":1\r\n"
	case "ZCARD":
		return fmt.Sprintf(":%d\r\n", len(f.scores))
	case "ZREVRANGE":
		keys := []string{}
		for k := range f.scores {
			keys = append(keys, k)
		}
		sort.Slice(keys, func(i, j int) bool { return f.scores[keys[i]] > f.scores[keys[j]] })
		out := fmt.Sprintf("*%d\r\n", len(keys))
		for _, k := range keys {
			out += fmt.Sprintf("$%d\r\n%s\r\n", len(k), k)
		}
		return out
	}
	return "-ERR unknown command\r\n"
}

func ui(t *testing.T, f *fakeRedis, password string) *httptest.Server {
	t.Helper()
	s := &server{redis: &redis{address: f.Addr().String(), password: password}, user: "admin:secret", ttl: "0"}
	front := httptest.NewServer(s.routes())
	t.Cleanup(front.Close)
	return front
}

func get(t *testing.T, url, user, password string) (int, map[string]any) {
	t.Helper()
	request, _ := http.NewRequest(http.MethodGet, url, nil)
	if user != "" {
		request.SetBasicAuth(user, password)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body map[string]any
	_ = json.NewDecoder(response.Body).Decode(&body)
	return response.StatusCode, body
}

func add(t *testing.T, front *httptest.Server, rule, priority, time string) int {
	t.Helper()
	body := fmt.Sprintf(`{"event":{"rule":%q,"priority":%q,"time":%q,"output":"o","source":"syscall","tags":["x"],"output_fields":{"a":1795251527573375270}},"outputs":["webui"]}`, rule, priority, time)
	response, err := http.Post(front.URL+"/api/v1/", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func TestEventsAreKeptListedAndCounted(t *testing.T) {
	f := newFakeRedis(t, "pw")
	front := ui(t, f, "pw")
	if add(t, front, "one", "Warning", "2026-11-21T08:00:00Z") != 200 || add(t, front, "two", "Notice", "2026-11-21T09:00:00Z") != 200 {
		t.Fatal("not stored")
	}
	code, found := get(t, front.URL+"/api/v1/events/search", "admin", "secret")
	results, _ := found["results"].([]any)
	if code != 200 || len(results) != 2 || results[0].(map[string]any)["rule"] != "two" {
		t.Errorf("%d %v", code, found)
	}
	if _, found = get(t, front.URL+"/api/v1/events/search?priority=warning", "admin", "secret"); len(found["results"].([]any)) != 1 {
		t.Error(found)
	}
	if _, found = get(t, front.URL+"/api/v1/events/count/rule", "admin", "secret"); found["results"].(map[string]any)["one"] != 1.0 {
		t.Error(found)
	}
	for k := range f.strings {
		if !strings.Contains(f.strings[k], "1795251527573375270") {
			t.Error("numbers keep their digits")
		}
	}
}

func TestWithoutTheRightUserNothingIsShown(t *testing.T) {
	front := ui(t, newFakeRedis(t, ""), "")
	for _, path := range []string{"/", "/ui", "/api/v1/events/search", "/api/v1/outputs"} {
		if code, _ := get(t, front.URL+path, "", ""); code != 401 {
			t.Errorf("%s: %d", path, code)
		}
		if code, _ := get(t, front.URL+path, "admin", "wrong"); code != 401 {
			t.Errorf("%s: %d", path, code)
		}
	}
	if code, _ := get(t, front.URL+"/api/v1/healthz", "", ""); code != 200 {
		t.Error("health is open")
	}
}

func TestARestartOfRedisIsSurvived(t *testing.T) {
	f := newFakeRedis(t, "pw")
	front := ui(t, f, "pw")
	add(t, front, "one", "Warning", "2026-11-21T08:00:00Z")
	f.dropConnections()
	if code := add(t, front, "two", "Warning", "2026-11-21T08:00:01Z"); code != 200 {
		t.Error(code)
	}
}

func TestAWrongPasswordIsUnhealthy(t *testing.T) {
	front := ui(t, newFakeRedis(t, "pw"), "other")
	if code, body := get(t, front.URL+"/api/v1/healthz", "", ""); code != 500 || !strings.Contains(fmt.Sprint(body), "WRONGPASS") {
		t.Error(code, body)
	}
}

func TestExpiredEventsLeaveTheIndex(t *testing.T) {
	f := newFakeRedis(t, "")
	front := ui(t, f, "")
	add(t, front, "one", "Warning", "2026-11-21T08:00:00Z")
	f.mutex.Lock()
	f.strings = map[string]string{}
	f.mutex.Unlock()
	get(t, front.URL+"/api/v1/events/search", "admin", "secret")
	if len(f.scores) != 0 {
		t.Error(f.scores)
	}
}

func TestLifetime(t *testing.T) {
	for text, want := range map[string]string{"0": "0", "90": "90", "2h": "7200", "1d": "86400"} {
		if got, err := lifetime(text); err != nil || got != want {
			t.Error(text, got, err)
		}
	}
	if _, err := lifetime("soon"); err == nil {
		t.Error("no time")
	}
}
