//go:build netns

package main

import (
	"context"
	"testing"

	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/tools/bench/stage/stagetest"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

// The way of every process, once: written to, followed, cut off and listed, with few
// routes.
func TestProcessesAreMeasured(t *testing.T) {
	b := &bench{bin: stagetest.Bin(t, nil), quick: true, routes: 300, log: t.Output()}
	t.Cleanup(func() { stagetest.Closed(t, b.close(), b.groups) })
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
