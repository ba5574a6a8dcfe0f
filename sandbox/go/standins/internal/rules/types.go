// Event types that a condition can hold for, so that the others need not be looked at.

package rules

// Types returns the event types that a condition names as its own; all is true where it may hold for any type.
func Types(n Node) (types map[string]bool, all bool) {
	switch n := n.(type) {
	case *Macro:
		if n.Body != nil {
			return Types(n.Body)
		}
	case *And:
		left, any1 := Types(n.Left)
		right, any2 := Types(n.Right)
		switch {
		case any1:
			return right, any2
		case any2:
			return left, false
		}
		shared := map[string]bool{}
		for t := range left {
			if right[t] {
				shared[t] = true
			}
		}
		return shared, false
	case *Or:
		left, any1 := Types(n.Left)
		right, any2 := Types(n.Right)
		if any1 || any2 {
			return nil, true
		}
		joined := map[string]bool{}
		for _, side := range []map[string]bool{left, right} {
			for t := range side {
				joined[t] = true
			}
		}
		return joined, false
	case *Check:
		if n.Field.Name == "evt.type" && len(n.Field.Transforms) == 0 && (n.Op == "=" || n.Op == "==" || n.Op == "in") {
			named := map[string]bool{}
			for _, v := range n.Values {
				named[v.Text] = true
			}
			return named, false
		}
	}
	return nil, true // what is left says nothing of the type, and the complement of some types is nearly all
}
