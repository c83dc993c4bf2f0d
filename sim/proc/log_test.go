package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLongLogKeepsItsNewerHalf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range 1000 {
		fmt.Fprintf(f, "line %04d\n", i)
	}
	shorten(path, 20_000)
	if st, _ := f.Stat(); st.Size() != 10_000 {
		t.Fatalf("a log within its limit was cut to %d bytes", st.Size())
	}
	shorten(path, 1000)
	fmt.Fprintln(f, "the child goes on")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) > 60 || lines[0] != "[the lab removed 9510 bytes of older lines here]" || lines[len(lines)-2] != "line 0999" || lines[len(lines)-1] != "the child goes on" {
		t.Errorf("got %d lines: first %q, last two %q", len(lines), lines[0], lines[len(lines)-2:])
	}
	if !strings.HasPrefix(lines[1], "line ") {
		t.Errorf("first kept line is cut: %q", lines[1])
	}

	// What is cut later is added to what was cut before.
	for range 100 {
		fmt.Fprintln(f, "another line of twenty bytes"[:19])
	}
	shorten(path, 1000)
	all, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, kept, _ := strings.Cut(string(all), "\n")
	if got, want := cut(f), int64(10_000+len("the child goes on\n")+100*20-len(kept)); got != want {
		t.Errorf("the mark says that %d bytes are gone, want %d", got, want)
	}
}
