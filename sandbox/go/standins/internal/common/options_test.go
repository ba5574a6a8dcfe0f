package common

import (
	"flag"
	"testing"
)

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		args   []string
		code   int
		goesOn bool
	}{{nil, 0, true}, {[]string{"-port", "1"}, 0, true}, {[]string{"-h"}, 0, false}, {[]string{"-v"}, 0, false}, {[]string{"-nowhere"}, 2, false}} {
		flags := flag.NewFlagSet("program", flag.ContinueOnError)
		port := flags.Int("port", 0, "port")
		code, goesOn := Options(flags, "v", "1", "[options]", c.args)
		if code != c.code || goesOn != c.goesOn {
			t.Errorf("%v: code %d, goes on %v", c.args, code, goesOn)
		}
		if len(c.args) == 2 && *port != 1 {
			t.Errorf("port is %d", *port)
		}
	}
}
