package sidekick

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

type received struct {
	path    string
	headers http.Header
	body    map[string]any
}

func target(t *testing.T) (*httptest.Server, chan received) {
	t.Helper()
	got := make(chan received, 10)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		var body map[string]any
		_ = json.Unmarshal(text, &body)
		got <- received{r.URL.Path, r.Header, body}
	}))
	t.Cleanup(server.Close)
	return server, got
}

func sidekick(t *testing.T, env map[string]string) (*server, *httptest.Server) {
	t.Helper()
	for _, name := range []string{"SLACK_WEBHOOKURL", "TELEGRAM_TOKEN", "TELEGRAM_CHATID", "WEBHOOK_ADDRESS", "WEBUI_URL", "CUSTOMFIELDS", "TEMPLATEDFIELDS", "CUSTOMTAGS", "STANDIN_TELEGRAM_URL"} {
		t.Setenv(name, env[name])
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
	settings, refused := readSettings()
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	s := newServer(settings)
	front := httptest.NewServer(newHTTPServer("", s.handlers()).Handler)
	t.Cleanup(front.Close)
	return s, front
}

func post(t *testing.T, url, body string) int {
	t.Helper()
	response, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func next(t *testing.T, got chan received) received {
	t.Helper()
	select {
	case r := <-got:
		return r
	case <-time.After(5 * time.Second):
		t.Fatal("nothing was sent")
		return received{}
	}
}

const alert = `{"hostname":"n","output":"text (x)","output_fields":{"evt.time":1795251527573375270,"k8s.ns.name":"prod","fd.name":null},"priority":"Warning","rule":"Read it","source":"syscall","tags":["b"],"time":"2026-11-21T08:58:47.573375270Z"}`

func TestWebhookGetsTheAlertWithUUIDAndExactNumbers(t *testing.T) {
	hook, got := target(t)
	_, front := sidekick(t, map[string]string{"WEBHOOK_ADDRESS": hook.URL + "/w", "CUSTOMFIELDS": "cluster:sb,a:b"})
	if code := post(t, front.URL, alert); code != 200 {
		t.Fatal(code)
	}
	body := next(t, got).body
	fields := body["output_fields"].(map[string]any)
	if body["rule"] != "Read it" || len(body["uuid"].(string)) != 36 || fields["cluster"] != "sb" || fields["a"] != "b" {
		t.Errorf("%v", body)
	}
	if tags := body["tags"].([]any); len(tags) != 2 || tags[0] != "" {
		t.Errorf("an empty tag comes first, as observed: %v", tags)
	}
}

func TestSlackAndTelegramShapes(t *testing.T) {
	hook, got := target(t)
	_, front := sidekick(t, map[string]string{"SLACK_WEBHOOKURL": hook.URL + "/services/T/B/SECRET", "TELEGRAM_TOKEN": "1:SECRET", "TELEGRAM_CHATID": "7", "STANDIN_TELEGRAM_URL": hook.URL})
	post(t, front.URL, alert)
	for range 2 {
		r := next(t, got)
		switch r.path {
		case "/services/T/B/SECRET":
			attachment := r.body["attachments"].([]any)[0].(map[string]any)
			if attachment["text"] != "text (x)" || attachment["color"] != "#ffff00" {
				t.Errorf("%v", attachment)
			}
		case "/bot1:SECRET/sendMessage":
			text := r.body["text"].(string)
			if r.body["chat_id"] != "7" || r.body["parse_mode"] != "MarkdownV2" || !strings.Contains(text, `text \(x\)`) || !strings.Contains(text, "Read it") {
				t.Errorf("%v", r.body)
			}
		default:
			t.Error(r.path)
		}
	}
}

func TestRefusals(t *testing.T) {
	s, front := sidekick(t, nil)
	for _, body := range []string{"", "{", `{"output":"x","output_fields":{},"rule":"Falco internal: hot restart failure"}`, `{"output":"","output_fields":{"a":1}}`} {
		if code := post(t, front.URL, body); code != 400 {
			t.Errorf("%q: %d", body, code)
		}
	}
	if m := s.metrics(); !strings.Contains(m, `falcosecurity_falcosidekick_inputs_total{source="requests",status="rejected"} 4`) {
		t.Error(m)
	}
}

func TestMinimumPriority(t *testing.T) {
	hook, got := target(t)
	_, front := sidekick(t, map[string]string{"SLACK_WEBHOOKURL": hook.URL + "/slack", "SLACK_MINIMUMPRIORITY": "error", "WEBHOOK_ADDRESS": hook.URL + "/w", "WEBHOOK_MINIMUMPRIORITY": "warning"})
	post(t, front.URL, alert)
	if r := next(t, got); r.path != "/w" {
		t.Error(r.path)
	}
	post(t, front.URL, strings.Replace(alert, "Warning", "Critical", 1))
	if a, b := next(t, got).path, next(t, got).path; a+b != "/slack/w" && a+b != "/w/slack" {
		t.Error(a, b)
	}
}

func TestFailuresAreCountedAndToldWithoutSecrets(t *testing.T) {
	s, _ := sidekick(t, map[string]string{"SLACK_WEBHOOKURL": "http://127.0.0.1:1/services/SECRET", "TELEGRAM_TOKEN": "SECRET", "TELEGRAM_CHATID": "7"})
	for _, o := range s.settings.outputs {
		err := s.send(o, &payload{OutputFields: map[string]any{}})
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", o.name, err)
		}
		s.deliver(o, &payload{OutputFields: map[string]any{}})
	}
	if m := s.metrics(); !strings.Contains(m, `outputs_total{destination="slack",status="error"} 1`) || !strings.Contains(m, `destination="telegram",status="error"} 1`) {
		t.Error(m)
	}
}

func TestOutputsThatTheStandInLacksAreRefused(t *testing.T) {
	t.Setenv("KAFKA_HOSTPORT", "k:1")
	if _, refused := readSettings(); len(refused) != 1 || refused[0] != "KAFKA_HOSTPORT" {
		t.Error(refused)
	}
}

func TestTestEndpointReachesEveryOutput(t *testing.T) {
	hook, got := target(t)
	_, front := sidekick(t, map[string]string{"WEBHOOK_ADDRESS": hook.URL, "WEBHOOK_MINIMUMPRIORITY": "critical"})
	if code := post(t, front.URL+"/test", ""); code != 200 {
		t.Error(code)
	}
	if r := next(t, got); r.body["rule"] != "Test rule" || r.body["source"] != "internal" {
		t.Error(r.body)
	}
	response, err := http.Get(front.URL + "/test")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 400 {
		t.Errorf("a GET is refused as by the real one: %d", response.StatusCode)
	}
}

func TestForwardersPostTheAlertUnchangedWithTheirHeaders(t *testing.T) {
	hook, got := target(t)
	_, front := sidekick(t, map[string]string{
		"WEBHOOK_ADDRESS": hook.URL + "/webhook", "WEBHOOK_CUSTOMHEADERS": "Authorization:Bearer SECRET,X-Url:http://left.out",
		"NODERED_ADDRESS": hook.URL + "/nodered", "NODERED_CUSTOMHEADERS": "X-Token:T",
		"TEKTON_EVENTLISTENER": hook.URL + "/tekton",
		"N8N_ADDRESS":          hook.URL + "/n8n", "N8N_HEADERAUTHNAME": "X-Auth", "N8N_HEADERAUTHVALUE": "V",
	})
	post(t, front.URL, alert)
	seen := map[string]http.Header{}
	for range 4 {
		r := next(t, got)
		seen[r.path] = r.headers
		if r.body["rule"] != "Read it" {
			t.Errorf("%s: %v", r.path, r.body)
		}
	}
	if a := seen["/webhook"]; a.Get("Authorization") != "Bearer SECRET" || a.Get("X-Url") != "" {
		t.Errorf("%v", a)
	}
	if seen["/nodered"].Get("X-Token") != "T" || seen["/n8n"].Get("X-Auth") != "V" || seen["/tekton"] == nil {
		t.Errorf("%v", seen)
	}
}

func TestEventsAreCountedAsTheRealOneDoes(t *testing.T) {
	s, front := sidekick(t, map[string]string{"CUSTOMFIELDS": "cluster.name:sb"})
	post(t, front.URL, alert)
	if m := s.metrics(); !strings.Contains(m, `falco_events_total{cluster_name="sb",hostname="n",k8s_ns_name="prod",k8s_pod_name="",priority="4",priority_raw="warning",rule="Read it",source="syscall"} 1`) {
		t.Error(m)
	}
}

func TestOnlyFourAnswersCountAsTaken(t *testing.T) {
	for code, words := range map[int]string{200: "", 201: "", 202: "", 204: "", 203: "unexpected Response (203)", 401: "authentication error (401)", 403: "access denied (403)", 500: "internal server error (500)"} {
		hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
		s, _ := sidekick(t, map[string]string{"WEBHOOK_ADDRESS": hook.URL})
		told := ""
		if err := s.send(s.settings.outputs[0], &payload{}); err != nil {
			told = err.Error()
		}
		if told != words {
			t.Errorf("%d: %q", code, told)
		}
		hook.Close()
	}
}
