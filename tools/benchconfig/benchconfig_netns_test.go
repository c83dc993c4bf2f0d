//go:build netns

package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/unilb/unilb/sim/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// The way of every process, once: written to, followed, cut off and listed, with few
// routes.
func TestProcessesAreMeasured(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapRoot)
	b := &bench{bin: os.Getenv("UNILB_BIN"), quick: true, routes: 300, log: t.Output()}
	var err error
	if b.bin == "" {
		err = errors.New("UNILB_BIN does not say where the binaries are: make test-net")
	}
	sandbox.Need(t, "bench", err)
	t.Cleanup(func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
		if b.groups == nil {
			return
		}
		if _, err := os.Stat(b.groups.Dir()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("left behind: %s, %v", b.groups.Dir(), err)
		}
	})
	if err := b.open(); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		row     string
		measure func(context.Context, *bench, *result) error
		least   float64 // that a real measurement gives
	}{
		{"in-force-p50", measureInForce, 0.1},
		{"resync-rebuilt", measureResync, 0},
		{"list-first", measureList, 0.001},
	} {
		got := newResult()
		if err := one.measure(t.Context(), b, got); err != nil {
			t.Fatal(err)
		}
		for _, turn := range got.turns[one.row] {
			if turn.Value < one.least || one.row == "resync-rebuilt" && turn.Value != 0 {
				t.Errorf("%s: got %g", one.row, turn.Value)
			}
		}
		if len(got.turns[one.row]) == 0 {
			t.Errorf("%s was not measured", one.row)
		}
	}
}
