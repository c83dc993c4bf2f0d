package check

import (
	"fmt"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// BlastRadius says that operations failed only in the selected part of the
// topology (or, without arriving anywhere, as operations do that meet something
// dead; see carried.couldHit) and only while the window was open.
// A window without any traffic gives Unknown, and so does too little traffic
// before the first fault.
func BlastRadius(sel topology.Selector, w history.Window) Checker { return blastRadius{sel, w} }

type blastRadius struct {
	sel topology.Selector
	w   history.Window
}

func (blastRadius) Name() string { return "BlastRadius" }

func (c blastRadius) Check(h *history.History, facts Facts) Verdict {
	f := finding{Verdict: Verdict{Check: c.Name(), Examined: len(h.Ops)}}
	how := facts.carried(h)
	inside, survived := 0, 0
	for _, o := range h.Ops {
		during := c.w.Overlaps(o.Sent, max(o.Sent, o.Returned))
		if o.Outcome == history.OK {
			if during {
				survived++
			}
			continue
		}
		as := how.arrived[o.ID]
		switch {
		case !during:
			f.violation(o.ID, o.Sent, "outside the window: %s", story(o, as))
		case !how.couldHit(c.sel, o):
			f.violation(o.ID, o.Sent, "outside %s: %s", c.sel, story(o, as))
		default:
			inside++
		}
	}
	f.Summary = fmt.Sprintf("%d of %d failures outside %s or its window", f.bad, f.bad+inside, c.sel)
	switch {
	case c.w == (history.Window{}):
		f.doubt("no window: the fault was never applied")
	case len(h.Ops) < MinOps:
		f.doubt("only %d operations, want at least %d", len(h.Ops), MinOps)
	case survived+inside < MinOps:
		f.doubt("only %d operations while the fault was active, want at least %d", survived+inside, MinOps)
	default:
		f.wantBefore(h, c.w)
	}
	return f.verdict(h, fmt.Sprintf("%d of %d failures inside, %d operations unharmed meanwhile", inside, inside, survived))
}
