// The alert as it is forwarded, and its Slack and Telegram shapes.

package sidekick

import (
	"fmt"
	"os"
	"sort"
	"strings"
)

// payload is Falco's alert with Falcosidekick's additions, its keys in the order that was observed.
type payload struct {
	UUID         string         `json:"uuid"`
	Output       string         `json:"output"`
	Priority     string         `json:"priority"`
	Rule         string         `json:"rule"`
	Time         string         `json:"time"`
	OutputFields map[string]any `json:"output_fields"`
	Source       string         `json:"source"`
	Tags         []string       `json:"tags"`
	Hostname     string         `json:"hostname"`
}

var colours = map[string]string{"emergency": "#e20b0b", "alert": "#ff5400", "critical": "#ff9000", "error": "#ffc700", "warning": "#ffff00", "notice": "#5bffb5", "informational": "#68c2ff", "debug": "#ccfff2"}

func (p *payload) fieldNames() []string {
	names := []string{}
	for name := range p.OutputFields {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func slackPayload(p *payload) any {
	fields := []any{}
	add := func(title, value string) {
		fields = append(fields, map[string]any{"title": title, "value": value, "short": len([]rune(value)) < 36})
	}
	format := orElse(os.Getenv("SLACK_OUTPUTFORMAT"), "all")
	attachment := map[string]any{"fallback": p.Output, "color": colours[strings.ToLower(p.Priority)]}
	if format != "text" {
		add("rule", p.Rule)
		add("priority", p.Priority)
		add("source", p.Source)
		if p.Hostname != "" {
			add("hostname", p.Hostname)
		}
		if len(p.Tags) > 0 {
			add("tags", strings.Join(p.Tags, ", "))
		}
		for _, name := range p.fieldNames() {
			if text, ok := p.OutputFields[name].(string); ok {
				add(name, text)
			}
		}
		add("time", p.Time)
		attachment["footer"] = orElse(os.Getenv("SLACK_FOOTER"), "stand-in for falcosidekick")
	}
	if format != "fields" {
		attachment["text"] = p.Output
	}
	attachment["fields"] = fields
	message := map[string]any{"username": orElse(os.Getenv("SLACK_USERNAME"), "Falcosidekick"), "attachments": []any{attachment}}
	if channel := os.Getenv("SLACK_CHANNEL"); channel != "" {
		message["channel"] = channel
	}
	if icon := os.Getenv("SLACK_ICON"); icon != "" {
		message["icon_url"] = icon
	}
	return message
}

var markdown = strings.NewReplacer("_", `\_`, "*", `\*`, "[", `\[`, "]", `\]`, "(", `\(`, ")", `\)`, "~", `\~`, "`", "\\`", ">", `\>`,
	"#", `\#`, "+", `\+`, "-", `\-`, "=", `\=`, "|", `\|`, "{", `\{`, "}", `\}`, ".", `\.`, "!", `\!`)

func telegramPayload(chat, thread string) func(*payload) any {
	return func(p *payload) any {
		var b strings.Builder
		line := func(name string, value any) {
			fmt.Fprintf(&b, "%s: %s\n", name, markdown.Replace(fmt.Sprint(value)))
		}
		fmt.Fprintf(&b, "*%s*\n", markdown.Replace("[Falco] ["+p.Priority+"] "+p.Rule))
		line("Time", p.Time)
		line("Source", p.Source)
		line("Hostname", p.Hostname)
		line("Tags", strings.Join(p.Tags, " "))
		b.WriteString("Fields:\n")
		for _, name := range p.fieldNames() {
			line(markdown.Replace(name), p.OutputFields[name])
		}
		line("Output", p.Output)
		message := map[string]any{"chat_id": chat, "parse_mode": "MarkdownV2", "disable_web_page_preview": true, "text": b.String()}
		if thread != "" {
			message["message_thread_id"] = thread
		}
		return message
	}
}
