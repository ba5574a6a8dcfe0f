package receiver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func receiver(t *testing.T, keep int) string {
	t.Helper()
	front := httptest.NewServer(newServer(keep).routes())
	t.Cleanup(front.Close)
	return front.URL
}

func send(t *testing.T, url, body string) int {
	t.Helper()
	response, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

func alerts(t *testing.T, url string) []map[string]any {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	var out []map[string]any
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if line == "" {
			continue
		}
		var a map[string]any
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		out = append(out, a)
	}
	return out
}

const (
	slackBody    = `{"username":"Falcosidekick","attachments":[{"text":"it happened","fields":[{"title":"rule","value":"R","short":true},{"title":"k8s.ns.name","value":"prod"}]}]}`
	telegramBody = `{"chat_id":"7","parse_mode":"MarkdownV2","text":"*\\[Falco\\] \\[Warning\\] Read \\(it\\)*\nk8s\\.ns\\.name: prod"}`
	webhookBody  = `{"rule":"W","output":"o","output_fields":{"evt.time":1795251527573375270,"b":null}}`
)

func TestShapesAndThatNoSecretIsKeptOrLogged(t *testing.T) {
	var logged bytes.Buffer
	log.SetOutput(&logged)
	defer log.SetOutput(io.Discard)
	url := receiver(t, 10)
	send(t, url+"/services/T0/B0/SECRET", slackBody)
	send(t, url+"/bot1:SECRET/sendMessage", telegramBody)
	send(t, url+"/webhook", webhookBody)
	got := alerts(t, url+"/alerts")
	if len(got) != 3 || got[0]["destination"] != "slack" || got[1]["destination"] != "telegram" || got[2]["destination"] != "webhook" {
		t.Fatalf("%v", got)
	}
	if got[0]["rule"] != "R" || !strings.Contains(got[0]["text"].(string), "k8s.ns.name: prod") || got[0]["alert"] != nil {
		t.Error(got[0])
	}
	if got[1]["rule"] != "Read (it)" || !strings.Contains(got[1]["text"].(string), "k8s.ns.name: prod") {
		t.Error(got[1])
	}
	if got[2]["rule"] != "W" || got[2]["alert"].(map[string]any)["output"] != "o" {
		t.Error(got[2])
	}
	if all := fmt.Sprint(got) + logged.String(); strings.Contains(all, "SECRET") {
		t.Error(all)
	}
}

func TestSince(t *testing.T) {
	url := receiver(t, 10)
	send(t, url+"/webhook", webhookBody)
	first := alerts(t, url+"/alerts")[0]
	time.Sleep(time.Millisecond)
	middle := time.Now()
	send(t, url+"/webhook", strings.Replace(webhookBody, `"W"`, `"second"`, 1))
	for _, since := range []string{first["id"].(string), middle.UTC().Format(time.RFC3339Nano), fmt.Sprint(middle.UnixNano()), middle.In(time.FixedZone("x", 3600)).Format(time.RFC3339Nano)} {
		if got := alerts(t, url+"/alerts?since="+since); len(got) != 1 || got[0]["rule"] != "second" {
			t.Errorf("%s: %v", since, got)
		}
	}
	if got := alerts(t, url+"/alerts?since="); len(got) != 2 {
		t.Error(got)
	}
	if response, _ := http.Get(url + "/alerts?since=yesterday"); response.StatusCode != 400 {
		t.Error("a since that is no time is refused")
	}
}

func TestOnlyTheLastAreKept(t *testing.T) {
	url := receiver(t, 2)
	for i := range 5 {
		send(t, url+"/webhook", fmt.Sprintf(`{"rule":"%d"}`, i))
	}
	if got := alerts(t, url+"/alerts"); len(got) != 2 || got[0]["rule"] != "3" {
		t.Error(got)
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	url := receiver(t, 2)
	if code := send(t, url+"/webhook", "{"); code != 400 {
		t.Error(code)
	}
	if response, _ := http.Get(url + "/services/x"); response.StatusCode != 405 {
		t.Error(response.StatusCode)
	}
}
