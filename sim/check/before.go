package check

import (
	"time"

	"github.com/unilb/unilb/sim/history"
)

// wantBefore doubts a history in which too little worked before the first fault: a
// load that never ran well shows nothing about what a fault did to it. Without a
// fault on record the windows that the check was given stand for one.
func (f *finding) wantBefore(h *history.History, windows ...history.Window) {
	begin := forever
	for _, w := range h.Faults {
		begin = min(begin, w.From)
	}
	if len(h.Faults) == 0 {
		for _, w := range windows {
			begin = min(begin, w.From)
		}
	}
	if n := endedBefore(h.Ops, begin); n < MinOps {
		f.doubt("only %d operations had succeeded before the first fault, at +%s, want at least %d", n, begin.Round(time.Millisecond), MinOps)
	}
}

func endedBefore(ops []history.Op, at time.Duration) int {
	n := 0
	for _, o := range ops {
		if o.Outcome == history.OK && o.Returned < at {
			n++
		}
	}
	return n
}
