// Compilation: names are resolved, fields and event types checked, exceptions added, comparisons prepared.

package rules

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	fieldInOutput = regexp.MustCompile(`%([a-z][a-zA-Z0-9_]*\.[a-zA-Z0-9_.]+(?:\[[^\]]*\])?)`)
	argument      = regexp.MustCompile(`\[[^\]]*\]$`)
)

// checkField returns why a field cannot be used, or "".
func checkField(name string) string {
	base := argument.ReplaceAllString(name, "")
	if strings.HasPrefix(base, "evt.arg.") || strings.HasPrefix(base, "evt.rawarg.") {
		return ""
	}
	kind, known := knownFields[base]
	switch {
	case !known && kind == "":
		return fmt.Sprintf("filter_check called with nonexistent field %s", base)
	case kind == "none" && base != name:
		return fmt.Sprintf("filter field '%s' takes no argument", base)
	case kind == "required" && base == name:
		return fmt.Sprintf("filter field '%s' needs an argument", base)
	}
	return ""
}

// compile works on the rules whose source is syscall; rules of other sources need plugins that the stand-in lacks.
func (s *Ruleset) compile(r *Result) {
	for _, m := range s.macros {
		m.tree, m.resolving, m.used = nil, false, false
	}
	for _, rule := range s.Rules {
		if rule.Source != "syscall" {
			r.Warnings = append(r.Warnings, rule.at.warn("LOAD_UNKNOWN_SOURCE", fmt.Sprintf("Unknown source %s, skipping", rule.Source)))
			continue
		}
		condition := rule.Condition
		for _, e := range rule.Exceptions {
			if c := e.condition(); c != "" {
				condition = "(" + condition + ") and not (" + c + ")"
			}
		}
		tree, err := ParseCondition(condition)
		if err == nil {
			tree, err = s.resolve(tree, s.count) // a rule sees every macro, a macro only earlier ones
		}
		if err != nil {
			panic(fault{rule.at.compile(err)})
		}
		rule.Tree = tree
		for _, m := range fieldInOutput.FindAllStringSubmatch(rule.Output, -1) {
			if message := checkField(strings.TrimRight(m[1], ".")); message != "" {
				f := rule.at
				f.Code, f.Message = "LOAD_ERR_COMPILE_OUTPUT", fmt.Sprintf("invalid formatting token %s", m[1])
				panic(fault{f})
			}
		}
	}
	for name, m := range s.macros {
		if !m.used && m.at.File == r.File {
			r.Warnings = append(r.Warnings, m.at.warn("LOAD_UNUSED_MACRO", fmt.Sprintf("Macro %s not referred to by any other rule/macro", name)))
		}
	}
}

func (f Finding) warn(code, message string) Finding {
	f.Code, f.Message = code, message
	return f
}

func (s *Ruleset) resolve(tree Node, visible int) (Node, error) {
	var err error
	walk(tree, func(n Node) {
		if err != nil {
			return
		}
		switch n := n.(type) {
		case *Macro:
			m := s.macros[n.Name]
			if m == nil || m.order > visible {
				err = &SyntaxError{n.Pos, fmt.Sprintf("Undefined macro '%s' used in filter.", n.Name)}
				return
			}
			m.used = true
			if m.resolving {
				err = &SyntaxError{n.Pos, fmt.Sprintf("reference loop in macro '%s'", n.Name)}
				return
			}
			if m.tree == nil {
				m.resolving = true
				if m.tree, err = ParseCondition(m.condition); err == nil {
					m.tree, err = s.resolve(m.tree, m.order)
				}
				m.resolving = false
			}
			n.Body = m.tree
		case *Exists:
			if message := checkField(n.Field.Name); message != "" {
				err = &SyntaxError{n.Field.Pos, message}
			}
		case *Check:
			err = s.resolveCheck(n, visible)
		}
	})
	return tree, err
}

func (s *Ruleset) resolveCheck(n *Check, visible int) error {
	if message := checkField(n.Field.Name); message != "" {
		return &SyntaxError{n.Field.Pos, message}
	}
	n.Values = s.expand(n.Values, visible, map[string]bool{})
	if len(n.Values) == 0 && (n.Op == "in" || n.Op == "pmatch" || n.Op == "intersects") {
		n.match = func(any) bool { return false }
		return nil
	}
	if n.Field.Name == "evt.type" && len(n.Field.Transforms) == 0 {
		for _, v := range n.Values {
			if !knownEvents[v.Text] {
				return &SyntaxError{n.Field.Pos, fmt.Sprintf("unknown event type %s", v.Text)}
			}
		}
	}
	if err := n.compile(); err != nil {
		return &SyntaxError{n.Field.Pos, err.Error()}
	}
	return nil
}

// expand puts the items of lists in the place of their names.
func (s *Ruleset) expand(values []Value, visible int, seen map[string]bool) []Value {
	out := []Value{}
	for _, v := range values {
		l := s.lists[v.Text]
		if v.Quoted || l == nil || seen[v.Text] {
			out = append(out, v)
			continue
		}
		seen[v.Text] = true
		items := make([]Value, len(l.items))
		for i, item := range l.items {
			items[i] = Value{Text: item, Quoted: false}
		}
		out = append(out, s.expand(items, visible, seen)...)
		delete(seen, v.Text)
	}
	return out
}

// Format fills the fields of an output's text in; missing ones print as <NA>. It returns the values by field, too.
func Format(output string, e Event) (string, map[string]any) {
	fields := map[string]any{}
	text := fieldInOutput.ReplaceAllStringFunc(strings.TrimPrefix(output, "*"), func(token string) string {
		name := strings.TrimRight(token[1:], ".")
		v, ok := e.Field(name)
		if !ok {
			v = nil
		}
		fields[name] = v
		return Text(v) + token[1+len(name):]
	})
	return text, fields
}
