// Evaluation of a resolved condition on one event. A field that the event lacks makes its check false, "!=" too.

package rules

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

func (n *And) Eval(e Event) bool    { return n.Left.Eval(e) && n.Right.Eval(e) }
func (n *Or) Eval(e Event) bool     { return n.Left.Eval(e) || n.Right.Eval(e) }
func (n *Not) Eval(e Event) bool    { return !n.Of.Eval(e) }
func (n *Macro) Eval(e Event) bool  { return n.Body != nil && n.Body.Eval(e) }
func (n *Exists) Eval(e Event) bool { v, ok := n.Field.get(e); return ok && v != nil }

func (n *Check) Eval(e Event) bool {
	v, ok := n.Field.get(e)
	if !ok || v == nil {
		return false
	}
	if several, ok := v.([]any); ok { // such as fd.ip: either end of a connection
		for _, one := range several {
			if n.match(one) {
				return true
			}
		}
		return false
	}
	return n.match(v)
}

func (o Operand) get(e Event) (any, bool) {
	v, ok := e.Field(o.Name)
	if !ok || len(o.Transforms) == 0 {
		return v, ok
	}
	s := Text(v)
	for _, t := range o.Transforms {
		s = transformers[t](s)
	}
	return s, true
}

// Text renders a field's value as Falco prints it in an output.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return "<NA>"
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return fmt.Sprint(v)
}

// compile prepares the comparison once, so that bad patterns and numbers are refused at load time.
func (n *Check) compile() error {
	texts := make([]string, len(n.Values))
	for i, v := range n.Values {
		texts[i] = v.Text
	}
	any1 := func(f func(have, want string) bool) func(any) bool {
		return func(v any) bool {
			have := Text(v)
			for _, want := range texts {
				if f(have, want) {
					return true
				}
			}
			return false
		}
	}
	pattern := func(translate func(string) string) error {
		re, err := regexp.Compile(translate(texts[0]))
		if err != nil {
			return fmt.Errorf("invalid pattern %q: %w", texts[0], err)
		}
		n.match = func(v any) bool { return re.MatchString(Text(v)) }
		return nil
	}
	if networkField.MatchString(n.Field.Name) {
		return n.compileNetworks(texts)
	}
	switch n.Op {
	case "=", "==", "in", "intersects":
		n.match = any1(func(have, want string) bool { return have == want })
	case "!=":
		n.match = func(v any) bool { return Text(v) != texts[0] }
	case "contains", "bcontains":
		n.match = any1(strings.Contains)
	case "icontains":
		n.match = any1(func(have, want string) bool { return strings.Contains(strings.ToLower(have), strings.ToLower(want)) })
	case "startswith", "bstartswith":
		n.match = any1(strings.HasPrefix)
	case "endswith":
		n.match = any1(strings.HasSuffix)
	case "pmatch":
		n.match = any1(func(have, want string) bool {
			want = strings.TrimSuffix(want, "/")
			return have == want || strings.HasPrefix(have, want+"/")
		})
	case "glob":
		return pattern(globToRegexp)
	case "iglob":
		return pattern(func(s string) string { return "(?i)" + globToRegexp(s) })
	case "regex":
		return pattern(func(s string) string { return "^(?:" + s + ")$" })
	case "<", "<=", ">", ">=":
		want, err := strconv.ParseInt(texts[0], 10, 64)
		if err != nil {
			return fmt.Errorf("%s %s %s: the right side is not a number", n.Field.Name, n.Op, texts[0])
		}
		n.match = func(v any) bool {
			have, err := strconv.ParseInt(Text(v), 10, 64)
			if err != nil {
				return false
			}
			switch n.Op {
			case "<":
				return have < want
			case "<=":
				return have <= want
			case ">":
				return have > want
			}
			return have >= want
		}
	default:
		return fmt.Errorf("operator %s is unknown to the stand-in", n.Op)
	}
	return nil
}

var networkField = regexp.MustCompile(`^fd\.[cslr]?net$`)

// compileNetworks compares an address with networks, or with single addresses.
func (n *Check) compileNetworks(texts []string) error {
	networks := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		network, err := netip.ParsePrefix(text)
		if address, notAddress := netip.ParseAddr(text); err != nil && notAddress == nil {
			network, err = netip.PrefixFrom(address, address.BitLen()), nil
		}
		if err != nil {
			return fmt.Errorf("%s: %q is neither a network nor an address", n.Field.Name, text)
		}
		networks[i] = network.Masked()
	}
	inside := func(v any) bool {
		address, err := netip.ParseAddr(Text(v))
		for _, network := range networks {
			if err == nil && network.Contains(address) {
				return true
			}
		}
		return false
	}
	switch n.Op {
	case "=", "==", "in", "intersects":
		n.match = inside
	case "!=":
		n.match = func(v any) bool { return !inside(v) }
	default:
		return fmt.Errorf("%s %s: networks are compared by = != in", n.Field.Name, n.Op)
	}
	return nil
}

func globToRegexp(glob string) string {
	var b strings.Builder
	b.WriteString("(?s)^")
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; c {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteString(".")
		case '[':
			end := strings.IndexByte(glob[i+1:], ']')
			if end < 1 {
				b.WriteString(`\[`)
				continue
			}
			class := glob[i+1 : i+1+end]
			if class[0] == '!' {
				class = "^" + class[1:]
			}
			b.WriteString("[" + class + "]")
			i += end + 1
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String() + "$"
}
