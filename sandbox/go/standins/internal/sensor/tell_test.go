package sensor

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// said is what a teller wrote, line by line.
func said(t *testing.T, out *bytes.Buffer) []any {
	t.Helper()
	list := []any{}
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		list = append(list, v)
	}
	out.Reset()
	return list
}

func TestAnEventIsToldWithTheFieldsThatAreAskedFor(t *testing.T) {
	s, out := node(t), &bytes.Buffer{}
	e := s.told(t, raw(kindSyscall, unix.SYS_OPENAT, 3, [6]uint64{}, map[int]string{textFirst: "/etc/a\"\x80\n", filePath: "a\x00etc\x00"}))
	teller := newTeller(out)
	wanted := []bool{}
	want := func(types func(string) bool) error {
		wanted = append(wanted, types("openat"), types("connect"))
		return nil
	}
	teller.tell(e, true)
	ask := `{"openat": ["evt.arg.name", "proc.aname[*]", "fd.num", "evt.is_open_read", "no.such"]}` + "\n"
	if err := teller.listen(strings.NewReader(ask), want); err != nil || !wanted[0] || wanted[1] {
		t.Fatalf("%v %v", err, wanted)
	}
	teller.tell(e, true)
	if !strings.Contains(out.String(), `"/etc/a\"\udc80\u000a"`) {
		t.Errorf("a byte that is no UTF-8 is kept as a lone surrogate: %s", out.String())
	}
	lines := said(t, out)
	if len(lines) != 2 || lines[0].(map[string]any)["wanted"] != 1.0 {
		t.Fatalf("nothing is told before it is asked for: %v", lines)
	}
	event := lines[1].([]any)
	if event[0] != "openat" || event[4] != 3.0 || event[5] != true || event[6] != nil {
		t.Errorf("%v", event)
	}
	if above := event[3].([]any); len(above) != 1 || above[0] != "containerd-shim" {
		t.Errorf("all ancestors are a list: %v", above)
	}
}

func TestWhatIsAskedForIsAnObjectOfLists(t *testing.T) {
	want := func(func(string) bool) error { return nil }
	if err := newTeller(&bytes.Buffer{}).listen(strings.NewReader("[]\n"), want); err == nil {
		t.Error("an error is wanted")
	}
}

func TestTheTypesAreThoseOfTheCallsAndTheEndOfAProcess(t *testing.T) {
	known := " " + strings.Join(types(), " ") + " "
	for _, name := range []string{"procexit", "execve", "openat", "open", "sendto"} {
		if !strings.Contains(known, " "+name+" ") {
			t.Errorf("%s is absent of %s", name, known)
		}
	}
}
