// Conditions of rules: tokens, grammar and the tree that the evaluator walks.

package rules

import (
	"fmt"
	"strings"
)

// Node is one knot of a condition's tree.
type Node interface{ Eval(Event) bool }

// Event answers what a field holds; ok is false when the event has no such field.
type Event interface {
	Field(name string) (value any, ok bool)
}

// And holds when both sides hold.
type And struct{ Left, Right Node }

// Or holds when one side holds.
type Or struct{ Left, Right Node }

// Not turns its operand round.
type Not struct{ Of Node }

// Exists holds when the event has the field.
type Exists struct{ Field Operand }

// Macro stands for a condition of its own; Body is set when names are resolved.
type Macro struct {
	Name string
	Pos  int
	Body Node
}

// Check compares a field with values.
type Check struct {
	Field  Operand
	Op     string
	Values []Value
	match  func(any) bool
}

// Operand is a field, with the transformers around it, innermost first.
type Operand struct {
	Name       string
	Pos        int
	Transforms []string
}

// Value is the right side of a comparison; an unquoted one may be the name of a list.
type Value struct {
	Text   string
	Quoted bool
}

// SyntaxError says where in a condition, as a byte offset, the grammar broke.
type SyntaxError struct {
	Offset  int
	Message string
}

func (e *SyntaxError) Error() string { return e.Message }

var (
	binaryOps = []string{"icontains", "bcontains", "bstartswith", "startswith", "endswith", "contains", "iglob", "glob", "regex", "!=", "==", "<=", ">=", "=", "<", ">"}
	listOps   = []string{"intersects", "pmatch", "in"}
	// transformers that a stand-in can compute; Falco has more (b64, basename, len, concat, join ...).
	transformers = map[string]func(string) string{
		"toupper":  strings.ToUpper,
		"tolower":  strings.ToLower,
		"basename": func(s string) string { return s[strings.LastIndexByte(s, '/')+1:] },
	}
)

type parser struct {
	text string
	at   int
}

// ParseCondition turns the text of a condition into a tree, or returns a *SyntaxError.
func ParseCondition(text string) (Node, error) {
	p := &parser{text: text}
	node, err := p.or()
	if err != nil {
		return nil, err
	}
	p.space()
	if p.at < len(p.text) {
		return nil, p.fail("unexpected token after the end of the condition: '%s'", p.rest())
	}
	return node, nil
}

func (p *parser) fail(format string, args ...any) error {
	return &SyntaxError{p.at, fmt.Sprintf(format, args...)}
}

func (p *parser) rest() string {
	r := p.text[p.at:]
	if len(r) > 24 {
		r = r[:24] + "..."
	}
	return r
}

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n\b", p.text[p.at]) >= 0 {
		p.at++
	}
}

func wordByte(c byte) bool {
	return c == '_' || c == '-' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// keyword takes the word if it stands here alone.
func (p *parser) keyword(word string) bool {
	p.space()
	end := p.at + len(word)
	if !strings.HasPrefix(p.text[p.at:], word) || end < len(p.text) && wordByte(p.text[end]) {
		return false
	}
	p.at = end
	return true
}

func (p *parser) symbol(s string) bool {
	p.space()
	if !strings.HasPrefix(p.text[p.at:], s) {
		return false
	}
	p.at += len(s)
	return true
}

func (p *parser) or() (Node, error) {
	left, err := p.and()
	for err == nil && p.keyword("or") {
		var right Node
		if right, err = p.and(); err == nil {
			left = &Or{left, right}
		}
	}
	return left, err
}

func (p *parser) and() (Node, error) {
	left, err := p.not()
	for err == nil && p.keyword("and") {
		var right Node
		if right, err = p.not(); err == nil {
			left = &And{left, right}
		}
	}
	return left, err
}

func (p *parser) not() (Node, error) {
	if p.keyword("not") {
		of, err := p.not()
		return &Not{of}, err
	}
	if p.symbol("(") {
		node, err := p.or()
		if err == nil && !p.symbol(")") {
			err = p.fail("expected a ')' token, or an operator, before '%s'", p.rest())
		}
		return node, err
	}
	return p.check()
}

func (p *parser) operand() (Operand, error) {
	p.space()
	start := p.at
	for p.at < len(p.text) && wordByte(p.text[p.at]) {
		p.at++
	}
	name := p.text[start:p.at]
	if name == "" {
		return Operand{}, p.fail("expected a field, a macro or a '(' before '%s'", p.rest())
	}
	if _, known := transformers[name]; known && p.symbol("(") {
		inner, err := p.operand()
		if err == nil && !p.symbol(")") {
			err = p.fail("expected a ')' after the argument of %s", name)
		}
		inner.Transforms = append(inner.Transforms, name)
		return inner, err
	}
	if p.at < len(p.text) && p.text[p.at] == '[' {
		end := strings.IndexByte(p.text[p.at:], ']')
		if end < 0 {
			return Operand{}, p.fail("the argument of %s has no closing ']'", name)
		}
		arg := p.text[p.at+1 : p.at+end]
		if len(arg) > 1 && (arg[0] == '"' || arg[0] == '\'') && arg[len(arg)-1] == arg[0] {
			arg = arg[1 : len(arg)-1]
		}
		name += "[" + arg + "]"
		p.at += end + 1
	}
	return Operand{Name: name, Pos: start}, nil
}

func (p *parser) check() (Node, error) {
	field, err := p.operand()
	if err != nil {
		return nil, err
	}
	if p.keyword("exists") {
		return &Exists{field}, nil
	}
	for _, op := range listOps {
		if p.keyword(op) {
			if !p.symbol("(") {
				return nil, p.fail("expected a '(' after '%s'", op)
			}
			values, err := p.list()
			return &Check{Field: field, Op: op, Values: values}, err
		}
	}
	for _, op := range binaryOps {
		if op[0] >= 'a' && p.keyword(op) || op[0] < 'a' && p.symbol(op) {
			value, err := p.value()
			return &Check{Field: field, Op: op, Values: []Value{value}}, err
		}
	}
	if len(field.Transforms) > 0 || strings.ContainsAny(field.Name, ".[") {
		return nil, p.fail("expected an operator after field '%s' before '%s'", field.Name, p.rest())
	}
	return &Macro{Name: field.Name, Pos: field.Pos}, nil
}

func (p *parser) list() ([]Value, error) {
	values := []Value{}
	if p.symbol(")") {
		return values, nil
	}
	for {
		value, err := p.value()
		if err != nil {
			return nil, err
		}
		values = append(values, value)
		if p.symbol(")") {
			return values, nil
		}
		if !p.symbol(",") {
			return nil, p.fail("expected a ',' or a ')' in a list before '%s'", p.rest())
		}
	}
}

func (p *parser) value() (Value, error) {
	p.space()
	if p.at >= len(p.text) {
		return Value{}, p.fail("expected a value, found the end of the condition")
	}
	if q := p.text[p.at]; q == '"' || q == '\'' {
		var out strings.Builder
		for i := p.at + 1; i < len(p.text); i++ {
			switch c := p.text[i]; {
			case c == '\\' && i+1 < len(p.text) && strings.IndexByte("\\\"'bfnrt", p.text[i+1]) >= 0:
				i++
				out.WriteByte(map[byte]byte{'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', '\\': '\\', '"': '"', '\'': '\''}[p.text[i]])
			case c == q:
				p.at = i + 1
				return Value{out.String(), true}, nil
			default:
				out.WriteByte(c)
			}
		}
		return Value{}, p.fail("a quoted string has no end: %s", p.rest())
	}
	start := p.at
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n()\"'=,", p.text[p.at]) < 0 {
		p.at++
	}
	if p.at == start {
		return Value{}, p.fail("expected a value before '%s'", p.rest())
	}
	return Value{p.text[start:p.at], false}, nil
}

// walk calls f on every knot, macros' bodies excepted.
func walk(n Node, f func(Node)) {
	f(n)
	switch n := n.(type) {
	case *And:
		walk(n.Left, f)
		walk(n.Right, f)
	case *Or:
		walk(n.Left, f)
		walk(n.Right, f)
	case *Not:
		walk(n.Of, f)
	}
}
