// Settings of the stand-in for Falcosidekick: the real one's environment variables, for the outputs that it has.

package sidekick

import (
	"log"
	"os"
	"strings"
	"text/template"
)

type output struct {
	name      string // in metrics
	title     string // in the log
	minimum   int    // index in priorities; a larger index is a lesser priority
	endpoint  string
	payload   func(*payload) any
	method    string
	headers   map[string]string
	mutualTLS bool
	checkCert bool
}

type settings struct {
	customFields    map[string]string
	templatedFields map[string]*template.Template
	customTags      []string
	outputs         []*output
	clientTLS       clientTLS
	serverTLS       serverTLS
	host            string
	address         string
}

// activators are variables that would switch an output of the real Falcosidekick on, which this one lacks.
var activators = []string{"ALERTMANAGER_HOSTPORT", "DATADOG_APIKEY", "DISCORD_WEBHOOKURL", "ELASTICSEARCH_HOSTPORT", "GOOGLECHAT_WEBHOOKURL", "GRAFANA_HOSTPORT", "INFLUXDB_HOSTPORT", "KAFKA_HOSTPORT",
	"LOKI_HOSTPORT", "MATTERMOST_WEBHOOKURL", "NATS_HOSTPORT", "OPSGENIE_APIKEY", "PAGERDUTY_ROUTINGKEY", "REDIS_ADDRESS", "ROCKETCHAT_WEBHOOKURL", "SMTP_HOSTPORT", "SPLUNK_HOST", "SYSLOG_HOST", "TALON_ADDRESS", "TEAMS_WEBHOOKURL"}

func minimum(name string) int {
	if i := priorityIndex(os.Getenv(name)); i >= 0 {
		return i
	}
	return len(priorities) - 1
}

func pairs(text string) map[string]string {
	out := map[string]string{}
	for _, p := range strings.Split(text, ",") {
		if key, value, found := strings.Cut(p, ":"); found && key != "" {
			out[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	return out
}

// headers reads custom headers as the real program does: one that has a second colon, such as a URL, is left out.
func headers(text string) map[string]string {
	out := map[string]string{}
	for _, p := range strings.Split(text, ",") {
		if parts := strings.Split(p, ":"); len(parts) == 2 {
			out[parts[0]] = parts[1]
		}
	}
	return out
}

func isTrue(name string) bool { return strings.EqualFold(os.Getenv(name), "true") }

// newOutput is an output whose settings have the given prefix; the certificate of where it sends to is checked unless told.
func newOutput(title, endpoint string, made func(*payload) any) *output {
	prefix := strings.ToUpper(title)
	return &output{name: strings.ToLower(title), title: title, minimum: minimum(prefix + "_MINIMUMPRIORITY"), endpoint: endpoint, payload: made,
		method: "POST", mutualTLS: isTrue(prefix + "_MUTUALTLS"), checkCert: !strings.EqualFold(os.Getenv(prefix+"_CHECKCERT"), "false")}
}

func unchanged(p *payload) any { return p }

func readSettings() (*settings, []string) {
	s := &settings{customFields: pairs(os.Getenv("CUSTOMFIELDS")), templatedFields: map[string]*template.Template{}, customTags: strings.Split(os.Getenv("CUSTOMTAGS"), ","),
		clientTLS: readClientTLS(), serverTLS: readServerTLS(), host: os.Getenv("LISTENADDRESS")}
	s.address = s.host + ":" + orElse(os.Getenv("LISTENPORT"), "2801")
	for key, text := range pairs(os.Getenv("TEMPLATEDFIELDS")) {
		t, err := template.New(key).Parse(text)
		if err != nil {
			log.Printf("[ERROR] : TEMPLATEDFIELDS: %s: %v", key, err)
			continue
		}
		s.templatedFields[key] = t
	}
	s.outputs = append(s.messengers(), forwarders()...)
	if url := os.Getenv("WEBUI_URL"); url != "" {
		o := newOutput("WebUI", strings.TrimSuffix(url, "/")+"/api/v1/", func(p *payload) any { return map[string]any{"event": p, "outputs": s.names()} })
		o.minimum = len(priorities) - 1
		s.outputs = append(s.outputs, o)
	}
	refused := []string{}
	for _, name := range activators {
		if os.Getenv(name) != "" {
			refused = append(refused, name)
		}
	}
	return s, refused
}

// messengers are Slack and Telegram.
func (s *settings) messengers() []*output {
	found := []*output{}
	if url := os.Getenv("SLACK_WEBHOOKURL"); url != "" {
		found = append(found, newOutput("Slack", url, slackPayload))
	}
	if token, chat := os.Getenv("TELEGRAM_TOKEN"), os.Getenv("TELEGRAM_CHATID"); token != "" && chat != "" {
		// The real program posts to Telegram's own host; a sandbox posts to nobody outside itself.
		base := strings.TrimSuffix(os.Getenv("STANDIN_TELEGRAM_URL"), "/")
		o := newOutput("Telegram", "", telegramPayload(chat, orElse(os.Getenv("TELEGRAM_MESSAGETHREADID"), os.Getenv("TELEGRAM_MESSAGE_THREAD_ID"))))
		if base != "" {
			o.endpoint = base + "/bot" + token + "/sendMessage"
		}
		found = append(found, o)
	}
	return found
}

// forwarders are the outputs that post the alert as it came.
func forwarders() []*output {
	found := []*output{}
	if url := os.Getenv("WEBHOOK_ADDRESS"); url != "" {
		o := newOutput("Webhook", url, unchanged)
		if strings.EqualFold(os.Getenv("WEBHOOK_METHOD"), "PUT") {
			o.method = "PUT"
		}
		o.headers = headers(os.Getenv("WEBHOOK_CUSTOMHEADERS"))
		found = append(found, o)
	}
	if url := os.Getenv("NODERED_ADDRESS"); url != "" {
		o := newOutput("NodeRed", url, unchanged)
		o.headers = headers(os.Getenv("NODERED_CUSTOMHEADERS"))
		found = append(found, o)
	}
	if url := os.Getenv("TEKTON_EVENTLISTENER"); url != "" {
		found = append(found, newOutput("Tekton", url, unchanged))
	}
	if url := os.Getenv("N8N_ADDRESS"); url != "" {
		o := newOutput("n8n", url, unchanged)
		if name, value := os.Getenv("N8N_HEADERAUTHNAME"), os.Getenv("N8N_HEADERAUTHVALUE"); name != "" && value != "" {
			o.headers = map[string]string{name: value}
		}
		found = append(found, o)
	}
	return found
}

func (s *settings) names() []string {
	out := []string{}
	for _, o := range s.outputs {
		out = append(out, o.name)
	}
	return out
}

func orElse(value, other string) string {
	if value == "" {
		return other
	}
	return value
}
