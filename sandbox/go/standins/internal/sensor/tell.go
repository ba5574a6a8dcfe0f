// Telling: events as lines of JSON to the program that asked for some of their fields, see sandbox/standins/falco/sensor.py.

package sensor

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"falconet.local/sandbox/standins/internal/common"
)

// teller writes events with the fields that were asked for last.
type teller struct {
	mutex  sync.Mutex
	out    *bufio.Writer
	fields map[string][]field // by event type; what is absent is not told
	asked  int
	line   []byte
}

func newTeller(out io.Writer) *teller { return &teller{out: bufio.NewWriterSize(out, 1<<16)} }

// Main tells of the events of a node until its standard input ends, and returns its exit code.
func Main(args []string) int {
	common.Start("falco-sensor")
	if len(args) > 0 {
		fmt.Fprintf(os.Stderr, "%s\nfalco-sensor takes no options: falco starts it, and asks by its standard input\n", common.Notice)
		return 2
	}
	s, err := Open(object(), filepath.Join(os.Getenv("HOST_ROOT"), "/proc"))
	if err != nil {
		log.Printf("Error: %v", err)
		return 1
	}
	t := newTeller(os.Stdout)
	t.say(map[string]any{"types": types()})
	go t.watch(s)
	go t.count(s)
	// The programs are attached to the kernel as long as this process lives.
	if err := t.listen(os.Stdin, s.Want); err != nil {
		log.Printf("Error: %v", err)
		return 1
	}
	return 0
}

// watch tells of each event.
func (t *teller) watch(s *Sensor) {
	for {
		e, err := s.Next()
		if err != nil {
			log.Printf("an event is lost: %v", err)
			continue
		}
		t.tell(e, s.reader.AvailableBytes() == 0)
	}
}

// object is the file with the sensor's programs.
func object() string {
	if file := os.Getenv("SENSOR_OBJECT"); file != "" {
		return file
	}
	return "/usr/share/falco/sensor.o"
}

// types are the event types that the sensor knows.
func types() []string {
	list := []string{exited.name}
	for _, c := range calls {
		list = append(list, c.name)
	}
	return list
}

// say writes one line that is no event.
func (t *teller) say(v any) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.write(v)
}

func (t *teller) write(v any) {
	_ = common.Line(t.out, v)
	t.out.Flush()
}

// listen takes what is asked for, line by line, up to the end.
func (t *teller) listen(in io.Reader, want func(func(string) bool) error) error {
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return nil
		}
		names := map[string][]string{}
		if err := json.Unmarshal(line, &names); err != nil {
			return fmt.Errorf("what is asked for is no object of lists of names: %w", err)
		}
		if err := want(func(eventType string) bool { _, asked := names[eventType]; return asked }); err != nil {
			return err
		}
		t.ask(names)
	}
}

func (t *teller) ask(names map[string][]string) {
	found := map[string][]field{}
	for eventType, list := range names {
		found[eventType] = []field{}
		for _, name := range list {
			found[eventType] = append(found[eventType], fieldOf(name))
		}
	}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.fields = found
	t.asked++
	t.write(map[string]int{"wanted": t.asked})
}

// tell writes an event, at once where no other waits.
func (t *teller) tell(e *Event, alone bool) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if wanted, asked := t.fields[e.call.name]; asked {
		b := append(t.line[:0], '[', '"')
		b = append(b, e.call.name...)
		b = append(b, '"', ',')
		b = strconv.AppendInt(b, e.TimeNS, 10)
		for _, get := range wanted {
			b = append(b, ',')
			if get == nil {
				b = append(b, "null"...)
			} else {
				b = appendValue(b, get(e))
			}
		}
		t.line = append(b, ']', '\n')
		_, _ = t.out.Write(t.line)
	}
	if alone {
		t.out.Flush()
	}
}

// count tells once a second how many events there were, and how many were lost, where that changed.
func (t *teller) count(s *Sensor) {
	var before [2]int64
	for range time.Tick(time.Second) {
		seen, dropped := s.Counts()
		if now := [2]int64{seen, dropped}; now != before {
			before = now
			t.say(map[string]int64{"seen": seen, "dropped": dropped})
		}
	}
}

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendText(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case bool:
		return strconv.AppendBool(b, v)
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, item)
		}
		return append(b, ']')
	}
	return append(b, "null"...)
}

const hexDigits = "0123456789abcdef"

// appendText writes a text; a byte that is no UTF-8 becomes the lone surrogate that Python makes of it (surrogateescape).
func appendText(b []byte, text string) []byte {
	b = append(b, '"')
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			if _, size := utf8.DecodeRuneInString(text[i:]); size > 1 {
				b = append(b, text[i:i+size]...)
				i += size
				continue
			}
			b = append(b, '\\', 'u', 'd', 'c', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
	}
	return append(b, '"')
}
