// The loader: rule files in, a ruleset out; every fault carries Falco's code, the file, the line and the column.

package rules

import (
	_ "embed"
	"errors"
	"fmt"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed fields.tsv
var fieldTable string

//go:embed events.txt
var eventTable string

var knownFields, knownEvents = map[string]string{}, map[string]bool{}

func init() {
	for _, line := range strings.Split(strings.TrimSpace(fieldTable), "\n") {
		name, argument, _ := strings.Cut(line, "\t")
		knownFields[name] = argument
	}
	for _, name := range strings.Fields(eventTable) {
		knownEvents[name] = true
	}
}

// Priorities in Falco's order; the index is the number used in metrics.
var Priorities = []string{"Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"}

// PriorityIndex finds a priority whatever its case; "info" means informational; -1 when there is none.
func PriorityIndex(name string) int {
	if strings.EqualFold(name, "info") {
		name = "Informational"
	}
	for i, p := range Priorities {
		if strings.EqualFold(p, name) {
			return i
		}
	}
	return -1
}

// Finding is one error or warning of the load.
type Finding struct {
	Code, Message, File, ItemType, ItemName string
	Snippet                                 string // the line, and a caret under the column
	Line, Column, Offset                    int
}

func (f Finding) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s", f.File, f.Line, f.Column, f.Code, f.Message)
}

// Result is what loading one file gave.
type Result struct {
	File             string
	Text             string
	Errors, Warnings []Finding
}

// Exception is one exception of a rule.
type Exception struct {
	Name   string
	Single bool
	Fields []string
	Comps  []string
	Values []yaml.Node
}

// Rule is one detection rule.
type Rule struct {
	Name, Desc, Condition, Output, Source string
	Priority                              int
	Tags                                  []string
	Enabled                               bool
	Exceptions                            []Exception
	Tree                                  Node
	at                                    Finding
	order                                 int
}

type macro struct {
	condition string
	at        Finding
	order     int
	used      bool
	tree      Node
	resolving bool
}

type list struct {
	items []string
	order int
}

// Ruleset collects files in order and compiles them.
type Ruleset struct {
	Rules  []*Rule
	rules  map[string]*Rule
	macros map[string]*macro
	lists  map[string]*list
	count  int
}

// New returns an empty ruleset.
func New() *Ruleset {
	return &Ruleset{rules: map[string]*Rule{}, macros: map[string]*macro{}, lists: map[string]*list{}}
}

type fault struct{ Finding }

// Load adds one file and compiles all that is known so far, as Falco does after each file.
func (s *Ruleset) Load(file, text string) (result Result) {
	result = Result{File: file, Text: text}
	defer func() {
		if f, ok := recover().(fault); ok {
			result.Errors = append(result.Errors, f.Finding)
		}
	}()
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var doc yaml.Node
		err := decoder.Decode(&doc)
		if err != nil && err.Error() == "EOF" {
			break
		}
		if err != nil {
			f := Finding{Code: "LOAD_ERR_YAML_PARSE", Message: strings.TrimPrefix(err.Error(), "yaml: "), File: file, ItemType: "rules content"}
			if _, err := fmt.Sscanf(f.Message, "line %d:", &f.Line); err == nil {
				f.Snippet = snippet(text, f.Line, 1)
			}
			panic(fault{f})
		}
		s.document(&result, &doc)
	}
	s.compile(&result)
	return result
}

func (s *Ruleset) document(r *Result, doc *yaml.Node) {
	if len(doc.Content) == 0 {
		return
	}
	root := doc.Content[0]
	if root.Tag == "!!null" {
		return
	}
	if root.Kind != yaml.SequenceNode {
		panic(r.fault(root, "rules content", "", "LOAD_ERR_YAML_VALIDATE", "Rules content is not yaml array of objects"))
	}
	for _, item := range root.Content {
		if item.Kind != yaml.MappingNode || len(item.Content) == 0 {
			panic(r.fault(item, "rules content item", "", "LOAD_ERR_YAML_VALIDATE", "Unexpected element type. Each element should be a yaml associative array."))
		}
		s.item(r, item)
	}
}

func (r *Result) fault(n *yaml.Node, kind, name, code, message string) fault {
	return fault{r.finding(n, kind, name, code, message)}
}

func (r *Result) finding(n *yaml.Node, kind, name, code, message string) Finding {
	f := Finding{Code: code, Message: message, File: r.File, ItemType: kind, ItemName: name, Line: n.Line, Column: n.Column}
	for line, rest := 1, r.Text; line < n.Line; line++ {
		i := strings.IndexByte(rest, '\n') + 1
		f.Offset += i
		rest = rest[i:]
	}
	f.Offset += max(n.Column-1, 0)
	f.Snippet = snippet(r.Text, n.Line, n.Column)
	return f
}

func snippet(text string, line, column int) string {
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return "<No context available>\n"
	}
	return lines[line-1] + "\n" + strings.Repeat(" ", max(column-1, 0)) + "^\n"
}

// keys gives a mapping's values by key; the set of keys that were read tells the unknown ones afterwards.
type keys struct {
	r          *Result
	kind, name string
	node       *yaml.Node
	values     map[string]*yaml.Node
	read       map[string]bool
}

func (k *keys) get(key string) *yaml.Node {
	k.read[key] = true
	return k.values[key]
}

func (k *keys) fail(n *yaml.Node, format string, args ...any) {
	panic(k.r.fault(n, k.kind, k.name, "LOAD_ERR_YAML_VALIDATE", fmt.Sprintf(format, args...)))
}

func (k *keys) text(key string, required bool) (string, bool) {
	n := k.get(key)
	if n == nil {
		if required {
			k.fail(k.node, "Item has no mapping for key '%s'", key)
		}
		return "", false
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || n.Value == "" && required {
		k.fail(n, "Mapping for key '%s' is empty or not a string", key)
	}
	return n.Value, true
}

func (k *keys) flag(key string) (value, found bool) {
	text, found := k.text(key, false)
	if found && text != "true" && text != "false" {
		k.fail(k.values[key], "Can't decode YAML scalar value '%s' of key '%s': true or false is wanted", text, key)
	}
	return text == "true", found
}

func (k *keys) strings(key string) ([]string, bool) {
	n := k.get(key)
	if n == nil {
		return nil, false
	}
	if n.Kind != yaml.SequenceNode {
		k.fail(n, "Value of key '%s' is not a sequence", key)
	}
	out := []string{}
	for _, item := range n.Content {
		if item.Kind != yaml.ScalarNode {
			k.fail(item, "An item of '%s' is not a scalar", key)
		}
		out = append(out, item.Value)
	}
	return out, true
}

// override tells for each overridable key whether it is appended or replaced; legacy `append: true` appends them all.
func (k *keys) override() map[string]string {
	out := map[string]string{}
	if legacy, _ := k.flag("append"); legacy {
		for _, key := range []string{"condition", "items", "exceptions", "tags", "desc", "output"} {
			if k.values[key] != nil {
				out[key] = "append"
			}
		}
	}
	if n := k.get("override"); n != nil {
		if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
			k.fail(n, "'override' is not a mapping of keys to append or replace")
		}
		for i := 0; i < len(n.Content); i += 2 {
			key, how := n.Content[i].Value, n.Content[i+1].Value
			if how != "append" && how != "replace" {
				k.fail(n.Content[i+1], "Invalid override operation for key '%s': '%s'. Allowed values: append, replace", key, how)
			}
			if k.values[key] == nil {
				k.fail(n.Content[i], "An '%s' override is specified for '%s', but the item has no such key", how, key)
			}
			out[key] = how
		}
	}
	return out
}

func (s *Ruleset) item(r *Result, node *yaml.Node) {
	k := &keys{r: r, node: node, values: map[string]*yaml.Node{}, read: map[string]bool{}}
	for i := 0; i < len(node.Content); i += 2 {
		k.values[node.Content[i].Value] = node.Content[i+1]
	}
	for _, kind := range []string{"rule", "macro", "list", "required_engine_version", "required_plugin_versions"} {
		n := k.values[kind]
		if n == nil {
			continue
		}
		k.kind = kind
		if n.Kind == yaml.ScalarNode {
			k.name = n.Value
		}
		switch kind {
		case "rule":
			s.rule(r, k)
		case "macro":
			s.macro(r, k)
		case "list":
			s.list(k)
		default:
			k.get(kind)
		}
		unknown := []string{}
		for key := range k.values {
			if !k.read[key] {
				unknown = append(unknown, key)
			}
		}
		sort.Strings(unknown)
		for _, key := range unknown {
			r.Warnings = append(r.Warnings, r.finding(k.values[key], kind, k.name, "LOAD_UNKNOWN_KEY", fmt.Sprintf("Unknown top level key '%s'", key)))
		}
		return
	}
	r.Warnings = append(r.Warnings, r.finding(node, "rules content item", "", "LOAD_UNKNOWN_ITEM", "Unknown top level item"))
}

func (s *Ruleset) list(k *keys) {
	name, _ := k.text("list", true)
	how := k.override()["items"]
	items, found := k.strings("items")
	if !found {
		k.fail(k.node, "Item has no mapping for key 'items'")
	}
	s.count++
	old := s.lists[name]
	if how != "" && old == nil {
		k.fail(k.node, "List '%s' has '%s' key but no list by that name already exists", name, how)
	}
	if how == "append" {
		items = append(append([]string{}, old.items...), items...)
	}
	s.lists[name] = &list{items, s.count}
}

func (s *Ruleset) macro(r *Result, k *keys) {
	name, _ := k.text("macro", true)
	how := k.override()["condition"]
	condition, _ := k.text("condition", true)
	s.count++
	old := s.macros[name]
	if how != "" && old == nil {
		k.fail(k.node, "Macro '%s' has '%s' key but no macro by that name already exists", name, how)
	}
	if how == "append" {
		condition = old.condition + " " + condition
	}
	order := s.count
	if old != nil {
		order = old.order // a macro keeps its place: what could use it before still can
	}
	m := &macro{condition: condition, at: r.finding(k.values["condition"], "macro", name, "", ""), order: order}
	if _, err := ParseCondition(condition); err != nil {
		panic(fault{m.at.compile(err)})
	}
	s.macros[name] = m
}

func (f Finding) compile(err error) Finding {
	f.Code, f.Message = "LOAD_ERR_COMPILE_CONDITION", err.Error()
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		f.Message = fmt.Sprintf("%s (at byte %d of the condition)", syntax.Message, syntax.Offset)
	}
	return f
}

func (s *Ruleset) rule(r *Result, k *keys) {
	name, _ := k.text("rule", true)
	how := k.override()
	s.count++
	old := s.rules[name]
	if len(how) > 0 && old == nil {
		k.fail(k.node, "Rule '%s' has 'append' key or is overridden, but no rule by that name already exists", name)
	}
	if len(how) > 0 {
		s.overrideRule(r, k, old, how)
		return
	}
	if enabled, found := k.flag("enabled"); found && old != nil && k.values["condition"] == nil && k.values["output"] == nil {
		old.Enabled = enabled
		return
	}
	n := &Rule{Name: name, Enabled: true, Source: "syscall", order: s.count}
	n.Condition, _ = k.text("condition", true)
	n.Output, _ = k.text("output", true)
	n.Output = strings.TrimSpace(n.Output)
	n.Desc, _ = k.text("desc", true)
	priority, _ := k.text("priority", true)
	if n.Priority = PriorityIndex(priority); n.Priority < 0 {
		k.fail(k.values["priority"], "Invalid priority '%s'", priority)
	}
	if source, found := k.text("source", false); found {
		n.Source = source
	}
	if enabled, found := k.flag("enabled"); found {
		n.Enabled = enabled
	}
	k.flag("warn_evttypes")
	k.flag("skip-if-unknown-filter")
	k.flag("capture")
	k.text("capture_duration", false)
	n.Tags, _ = k.strings("tags")
	n.Exceptions = k.exceptions()
	n.at = r.finding(k.values["condition"], "rule", name, "", "")
	if _, err := ParseCondition(n.Condition); err != nil {
		panic(fault{n.at.compile(err)})
	}
	if old != nil {
		n.order = old.order
		for i := range s.Rules {
			if s.Rules[i] == old {
				s.Rules[i] = n
			}
		}
	} else {
		s.Rules = append(s.Rules, n)
	}
	s.rules[name] = n
}

func (s *Ruleset) overrideRule(r *Result, k *keys, old *Rule, how map[string]string) {
	join := func(key string, value *string) {
		text, found := k.text(key, false)
		switch {
		case !found:
		case how[key] == "append":
			*value += " " + text
		case how[key] == "replace":
			*value = text
		default:
			k.fail(k.values[key], "The key '%s' stands beside overrides and is not overridden itself", key)
		}
	}
	join("condition", &old.Condition)
	join("output", &old.Output)
	join("desc", &old.Desc)
	if priority, found := k.text("priority", false); found {
		if old.Priority = PriorityIndex(priority); old.Priority < 0 {
			k.fail(k.values["priority"], "Invalid priority '%s'", priority)
		}
	}
	if enabled, found := k.flag("enabled"); found {
		old.Enabled = enabled
	}
	if tags, found := k.strings("tags"); found {
		if how["tags"] == "append" {
			tags = append(append([]string{}, old.Tags...), tags...)
		}
		old.Tags = tags
	}
	if more := k.exceptions(); len(more) > 0 {
		if how["exceptions"] == "append" {
			more = mergeExceptions(old.Exceptions, more)
		}
		old.Exceptions = more
	}
	if n := k.values["condition"]; n != nil {
		old.at = r.finding(n, "rule", old.Name, "", "")
	}
	if _, err := ParseCondition(old.Condition); err != nil {
		panic(fault{old.at.compile(err)})
	}
}
