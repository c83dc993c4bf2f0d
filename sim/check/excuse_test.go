package check

import (
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

func ended(c history.ErrClass) func(*history.Op) {
	return func(o *history.Op) { o.Outcome, o.Class, o.Response = history.Info, c, nil }
}

// busy is what a gateway answers that is alive and does not want to.
func busy(o *history.Op) {
	o.Outcome, o.Class, o.Response = history.Info, history.Class5xxGateway, &history.Response{Status: 503}
}

func TestFaultDoesNotExcuseWhatHealthyGatewaysAnswerThemselves(t *testing.T) {
	w := history.Window{From: 0, To: time.Second}
	half := &run{}
	for i := range 100 {
		at := time.Duration(i) * ms
		if half.op(at); i%2 == 0 {
			half.op(at, busy)
		}
	}
	judge(t, NoRequestLost(InFlight("bj/az2/l7-1", w)), half.h, want{Invalid, "5xx-gateway 503"})
	judge(t, BlastRadius("bj/az2/l7-1", w), half.h, want{Invalid, "outside bj/az2/l7-1"})
}

func TestExcusesCoverWhatTouchedThePartOrMetSomethingDead(t *testing.T) {
	const part = "bj/az1/**"
	w := history.Window{From: 45 * ms, To: time.Second}
	odd := func(o *history.Op) {
		o.Outcome, o.Class, o.Response = history.Info, history.ClassOddGateway, &history.Response{Status: 200}
	}
	for name, c := range map[string]struct {
		edit    []func(*history.Op)
		arrived string // gateway, empty: nowhere
		want    State
	}{
		"refused":                    {[]func(*history.Op){ended(history.ClassRefused)}, "", Valid},
		"reset":                      {[]func(*history.Op){ended(history.ClassReset)}, "", Valid},
		"end of file":                {[]func(*history.Op){ended(history.ClassEOF)}, "", Valid},
		"timeout":                    {[]func(*history.Op){ended(history.ClassTimeout)}, "", Valid},
		"dial timeout":               {[]func(*history.Op){ended(history.ClassDialTimeout)}, "", Valid},
		"unreachable":                {[]func(*history.Op){ended(history.ClassUnreachable)}, "", Valid},
		"garbage":                    {[]func(*history.Op){ended(history.ClassProtocol)}, "", Invalid},
		"something else":             {[]func(*history.Op){ended(history.ClassOther)}, "", Invalid},
		"never ended":                {[]func(*history.Op){unanswered, func(o *history.Op) { o.Response = nil }}, "", Invalid},
		"gateway's 404":              {[]func(*history.Op){none}, "", Invalid},
		"gateway's 503":              {[]func(*history.Op){busy}, "", Invalid},
		"gateway's 200":              {[]func(*history.Op){odd}, "", Invalid},
		"503 after it arrived there": {[]func(*history.Op){busy}, "100.127.0.1", Valid},
		"503 after it arrived here":  {[]func(*history.Op){busy}, "100.127.0.2", Invalid},
		"reset here":                 {[]func(*history.Op){lost}, "100.127.0.2", Invalid},
		"a client there":             {[]func(*history.Op){ended(history.ClassOther), func(o *history.Op) { o.Client = "bj/az1/x" }}, "", Valid},
		"a client there gets a 503":  {[]func(*history.Op){busy, func(o *history.Op) { o.Client = "bj/az1/x" }}, "", Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			r := (&run{}).good(60).op(50*ms, c.edit...)
			if c.arrived != "" {
				r.arrive("idc/blue-1", 0, c.arrived)
			}
			v := judge(t, NoRequestLost(InFlight(part, w)), r.h, want{c.want, ""})
			if (c.want == Valid) != (len(v.Excused) == 1) {
				t.Errorf("excused: %+v", v.Excused)
			}
			judge(t, BlastRadius(part, w), r.h, want{c.want, ""})
		})
	}
}

// A connection that went through a living gateway is cut by nothing dead; it may
// wait for a target that is.
func TestFaultDoesNotExcuseWhatLivingGatewaysDoToConnectionsThatTheyCarry(t *testing.T) {
	const part = "bj/az1/**"
	w := history.Window{From: 45 * ms, To: time.Second}
	conn := func(id uint64) func(*history.Op) { return func(o *history.Op) { o.Conn = id } }
	for name, c := range map[string]struct {
		class  history.ErrClass
		via    []string // gateways of the connection's other requests
		before bool     // those came first
		want   State
	}{
		"reset by the living":        {history.ClassReset, []string{"100.127.0.2"}, true, Invalid},
		"ended by the living":        {history.ClassEOF, []string{"100.127.0.2"}, true, Invalid},
		"refused by the living":      {history.ClassRefused, []string{"100.127.0.2"}, true, Invalid},
		"known only later":           {history.ClassReset, []string{"100.127.0.2"}, false, Invalid},
		"the living waits":           {history.ClassTimeout, []string{"100.127.0.2"}, true, Valid},
		"reset by the dead":          {history.ClassReset, []string{"100.127.0.1"}, true, Valid},
		"carried by both":            {history.ClassReset, []string{"100.127.0.2", "100.127.0.1", "100.127.0.2"}, true, Valid},
		"carried by who knows":       {history.ClassReset, []string{"100.127.9.9"}, true, Valid},
		"first and last of its kind": {history.ClassReset, nil, true, Valid},
	} {
		t.Run(name, func(t *testing.T) {
			r := (&run{}).good(60)
			if !c.before {
				r.op(50*ms, conn(7), ended(c.class))
			}
			for i, gw := range c.via {
				r.op(time.Duration(10+i)*ms, conn(7)).via(gw)
			}
			if c.before {
				r.op(50*ms, conn(7), ended(c.class))
			}
			judge(t, NoRequestLost(InFlight(part, w)), r.h, want{c.want, ""})
			judge(t, BlastRadius(part, w), r.h, want{c.want, ""})
		})
	}
}

func TestExcusesForMostOfWhatWasUnderWayProveNothing(t *testing.T) {
	w := history.Window{From: 200 * ms, To: 300 * ms}
	outage := func(fail, pass int) history.History {
		r := (&run{}).good(500, func(o *history.Op) { o.Sent, o.Returned = 0, ms })
		for range fail {
			r.op(250*ms, lost)
		}
		for range pass {
			r.op(250 * ms)
		}
		return r.h
	}
	c := NoRequestLost(InFlight("**", w))
	judge(t, c, outage(20, 20), want{Valid, "20 excused"})
	judge(t, c, outage(21, 20), want{Unknown, "21 of the 41 operations that were under way"})
	judge(t, c, outage(200, 0), want{Unknown, "200 of the 200"})
	judge(t, c, outage(MinOps-1, 0), want{Valid, ""}) // a window too short to tell
}

func TestVerdictIsOneLineAndListsEveryExcuse(t *testing.T) {
	r := (&run{}).good(500)
	for range 200 {
		r.op(50*ms, lost)
	}
	v := judge(t, NoRequestLost(InFlight("**", history.Window{From: 45 * ms})), r.h, want{Valid, "200 excused"})
	if len(v.Excused) != 200 {
		t.Errorf("got %d excuses, want all 200", len(v.Excused))
	}
	v = NoRequestLost().Check(&(&run{}).good(30).op(ms, lost, func(o *history.Op) { o.Request.Target = "/a\r\nb" }).h, facts)
	if s := v.String(); v.State != Invalid || strings.ContainsAny(s, "\r\n") {
		t.Errorf("got %q, want one line", s)
	}
}

func TestAnsweredRequestMustHaveArrivedAsItWasSent(t *testing.T) {
	type change = func(*history.Op, *history.Arrival)
	for name, c := range map[string]struct {
		edit change
		want string // empty: nothing is wrong
	}{
		"as it was":          {func(*history.Op, *history.Arrival) {}, ""},
		"nothing known":      {func(_ *history.Op, a *history.Arrival) { a.Answer = nil }, ""},
		"other backend":      {func(_ *history.Op, a *history.Arrival) { a.Backend = "idc/green-9" }, "but arrived at idc/green-9"},
		"cut":                {func(_ *history.Op, a *history.Arrival) { a.Cut = true }, "did not get all of it"},
		"other method":       {func(_ *history.Op, a *history.Arrival) { a.Seen.Method = "GET" }, "arrived at idc/blue-1 as GET"},
		"other target":       {func(_ *history.Op, a *history.Arrival) { a.Seen.Target = "/x" }, "as POST /x"},
		"other host":         {func(_ *history.Op, a *history.Arrival) { a.Seen.Host = "evil.example" }, `for host "evil.example", and was sent for "shop"`},
		"no host":            {func(_ *history.Op, a *history.Arrival) { a.Seen.Host = "" }, `for host ""`},
		"host in capitals":   {func(_ *history.Op, a *history.Arrival) { a.Seen.Host = "SHOP" }, ""},
		"host not recorded":  {func(o *history.Op, _ *history.Arrival) { o.Request.Host = "" }, ""},
		"overwritten body":   {func(_ *history.Op, a *history.Arrival) { a.Seen.BodySum = "ffff" }, "with another body: 5 bytes"},
		"shorter body":       {func(_ *history.Op, a *history.Arrival) { a.Seen.BodyLen, a.Seen.BodySum = 4, "eeee" }, "4 bytes"},
		"no body":            {func(_ *history.Op, a *history.Arrival) { a.Seen.BodyLen, a.Seen.BodySum = 0, "" }, "no body seen"},
		"other status":       {func(o *history.Op, _ *history.Arrival) { o.Response.Status = 500 }, "answered with 500"},
		"overwritten answer": {func(o *history.Op, _ *history.Arrival) { o.Response.BodySum = "ffff" }, "got another answer"},
		"unread body":        {func(_ *history.Op, a *history.Arrival) { a.Seen.BodyLen, a.Seen.BodySum, a.Unread = 0, "", true }, ""},
		"never sent in full": {func(_ *history.Op, a *history.Arrival) { a.Answer.BodySum = "" }, "got another answer"},
		"longer answer":      {func(o *history.Op, _ *history.Arrival) { o.Response.BodyLen++ }, "got another answer"},
	} {
		t.Run(name, func(t *testing.T) {
			r := (&run{}).good(30).op(ms, post, func(o *history.Op) {
				o.Request.BodyLen, o.Request.BodySum = 5, "abcd"
				o.Response.BodyLen, o.Response.BodySum = 7, "cdef"
			})
			o, a := &r.h.Ops[len(r.h.Ops)-1], &r.h.Arrivals[len(r.h.Arrivals)-1]
			a.Answer = &history.Answer{Status: 200, BodyLen: 7, BodySum: "cdef"}
			c.edit(o, a)
			w := want{Valid, ""}
			if c.want != "" {
				w = want{Invalid, c.want}
			}
			judge(t, NoRequestLost(InFlight("**", history.Window{From: time.Second})), r.h, w)
		})
	}
	// A first attempt that was cut is no loss when the second came through.
	r := (&run{}).good(30)
	first := r.h.Arrivals[0]
	first.Cut = true
	r.h.Arrivals = append([]history.Arrival{first}, r.h.Arrivals...)
	judge(t, NoRequestLost(), r.h, want{Valid, ""})
}

func TestGatewayThatIsStaleAfterItsWordIsInvalidWithinTheBound(t *testing.T) {
	const bound, stale = 15 * time.Second, 6 * time.Second
	const g1, g2 = "100.127.0.1", "100.127.0.2"
	e := &edits{}
	e.write(1, 0, ms, history.OK, "blue").write(2, time.Second, time.Second+ms, history.OK, "green")
	for at := 100 * ms; at < 20*time.Second; at += 100 * ms {
		one, two := topology.Ref("blue"), topology.Ref("blue")
		if at > time.Second {
			one = "green"
		}
		if at > time.Second+stale {
			two = "green"
		}
		e.op(at, by(one)).via(g1)
		e.op(at, by(two)).via(g2)
	}
	judge(t, ConfigConverges(bound), e.h, want{Valid, "slowest 5.999s"}) // nobody promised more
	e.h.Writes[1].InForce = time.Second + 200*ms
	v := judge(t, ConfigConverges(bound), e.h, want{Invalid, "served by blue, as of revision 1"})
	if got, most := len(v.Evidence), int(stale/(100*ms)); got < most-3 || got > most {
		t.Errorf("got %d stale requests, want those of nearly %s", got, stale)
	}
	// The word does not stretch the bound.
	e.h.Writes[1].InForce = time.Minute
	judge(t, ConfigConverges(5*time.Second), e.h, want{Invalid, "as of revision 1"})
}

// A load that never ran well shows nothing about what a fault did to it.
func TestTrafficBeforeTheFaultMustHaveBeenEnough(t *testing.T) {
	const begin = 100 * ms
	history0 := func(before int, later ...history.FaultWindow) history.History {
		r := &run{}
		for i := range before {
			if r.op(begin - 2*ms); i < MinSteady {
				r.arrive("idc/red-1", 0, "100.127.0.1") // at a second try
			}
		}
		r.op(begin-ms).op(begin-2*ms, lost, func(o *history.Op) { o.Returned = begin + ms }) // neither had ended well before
		for at := begin; at < 3*time.Second; at += 10 * ms {
			r.op(at)
		}
		r.h.Faults = append([]history.FaultWindow{{ID: "f", Window: history.Window{From: begin, To: 2 * time.Second}, Text: "power off", Targets: []topology.Ref{"idc/red-1"}}}, later...)
		return r.h
	}
	w := history.Window{From: begin, To: time.Second}
	for _, c := range []Checker{NoRequestLost(InFlight("**", w)), BlastRadius("**", w), Recovers(time.Second)} {
		judge(t, c, history0(MinOps), want{Valid, ""})
		judge(t, c, history0(MinOps-1), want{Unknown, "only 19 operations had succeeded before the first fault, at +100ms"})
		// The first fault decides, also when the check is about a later one.
		judge(t, c, history0(MinOps-1, history.FaultWindow{ID: "g", Window: history.Window{From: time.Second}}), want{Unknown, "at +100ms"})
	}
	h := history0(MinOps)
	back := (&run{h: h}).op(2*time.Second, by("idc/red-1"))
	judge(t, HealthGate("idc/red-1", ms, time.Second), back.h, want{Valid, ""})
	back.h.Ops = back.h.Ops[1:]
	judge(t, HealthGate("idc/red-1", ms, time.Second), back.h, want{Unknown, "only 19 operations"})
	judge(t, NoRequestLost(), (&run{}).good(30).h, want{Valid, ""}) // nothing to excuse: the rule does not apply
}

func TestAnExcuseWithoutAPartCoversTheWaysToEndThatItLists(t *testing.T) {
	h := (&run{}).good(60).op(93*ms, busy).h
	w := history.Window{From: 90 * ms, To: 95 * ms}
	judge(t, NoRequestLost(InFlight("", w).Only(history.Class5xxGateway)), h, want{Valid, "1 excused"})
	judge(t, NoRequestLost(InFlight("", w).Only(history.ClassReset)), h, want{Invalid, ""})
	judge(t, NoRequestLost(InFlight("", w)), h, want{Invalid, ""})
	late := history.Window{From: 98 * ms, To: 99 * ms}
	judge(t, NoRequestLost(InFlight("", late).Only(history.Class5xxGateway)), h, want{Invalid, ""})
}
