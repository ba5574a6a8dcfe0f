// Settings of the stand-in for Falcosidekick: the real one's environment variables, for the outputs that it has.

package sidekick

import (
	"log"
	"os"
	"strings"
	"text/template"

	"falconet.local/sandbox/standins/internal/rules"
)

type output struct {
	name     string
	minimum  int // index in rules.Priorities; a larger index is a lesser priority
	endpoint string
	payload  func(*payload) any
	method   string
	headers  map[string]string
}

type settings struct {
	customFields    map[string]string
	templatedFields map[string]*template.Template
	customTags      []string
	outputs         []*output
	address         string
}

// activators are variables that would switch an output of the real Falcosidekick on, which this one lacks.
var activators = []string{"ALERTMANAGER_HOSTPORT", "DATADOG_APIKEY", "DISCORD_WEBHOOKURL", "ELASTICSEARCH_HOSTPORT", "GOOGLECHAT_WEBHOOKURL", "GRAFANA_HOSTPORT", "INFLUXDB_HOSTPORT", "KAFKA_HOSTPORT",
	"LOKI_HOSTPORT", "MATTERMOST_WEBHOOKURL", "NATS_HOSTPORT", "OPSGENIE_APIKEY", "PAGERDUTY_ROUTINGKEY", "REDIS_ADDRESS", "ROCKETCHAT_WEBHOOKURL", "SMTP_HOSTPORT", "SPLUNK_HOST", "SYSLOG_HOST", "TALON_ADDRESS", "TEAMS_WEBHOOKURL"}

func minimum(name string) int {
	if i := rules.PriorityIndex(os.Getenv(name)); i >= 0 {
		return i
	}
	return len(rules.Priorities) - 1
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

func readSettings() (*settings, []string) {
	s := &settings{customFields: pairs(os.Getenv("CUSTOMFIELDS")), templatedFields: map[string]*template.Template{}, customTags: strings.Split(os.Getenv("CUSTOMTAGS"), ","),
		address: os.Getenv("LISTENADDRESS") + ":" + orElse(os.Getenv("LISTENPORT"), "2801")}
	for key, text := range pairs(os.Getenv("TEMPLATEDFIELDS")) {
		t, err := template.New(key).Parse(text)
		if err != nil {
			log.Printf("[ERROR] : TEMPLATEDFIELDS: %s: %v", key, err)
			continue
		}
		s.templatedFields[key] = t
	}
	if url := os.Getenv("SLACK_WEBHOOKURL"); url != "" {
		s.outputs = append(s.outputs, &output{name: "slack", minimum: minimum("SLACK_MINIMUMPRIORITY"), endpoint: url, payload: slackPayload, method: "POST"})
	}
	if token, chat := os.Getenv("TELEGRAM_TOKEN"), os.Getenv("TELEGRAM_CHATID"); token != "" && chat != "" {
		// The real program posts to Telegram's own host; a sandbox posts to nobody outside itself.
		base := strings.TrimSuffix(os.Getenv("STANDIN_TELEGRAM_URL"), "/")
		o := &output{name: "telegram", minimum: minimum("TELEGRAM_MINIMUMPRIORITY"), payload: telegramPayload(chat, orElse(os.Getenv("TELEGRAM_MESSAGETHREADID"), os.Getenv("TELEGRAM_MESSAGE_THREAD_ID"))), method: "POST"}
		if base != "" {
			o.endpoint = base + "/bot" + token + "/sendMessage"
		}
		s.outputs = append(s.outputs, o)
	}
	if url := os.Getenv("WEBHOOK_ADDRESS"); url != "" {
		s.outputs = append(s.outputs, &output{name: "webhook", minimum: minimum("WEBHOOK_MINIMUMPRIORITY"), endpoint: url, payload: func(p *payload) any { return p },
			method: orElse(os.Getenv("WEBHOOK_METHOD"), "POST"), headers: pairs(os.Getenv("WEBHOOK_CUSTOMHEADERS"))})
	}
	if url := os.Getenv("WEBUI_URL"); url != "" {
		s.outputs = append(s.outputs, &output{name: "webui", minimum: len(rules.Priorities) - 1, endpoint: strings.TrimSuffix(url, "/") + "/api/v1/", method: "POST",
			payload: func(p *payload) any { return map[string]any{"event": p, "outputs": s.names()} }})
	}
	refused := []string{}
	for _, name := range activators {
		if os.Getenv(name) != "" {
			refused = append(refused, name)
		}
	}
	return s, refused
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
