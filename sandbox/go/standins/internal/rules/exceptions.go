// Exceptions of a rule: reading them, and the condition that they stand for.

package rules

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

func (k *keys) exceptions() []Exception {
	n := k.get("exceptions")
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		k.fail(n, "Rule exceptions must be a sequence")
	}
	out := []Exception{}
	for _, item := range n.Content {
		if item.Kind != yaml.MappingNode {
			k.fail(item, "Rule exception must be a mapping")
		}
		sub := &keys{r: k.r, kind: "exception", node: item, values: map[string]*yaml.Node{}, read: map[string]bool{}}
		for i := 0; i < len(item.Content); i += 2 {
			sub.values[item.Content[i].Value] = item.Content[i+1]
		}
		e := Exception{}
		e.Name, _ = sub.text("name", true)
		sub.name = e.Name
		e.Fields, e.Single = sub.oneOrMany("fields")
		e.Comps, _ = sub.oneOrMany("comps")
		if values := sub.get("values"); values != nil {
			if values.Kind != yaml.SequenceNode {
				sub.fail(values, "'values' of exception %s is not a sequence", e.Name)
			}
			for _, v := range values.Content {
				e.Values = append(e.Values, *v)
			}
		}
		if e.Comps != nil && e.Fields != nil && len(e.Comps) != len(e.Fields) {
			sub.fail(item, "Fields and comps lists must have equal length")
		}
		for _, f := range e.Fields {
			if message := checkField(f); message != "" {
				sub.fail(item, "'%s' is not a supported filter field", f)
			}
		}
		out = append(out, e)
	}
	return out
}

func (k *keys) oneOrMany(key string) (values []string, single bool) {
	n := k.get(key)
	if n == nil {
		return nil, false
	}
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}, true
	}
	values, _ = k.strings(key)
	return values, false
}

func mergeExceptions(old, more []Exception) []Exception {
	out := append([]Exception{}, old...)
next:
	for _, e := range more {
		for i := range out {
			if out[i].Name == e.Name {
				out[i].Values = append(append([]yaml.Node{}, out[i].Values...), e.Values...)
				continue next
			}
		}
		out = append(out, e)
	}
	return out
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// condition writes the exception as text that may follow "and not"; empty when it has no values.
func (e Exception) condition() string {
	comp := func(i int) string {
		if i < len(e.Comps) {
			return e.Comps[i]
		}
		if e.Single {
			return "in"
		}
		return "="
	}
	literal := func(op string, n *yaml.Node) string {
		if n.Kind == yaml.SequenceNode {
			items := []string{}
			for _, c := range n.Content {
				items = append(items, bareOrQuoted(c))
			}
			return "(" + strings.Join(items, ", ") + ")"
		}
		if op == "in" || op == "pmatch" || op == "intersects" {
			return "(" + strings.Trim(bareOrQuoted(n), "()") + ")"
		}
		return bareOrQuoted(n)
	}
	parts := []string{}
	if e.Single {
		op := comp(0)
		if op == "in" || op == "pmatch" || op == "intersects" {
			all := []string{}
			for i := range e.Values {
				all = append(all, bareOrQuoted(&e.Values[i]))
			}
			if len(all) > 0 {
				parts = append(parts, e.Fields[0]+" "+op+" ("+strings.Join(all, ", ")+")")
			}
		} else {
			for i := range e.Values {
				parts = append(parts, e.Fields[0]+" "+op+" "+literal(op, &e.Values[i]))
			}
		}
	} else {
		for i := range e.Values {
			tuple := []string{}
			for j := 0; j < len(e.Fields) && j < len(e.Values[i].Content); j++ {
				tuple = append(tuple, e.Fields[j]+" "+comp(j)+" "+literal(comp(j), e.Values[i].Content[j]))
			}
			if len(tuple) > 0 {
				parts = append(parts, "("+strings.Join(tuple, " and ")+")")
			}
		}
	}
	return strings.Join(parts, " or ")
}

// bareOrQuoted leaves a plain word bare, so that it may name a list.
func bareOrQuoted(n *yaml.Node) string {
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0 && n.Value != "" && !strings.ContainsAny(n.Value, " \t\n()\"'=,\\") {
		return n.Value
	}
	return quote(n.Value)
}
