package h1

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A known case is a file of testdata/desync: three lines "source:", "kind:" and
// "want:", an empty one, and then the bytes as Go strings, one a line.
type knownCase struct {
	name, source string
	kind         Kind
	want         string // a reason, or the number of messages that are read whole, with nothing behind them
	text         string
}

func corpus(t testing.TB) []knownCase {
	t.Helper()
	files, err := filepath.Glob("testdata/desync/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("got no corpus: %v", err)
	}
	var out []knownCase
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, body, _ := strings.Cut(string(b), "\n\n")
		c := knownCase{name: strings.TrimSuffix(filepath.Base(file), ".txt")}
		for line := range strings.Lines(head) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch key {
			case "source":
				c.source = value
			case "want":
				c.want = value
			case "kind":
				c.kind = map[string]Kind{"request": Request, "answer": Answer}[value]
			default:
				t.Fatalf("%s: got the line %q", file, line)
			}
		}
		for line := range strings.Lines(body) {
			s, err := strconv.Unquote(strings.TrimSpace(line))
			if err != nil {
				t.Fatalf("%s: %q: %v", file, line, err)
			}
			c.text += s
		}
		if c.source == "" || c.want == "" || c.text == "" {
			t.Fatalf("%s: got %+v, want a source, a want and bytes", file, c)
		}
		out = append(out, c)
	}
	return out
}

func TestKnownDesyncCasesAreReadInOneWay(t *testing.T) {
	for _, c := range corpus(t) {
		r := read(c.kind, c.text)
		whole := 0
		for _, m := range r.got {
			if m.Whole {
				whole++
			}
		}
		got := ReasonOf(r.err).String()
		if r.err == nil {
			got = strconv.Itoa(whole)
			if rest := r.rest(); rest != "" || whole != len(r.got) {
				t.Errorf("%s (%s): %d of %d messages are whole, %q behind", c.name, c.source, whole, len(r.got), rest)
			}
		}
		if got != c.want {
			t.Errorf("%s (%s): got %s, want %s, of %.300q: %.600s", c.name, c.source, got, c.want, c.text, r)
		}
		for _, m := range r.got {
			if strings.HasPrefix(m.Target, "/smuggled") {
				t.Errorf("%s (%s): the hidden request was read, of %.300q", c.name, c.source, c.text)
			}
		}
	}
}
