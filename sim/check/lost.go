package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// MinOps is the fewest operations that can prove a property of a load.
const MinOps = 20

// MaxExcusedShare is the largest part that excuses may cover before the rest
// proves nothing: of all operations, and of those that were under way in the
// windows of the excuses when there are at least MinOps of them. Where all is lost,
// nothing shows that the fault cost only what it had to.
const MaxExcusedShare = 0.5

// An Excuse covers requests that a fault may cost. It covers an operation that
// was under way in the window, and touched the selected part or met something
// dead before any backend saw it (see carried.couldHit), and ended in one of the
// classes. A response that a gateway made itself is excused only when the
// request had arrived in the selected part: whatever died, a gateway that
// answers is alive and might have tried elsewhere. Without a part, and with classes,
// it covers whatever ended so in the window: somebody configured it so.
type Excuse struct {
	In      topology.Selector
	Window  history.Window
	Classes []history.ErrClass // nil: however it ended, but for a lie (see NoRequestLost)
}

// InFlight excuses what was under way in the selected part while the window
// was open.
func InFlight(in topology.Selector, w history.Window) Excuse { return Excuse{In: in, Window: w} }

// Only restricts the excuse to operations that ended in one of the classes.
func (e Excuse) Only(cs ...history.ErrClass) Excuse {
	e.Classes = cs
	return e
}

func (e Excuse) during(o history.Op) bool {
	return e.Window.Overlaps(o.Sent, max(o.Sent, o.Returned))
}

func (e Excuse) covers(c carried, o history.Op) bool {
	if !e.during(o) {
		return false
	}
	if e.Classes != nil && !slices.Contains(e.Classes, o.Class) {
		return false
	}
	if e.In == "" {
		return e.Classes != nil
	}
	return c.couldHit(e.In, o)
}

// NoRequestLost says that every operation got a backend's complete answer to
// its own request, that every answered request did arrive at that backend with
// method, target, host and body as they were sent, and that the answer came back with
// status and body as the backend wrote them. Operations that an excuse covers
// are listed in the verdict. An answer to a request that never arrived so is a
// lie of somebody and cannot be excused. With excuses, at least MinOps operations
// must have succeeded before the first fault began, else the verdict is Unknown.
func NoRequestLost(except ...Excuse) Checker { return noRequestLost{except} }

type noRequestLost struct{ except []Excuse }

func (noRequestLost) Name() string { return "NoRequestLost" }

func (c noRequestLost) Check(h *history.History, facts Facts) Verdict {
	f := finding{Verdict: Verdict{Check: c.Name(), Examined: len(h.Ops)}}
	how := facts.carried(h)
	meanwhile := 0 // operations under way in any window
	var slowest time.Duration
	for _, o := range h.Ops {
		as := how.arrived[o.ID]
		if slices.ContainsFunc(c.except, func(e Excuse) bool { return e.during(o) }) {
			meanwhile++
		}
		slowest = max(slowest, o.Latency())
		if o.Outcome == history.OK {
			if wrong := altered(o, as); wrong != "" {
				f.violation(o.ID, o.Sent, "%s %s %s", o.Request.Method, o.Request.Target, wrong)
			}
			continue
		}
		text := story(o, as)
		if slices.ContainsFunc(c.except, func(e Excuse) bool { return e.covers(how, o) }) {
			f.Excused = append(f.Excused, Evidence{Op: o.ID, At: o.Sent, Text: text})
			continue
		}
		f.violation(o.ID, o.Sent, "%s", text)
	}
	f.Summary = fmt.Sprintf("%d of %d lost or altered, %d excused", f.bad, len(h.Ops), len(f.Excused))
	switch {
	case len(h.Ops) < MinOps:
		f.doubt("only %d operations, want at least %d", len(h.Ops), MinOps)
	case len(h.Arrivals) == 0:
		f.doubt("no backend recorded anything")
	case float64(len(f.Excused)) > MaxExcusedShare*float64(len(h.Ops)):
		f.doubt("%d of %d operations are excused", len(f.Excused), len(h.Ops))
	case meanwhile >= MinOps && float64(len(f.Excused)) > MaxExcusedShare*float64(meanwhile):
		f.doubt("%d of the %d operations that were under way in the windows of the excuses are excused", len(f.Excused), meanwhile)
	}
	if len(c.except) > 0 {
		var ws []history.Window
		for _, e := range c.except {
			ws = append(ws, e.Window)
		}
		f.wantBefore(h, ws...)
	}
	return f.verdict(h, fmt.Sprintf("%d operations, %d excused, slowest %s", len(h.Ops), len(f.Excused), slowest.Round(time.Millisecond)))
}

func backendOf(o history.Op) topology.Ref {
	if o.Response == nil {
		return ""
	}
	return o.Response.Backend
}

// story tells in one line what became of an operation.
func story(o history.Op, as []history.Arrival) string {
	how := string(o.Class)
	if o.Outcome == "" {
		how = "never ended"
	}
	if o.Response != nil {
		how = strings.TrimSpace(fmt.Sprintf("%s %d", how, o.Response.Status))
	}
	where := "no arrival"
	for i, a := range as {
		if i == 0 {
			where = "arrived at "
		} else {
			where += ", "
		}
		where += string(a.Backend)
	}
	conn := "no connection"
	switch {
	case o.Conn != 0 && o.Reused == 0:
		conn = "first request of its connection"
	case o.Conn != 0:
		conn = fmt.Sprintf("request %d of its connection", o.Reused+1)
	}
	return fmt.Sprintf("%s %s %s%s: %s after %s, %s, %s", o.Client, o.Request.Method, o.Request.Host, o.Request.Target,
		how, (o.Returned - o.Sent).Round(time.Microsecond), conn, where)
}
