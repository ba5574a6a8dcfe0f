// The engine: rules loaded from files, events matched, alerts made in Falco's JSON or text shape.

package falco

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"falconet.local/sandbox/standins/internal/common"
	"falconet.local/sandbox/standins/internal/rules"
)

const suggestedOutput = "container_id=%container.id container_name=%container.name container_image_repository=%container.image.repository " +
	"container_image_tag=%container.image.tag k8s_pod_name=%k8s.pod.name k8s_ns_name=%k8s.ns.name"

type digest struct{ name, sum string }

// engine is one loaded state; a reload makes a new one.
type engine struct {
	config   *Config
	hostname string
	active   []*rules.Rule
	anyType  []*rules.Rule            // active rules that may hold for every event type
	byType   map[string][]*rules.Rule // active rules by the event types that they name, those of anyType among them
	digests  []digest
	state    string // digest over names and contents of the files, to notice changes
	matches  map[string]*atomic.Int64
	loadedNS int64
}

// snapshot reads the files once: contents by name, in order, and a digest of all.
func snapshot(files []string) (texts map[string]string, state string, err error) {
	texts = map[string]string{}
	h := sha256.New()
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, "", fmt.Errorf("could not read rules file %s: %w", f, err)
		}
		texts[f] = string(b)
		fmt.Fprintf(h, "%s\x00%d\x00", f, len(b))
		h.Write(b)
	}
	return texts, hex.EncodeToString(h.Sum(nil)), nil
}

// load reads and compiles all rules files; results are given back also when there is an error.
func load(c *Config, hostname string) (*engine, []rules.Result, error) {
	files := c.rulesFiles()
	texts, state, err := snapshot(files)
	if err != nil {
		return nil, nil, err
	}
	e := &engine{config: c, hostname: hostname, state: state, matches: map[string]*atomic.Int64{}, loadedNS: time.Now().UnixNano()}
	set, results := rules.New(), []rules.Result{}
	for _, f := range files {
		sum := sha256.Sum256([]byte(texts[f]))
		e.digests = append(e.digests, digest{filepath.Base(f), hex.EncodeToString(sum[:])})
		r := set.Load(f, texts[f])
		results = append(results, r)
		if len(r.Errors) > 0 {
			return nil, results, fmt.Errorf("%s: Invalid", f)
		}
	}
	sort.Slice(e.digests, func(i, j int) bool { return e.digests[i].name < e.digests[j].name })
	limit := rules.PriorityIndex(c.Priority)
	if limit < 0 {
		return nil, results, fmt.Errorf("priority %q is unknown", c.Priority)
	}
	for _, r := range set.Rules {
		enabled := r.Enabled
		for _, s := range c.Rules {
			enabled = s.apply(r, enabled)
		}
		if enabled && r.Tree != nil && r.Priority <= limit {
			e.active = append(e.active, r)
			e.matches[r.Name] = &atomic.Int64{}
		}
	}
	e.index()
	return e, results, nil
}

// index sorts the active rules by the event types that they can hold for; the order of the files stays.
func (e *engine) index() {
	e.byType = map[string][]*rules.Rule{}
	for _, r := range e.active {
		if types, all := rules.Types(r.Tree); !all {
			for t := range types {
				e.byType[t] = nil
			}
		}
	}
	for _, r := range e.active {
		types, all := rules.Types(r.Tree)
		if all {
			e.anyType = append(e.anyType, r)
		}
		for t := range e.byType {
			if all || types[t] {
				e.byType[t] = append(e.byType[t], r)
			}
		}
	}
}

// wants tells whether a rule can hold for events of a type.
func (e *engine) wants(eventType string) bool {
	_, named := e.byType[eventType]
	return named || len(e.anyType) > 0
}

func (e *engine) rulesFor(eventType string) []*rules.Rule {
	if list, named := e.byType[eventType]; named {
		return list
	}
	return e.anyType
}

func (s ruleSwitch) apply(r *rules.Rule, enabled bool) bool {
	hit := func(sel *ruleSelector) bool {
		if sel == nil {
			return false
		}
		for _, t := range r.Tags {
			if sel.Tag != "" && t == sel.Tag {
				return true
			}
		}
		ok, err := regexp.MatchString("^"+strings.ReplaceAll(regexp.QuoteMeta(sel.Rule), `\*`, ".*")+"$", r.Name)
		return sel.Rule != "" && err == nil && ok
	}
	if hit(s.Disable) {
		return false
	}
	return enabled || hit(s.Enable)
}

// alert is what goes out: text for a plain log, JSON for everything else.
type alert struct {
	text string
	json []byte
}

// event is what a sensor tells.
type event interface {
	rules.Event
	Type() string
}

// process matches one event and returns its alerts: the first rule's, or all with rule_matching all.
func (e *engine) process(ev event) []alert {
	var out []alert
	for _, r := range e.rulesFor(ev.Type()) {
		if !r.Tree.Eval(ev) {
			continue
		}
		e.matches[r.Name].Add(1)
		out = append(out, e.alert(r, ev))
		if e.config.RuleMatching == "first" {
			break
		}
	}
	return out
}

func (e *engine) alert(r *rules.Rule, ev event) alert {
	format := r.Output
	extra := []string{}
	for _, a := range e.config.AppendOutput {
		if !a.matches(r) {
			continue
		}
		if a.SuggestedOutput {
			format += " " + suggestedOutput
		}
		if a.ExtraOutput != "" {
			format += " " + a.ExtraOutput
		}
		for _, f := range a.ExtraFields {
			switch f := f.(type) {
			case string:
				extra = append(extra, f)
			case map[string]any:
				for _, v := range f {
					extra = append(extra, strings.TrimPrefix(fmt.Sprint(v), "%"))
				}
			}
		}
	}
	text, fields := rules.Format(format, ev)
	for _, f := range extra {
		v, _ := ev.Field(f)
		fields[f] = v
	}
	since, _ := ev.Field("evt.time")
	fields["evt.time"] = since
	ns, _ := since.(int64)
	return e.build(time.Unix(0, ns).UTC(), r.Name, rules.Priorities[r.Priority], r.Source, r.Tags, text, fields)
}

func (a appendOutput) matches(r *rules.Rule) bool {
	if a.Match.Source != "" && a.Match.Source != r.Source || a.Match.Rule != "" && a.Match.Rule != r.Name {
		return false
	}
	for _, want := range a.Match.Tags {
		found := false
		for _, t := range r.Tags {
			found = found || t == want
		}
		if !found {
			return false
		}
	}
	return true
}

func (e *engine) build(t time.Time, rule, priority, source string, tags []string, message string, fields map[string]any) alert {
	stamp := t.Format("15:04:05.000000000")
	if e.config.ISO8601 {
		stamp = t.Format("2006-01-02T15:04:05.000000000-0700")
	}
	text := message
	if source != "internal" {
		text = stamp + ": " + priority + " " + message
	}
	doc := map[string]any{"hostname": e.hostname, "priority": priority, "rule": rule, "source": source, "time": t.Format("2006-01-02T15:04:05.000000000Z")}
	if e.config.JSONText {
		doc["output"] = text
	}
	if e.config.JSONFields {
		doc["output_fields"] = fields
	}
	if e.config.JSONTags {
		sorted := append([]string{}, tags...)
		sort.Strings(sorted)
		doc["tags"] = sorted
	}
	var b bytes.Buffer
	_ = common.Line(&b, doc)
	return alert{text, bytes.TrimSpace(b.Bytes())}
}
