package obs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/obs"
)

// gate is a pipe that nobody reads until it is opened.
type gate struct {
	open chan struct{}
	got  bytes.Buffer
}

func (g *gate) Write(b []byte) (int, error) {
	<-g.open
	return g.got.Write(b)
}

func TestWhoLogsWaitsForNobodyAndLostLinesAreCounted(t *testing.T) {
	const all = 5000
	g := &gate{open: make(chan struct{})}
	w := obs.NewWriter(g)
	written := make(chan struct{})
	go func() {
		defer close(written)
		for i := range all {
			fmt.Fprintf(w, "{\"line\":%d}\n", i)
		}
	}()
	select {
	case <-written:
	case <-time.After(10 * time.Second):
		t.Fatal("who logs waits for a pipe that nobody reads")
	}
	close(g.open)
	w.Close()
	var kept, lost, last int
	for line := range strings.Lines(g.got.String()) {
		var v struct{ Line, Lines int }
		v.Line = -1
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if v.Line < 0 {
			lost += v.Lines
			continue
		}
		if kept > 0 && v.Line <= last {
			t.Errorf("line %d comes behind line %d", v.Line, last)
		}
		kept, last = kept+1, v.Line
	}
	if kept+lost != all || kept < 1000 || lost == 0 {
		t.Errorf("%d lines were kept and %d counted as lost, of %d", kept, lost, all)
	}
}

func TestLinesAreWrittenBeforeTheEnd(t *testing.T) {
	var got bytes.Buffer
	w := obs.NewWriter(&got)
	for i := range 100 {
		fmt.Fprintf(w, "%d\n", i)
	}
	w.Close()
	if n := strings.Count(got.String(), "\n"); n != 100 {
		t.Errorf("%d lines of 100 were written before the end", n)
	}
}
