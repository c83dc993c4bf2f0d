package check

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

const ms = time.Millisecond

// run writes histories down briefly.
type run struct{ h history.History }

func (r *run) op(at time.Duration, edit ...func(*history.Op)) *run {
	o := history.Op{
		Seq: uint64(len(r.h.Ops) + 1), ID: fmt.Sprintf("op-%d", len(r.h.Ops)+1), Client: "client/inet-1", To: "203.0.113.10:80",
		Intended: at, Sent: at, Returned: at + ms, Request: history.Request{Method: "GET", Target: "/", Host: "shop"}, Outcome: history.OK,
		Response: &history.Response{Status: 200, Backend: "idc/blue-1"}, Conn: 1,
	}
	for _, e := range edit {
		e(&o)
	}
	r.h.Ops = append(r.h.Ops, o)
	if o.Response != nil && o.Response.Backend != "" {
		r.arrive(o.Response.Backend, 0, "100.127.0.1")
	}
	return r
}

// arrive adds an arrival of the last op.
func (r *run) arrive(b topology.Ref, vni uint32, gw string) *run {
	o := r.h.Ops[len(r.h.Ops)-1]
	r.h.Arrivals = append(r.h.Arrivals, history.Arrival{Seq: uint64(1000 + len(r.h.Arrivals)), ID: o.ID, Backend: b, VNI: vni, From: gw + ":4000", At: o.Sent, Seen: o.Request})
	return r
}

func (r *run) good(n int, edit ...func(*history.Op)) *run {
	for i := range n {
		r.op(time.Duration(len(r.h.Ops)+i)*ms, edit...)
	}
	return r
}

func (r *run) via(gw string) *run {
	r.h.Arrivals[len(r.h.Arrivals)-1].From = gw + ":4000"
	return r
}

func lost(o *history.Op) {
	o.Outcome, o.Class, o.Response = history.Info, history.ClassReset, nil
}
func unanswered(o *history.Op) { o.Outcome = "" }
func post(o *history.Op)       { o.Request.Method = "POST" }
func by(b topology.Ref) func(*history.Op) {
	return func(o *history.Op) { o.Response = &history.Response{Status: 200, Backend: b} }
}
func to(addr string) func(*history.Op) { return func(o *history.Op) { o.To = addr + ":80" } }
func none(o *history.Op) {
	o.Outcome, o.Class, o.Response = history.Fail, history.Class4xxGateway, &history.Response{Status: 404}
}

var facts = Facts{
	Networks: []Network{
		{Name: "shop", VNI: 1001, Addrs: []netip.Addr{netip.MustParseAddr("203.0.113.10")}},
		{Name: "games", VNI: 1002, Addrs: []netip.Addr{netip.MustParseAddr("203.0.113.11")}, Hosts: []string{"games"}},
	},
	Gateways: map[netip.Addr]topology.Ref{
		netip.MustParseAddr("100.127.0.1"): "bj/az1/l7-1",
		netip.MustParseAddr("100.127.0.2"): "bj/az2/l7-1",
	},
	Behind: map[topology.Ref]topology.Ref{"vpc/shop/web-2": "bj/az1/host-2"},
}

type want struct {
	state State
	text  string // in the summary or the first evidence
}

func judge(t *testing.T, c Checker, h history.History, w want) Verdict {
	t.Helper()
	v := Judge(&h, facts, c)[0]
	text := v.Summary
	for _, e := range v.Evidence {
		text += "\n" + e.Text
	}
	if v.State != w.state || !strings.Contains(text, w.text) {
		t.Errorf("%s: got %s: %s\nwant %s with %q", c.Name(), v.State, text, w.state, w.text)
	}
	return v
}

func TestZeroVerdictIsUnknownAndWorstOfNothingIsUnknown(t *testing.T) {
	if (Verdict{}).State != Unknown || Worst(nil) != Unknown {
		t.Error("the zero value must not pass")
	}
	if Worst([]Verdict{{State: Valid}, {}}) != Unknown || Worst([]Verdict{{State: Unknown}, {State: Invalid}}) != Invalid || Worst([]Verdict{{State: Valid}}) != Valid {
		t.Error("the worst state decides")
	}
	for _, s := range []State{Unknown, Invalid, Valid} {
		b, err := json.Marshal(s)
		var back State
		if err != nil || json.Unmarshal(b, &back) != nil || back != s {
			t.Errorf("%s: %s does not come back", s, b)
		}
	}
}

func TestEveryCheckCallsAnEmptyHistoryUnknown(t *testing.T) {
	for _, c := range []Checker{
		NoRequestLost(), AtMostOnce(), TenantIsolation(), ConfigConverges(time.Second), Weighted(0.01, map[topology.Ref]int{"a": 1}),
		BlastRadius("**", history.Window{From: 1, To: 2}), Recovers(time.Second), HealthGate("**", ms, ms),
	} {
		judge(t, c, history.History{}, want{Unknown, ""})
	}
}

func TestEveryCheckCallsATruncatedHistoryUnknown(t *testing.T) {
	h := (&run{}).good(100).h
	h.Lost = 1
	judge(t, NoRequestLost(), h, want{Unknown, "did not fit"})
}

type bragger struct{}

func (bragger) Name() string                          { return "Bragger" }
func (bragger) Check(*history.History, Facts) Verdict { return Verdict{State: Valid} }

func TestCheckThatExaminedNothingDoesNotPass(t *testing.T) {
	judge(t, bragger{}, history.History{}, want{Unknown, "nothing was examined"})
}

func TestNoRequestLost(t *testing.T) {
	fault := history.Window{From: 50 * ms, To: 60 * ms}
	in := InFlight("bj/az1/**", fault)
	for name, c := range map[string]struct {
		r      *run
		except []Excuse
		want   want
	}{
		"all answered":               {(&run{}).good(30), nil, want{Valid, "30 operations"}},
		"backend's 500 is an answer": {(&run{}).good(30, func(o *history.Op) { o.Class, o.Response.Status = history.Class5xxBackend, 500 }), nil, want{Valid, ""}},
		"one reset":                  {(&run{}).good(30).op(55*ms, lost), nil, want{Invalid, "reset"}},
		"one never ended":            {(&run{}).good(30).op(55*ms, unanswered), nil, want{Invalid, "never ended"}},
		"gateway's 404":              {(&run{}).good(30).op(55*ms, none), nil, want{Invalid, "4xx-gateway 404"}},
		"reset in the window":        {(&run{}).good(30).op(55*ms, lost), []Excuse{in}, want{Valid, "1 excused"}},
		"began before the window":    {(&run{}).good(30).op(10*ms, lost, func(o *history.Op) { o.Returned = 55 * ms }), []Excuse{in}, want{Valid, "1 excused"}},
		"after the window":           {(&run{}).good(30).op(61*ms, lost), []Excuse{in}, want{Invalid, "1 of 31 lost"}},
		"other class":                {(&run{}).good(30).op(55*ms, lost), []Excuse{in.Only(history.ClassRefused)}, want{Invalid, ""}},
		"went through az2":           {(&run{}).good(30).op(55*ms, lost).arrive("idc/blue-1", 0, "100.127.0.2"), []Excuse{in}, want{Invalid, "arrived at idc/blue-1"}},
		"went through az1":           {(&run{}).good(30).op(55*ms, lost).arrive("idc/blue-1", 0, "100.127.0.1"), []Excuse{in}, want{Valid, "1 excused"}},
		"unknown gateway":            {(&run{}).good(30).op(55*ms, lost).arrive("idc/blue-1", 0, "100.127.9.9"), []Excuse{in}, want{Invalid, ""}},
		"thin":                       {(&run{}).good(MinOps - 1), nil, want{Unknown, "only 19"}},
		"nothing recorded behind":    {&run{h: history.History{Ops: (&run{}).good(30, lost).h.Ops}}, []Excuse{{In: "**", Window: history.Window{}}}, want{Unknown, "no backend"}},
		"excuses for most":           {(&run{}).good(20).good(30, lost, func(o *history.Op) { o.Sent = 55 * ms }), []Excuse{in}, want{Unknown, "30 of 50"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := judge(t, NoRequestLost(c.except...), c.r.h, c.want)
			if c.want.state == Valid && strings.Contains(c.want.text, "1 excused") && len(v.Excused) != 1 {
				t.Errorf("excused: %+v, want one listed", v.Excused)
			}
		})
	}
	lie := (&run{}).good(30)
	lie.h.Arrivals = lie.h.Arrivals[1:]
	judge(t, NoRequestLost(InFlight("**", history.Window{})), lie.h, want{Invalid, "arrived nowhere"})
}

func TestAtMostOnce(t *testing.T) {
	judge(t, AtMostOnce(), (&run{}).good(30, post).h, want{Valid, "30 requests"})
	judge(t, AtMostOnce(), (&run{}).good(30, post).op(40*ms, post).arrive("idc/green-1", 0, "100.127.0.1").h, want{Invalid, "arrived 2 times"})
	judge(t, AtMostOnce(), (&run{}).good(30, post).op(40*ms, post, lost).arrive("a", 0, "100.127.0.1").arrive("a", 0, "100.127.0.1").h, want{Invalid, "POST arrived 2"})
	judge(t, AtMostOnce(), (&run{}).good(30).h, want{Unknown, "only 0 requests"})
	judge(t, AtMostOnce(), (&run{}).good(19, post).good(100).h, want{Unknown, "only 19"})
	judge(t, AtMostOnce(), (&run{}).good(30, post).op(40*ms).arrive("b", 0, "100.127.0.1").h, want{Valid, ""}) // a GET may be repeated
}

func TestTenantIsolation(t *testing.T) {
	tenants := func(shop, games int) *run {
		r := &run{}
		for range shop {
			r.op(ms, lost, to("203.0.113.10")).arrive("vpc/shop/web-1", 1001, "100.127.0.1")
		}
		for range games {
			r.op(ms, lost, to("203.0.113.11")).arrive("vpc/games/web-1", 1002, "100.127.0.1")
		}
		return r
	}
	judge(t, TenantIsolation(), tenants(10, 10).h, want{Valid, "20 arrivals, 2 networks"})
	judge(t, TenantIsolation(), tenants(10, 9).h, want{Unknown, "VNI 1002: 9"})
	judge(t, TenantIsolation(), tenants(50, 0).h, want{Unknown, "at least 10 arrivals in each of two"})
	judge(t, TenantIsolation(), tenants(10, 10).op(ms, lost, to("203.0.113.10")).arrive("vpc/games/web-1", 1002, "100.127.0.1").h, want{Invalid, "for shop (VNI 1001) arrived at vpc/games/web-1 in VNI 1002"})
	judge(t, TenantIsolation(), tenants(2, 0).op(ms, lost, to("203.0.113.11")).arrive("vpc/shop/web-1", 1001, "100.127.0.1").h, want{Invalid, ""}) // thin, and still wrong
	// An address nobody owns: the host name decides.
	judge(t, TenantIsolation(), tenants(10, 10).op(ms, lost, to("10.0.0.1"), func(o *history.Op) { o.Request.Host = "games" }).arrive("x", 1001, "100.127.0.1").h, want{Invalid, "for games"})
}

// Tenants in the data-centre network have no VNI that tells them apart: what
// their targets were does.
func TestNetworksOfOneVNIAreToldApartByTheirBackends(t *testing.T) {
	blog := Network{Name: "blog", Addrs: []netip.Addr{netip.MustParseAddr("203.0.113.20")}, Hosts: []string{"blog"}, Backends: []topology.Ref{"idc/blue-1", "idc/blue-2"}}
	wiki := Network{Name: "wiki", Addrs: []netip.Addr{netip.MustParseAddr("203.0.113.21")}, Hosts: []string{"wiki"}, Backends: []topology.Ref{"idc/green-1"}}
	traffic := func() *run {
		return (&run{}).good(10, to("203.0.113.20"), by("idc/blue-2")).good(10, to("203.0.113.21"), by("idc/green-1"))
	}
	try := func(r *run, w want, ns ...Network) {
		t.Helper()
		if v := TenantIsolation().Check(&r.h, Facts{Networks: ns}); v.State != w.state || !strings.Contains(v.String(), w.text) {
			t.Errorf("got %s, want %s with %q", v, w.state, w.text)
		}
	}
	try(traffic(), want{Valid, "20 arrivals, 2 networks"}, blog, wiki)
	try(traffic().op(ms, to("203.0.113.20"), by("idc/green-1")), want{Invalid, "request for blog (VNI 0) arrived at idc/green-1 in VNI 0"}, blog, wiki)
	same := wiki
	same.Backends = []topology.Ref{"idc/blue-2", "idc/blue-1"}
	try((&run{}).good(10, to("203.0.113.20"), by("idc/blue-1")).good(10, to("203.0.113.21"), by("idc/blue-1")), want{Unknown, "each of two networks"}, blog, same)
	older := wiki
	blog.Backends, older.Backends = nil, nil
	try(traffic(), want{Unknown, "VNI 0: 20"}, blog, older)

	// One address for both: the host name decides.
	wiki.Addrs = blog.Addrs
	blog.Backends = []topology.Ref{"idc/blue-2"}
	host := func(h string) func(*history.Op) { return func(o *history.Op) { o.Request.Host = h } }
	shared := func() *run {
		return (&run{}).good(10, to("203.0.113.20"), host("blog"), by("idc/blue-2")).good(10, to("203.0.113.20"), host("wiki"), by("idc/green-1"))
	}
	try(shared(), want{Valid, "20 arrivals, 2 networks, 0"}, blog, wiki)
	try(shared().op(ms, to("203.0.113.20"), host("wiki"), by("idc/blue-2")), want{Invalid, "request for wiki"}, blog, wiki)
	try(shared().op(ms, to("203.0.113.20"), host("else"), by("idc/blue-2")), want{Valid, "1 arrivals of nobody's"}, blog, wiki)
}

func TestBlastRadius(t *testing.T) {
	w := history.Window{From: 45 * ms, To: 88 * ms}
	c := BlastRadius("bj/az1/**", w)
	busy := func() *run { return (&run{}).good(60) }
	judge(t, c, busy().h, want{Valid, "0 of 0"})
	judge(t, c, busy().op(50*ms, lost).h, want{Valid, "1 of 1 failures inside"})
	judge(t, c, busy().op(50*ms, lost).arrive("x", 0, "100.127.0.2").h, want{Invalid, "outside bj/az1/**"})
	judge(t, c, busy().op(50*ms, lost).arrive("vpc/shop/web-2", 1001, "100.127.0.2").h, want{Valid, "1 of 1 failures inside"})
	judge(t, c, busy().op(90*ms, lost).h, want{Invalid, "outside the window"})
	judge(t, c, (&run{}).good(15).h, want{Unknown, "only 15 operations"})
	judge(t, c, (&run{}).good(60, func(o *history.Op) { o.Sent, o.Returned = 0, ms }).h, want{Unknown, "while the fault was active"})
	judge(t, BlastRadius("**", history.Window{}), busy().h, want{Unknown, "never applied"})
}

func TestWeighted(t *testing.T) {
	weights := map[topology.Ref]int{"a": 3, "b": 1, "c": 0}
	spread := func(a, b, c int) history.History {
		return (&run{}).good(a, by("a")).good(b, by("b")).good(c, by("c")).h
	}
	judge(t, Weighted(0.001, weights), spread(300, 100, 0), want{Valid, "p 1"})
	judge(t, Weighted(0.001, weights), spread(310, 90, 0), want{Valid, ""})
	judge(t, Weighted(0.001, weights), spread(200, 200, 0), want{Invalid, "weights are not met"})
	judge(t, Weighted(0.001, weights), spread(400, 0, 0), want{Invalid, "weights are not met"})
	judge(t, Weighted(0.001, weights), spread(300, 100, 1), want{Invalid, "answered by c, whose weight is 0"})
	judge(t, Weighted(0.001, weights), spread(20, 10, 0), want{Unknown, "too few"})
	judge(t, Weighted(0, weights), spread(300, 100, 0), want{Unknown, "no significance level"})
	judge(t, Weighted(0.001, nil), history.History{}, want{Unknown, ""})
}

func TestChiSquareTailAgreesWithTables(t *testing.T) {
	for _, c := range []struct {
		x    float64
		df   int
		want float64
	}{
		{3.841459, 1, 0.05}, {6.634897, 1, 0.01}, {10.827566, 1, 0.001}, {5.991465, 2, 0.05}, {18.307038, 10, 0.05}, {29.588298, 10, 0.001}, {0, 3, 1}, {5, 0, 1}, {124.342113, 100, 0.05}, {77.929465, 100, 0.95},
	} {
		if got := chiSquareTail(c.x, c.df); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("Q(%v, %d): got %.8f, want %v", c.x, c.df, got, c.want)
		}
	}
}

// edits writes down a history in which shop moves between backends.
type edits struct{ run }

func (e *edits) write(rev int64, call, ret time.Duration, outcome history.Outcome, backends ...topology.Ref) *edits {
	e.h.Writes = append(e.h.Writes, history.Write{Seq: uint64(rev), Key: "routes/1", Rev: rev, Call: call, Return: ret, Outcome: outcome, Serves: &history.Serves{Host: "shop", Backends: backends}})
	return e
}

func (e *edits) sees(at time.Duration, b topology.Ref, gw string) *edits {
	e.op(at, by(b)).via(gw)
	return e
}

func TestConfigConverges(t *testing.T) {
	const g1, g2 = "100.127.0.1", "100.127.0.2"
	begin := func() *edits {
		e := &edits{}
		return e.write(1, 0, 1*ms, history.OK, "blue").write(2, 100*ms, 101*ms, history.OK, "green")
	}
	for name, c := range map[string]struct {
		e    *edits
		want want
	}{
		"converges":                   {begin().sees(50*ms, "blue", g1).sees(105*ms, "blue", g1).sees(110*ms, "green", g1).sees(200*ms, "green", g2), want{Valid, "slowest 4ms"}},
		"old after the bound":         {begin().sees(50*ms, "blue", g1).sees(150*ms, "green", g1).sees(160*ms, "blue", g2), want{Invalid, "as of revision 1"}},
		"goes back within the bound":  {begin().sees(102*ms, "green", g1).sees(104*ms, "blue", g1).sees(150*ms, "green", g1), want{Invalid, "went back"}},
		"another gateway lags":        {begin().sees(102*ms, "green", g1).sees(104*ms, "blue", g2).sees(150*ms, "green", g1), want{Valid, ""}},
		"seen before it was written":  {begin().sees(50*ms, "green", g1).sees(150*ms, "green", g1), want{Invalid, "which no write explains"}},
		"never written":               {begin().sees(50*ms, "red", g1).sees(150*ms, "green", g1), want{Invalid, "no write explains"}},
		"refused write has no effect": {begin().write(3, 200*ms, 201*ms, history.Fail, "red").sees(210*ms, "red", g1).sees(220*ms, "green", g1), want{Invalid, "no write explains"}},
		"doubtful write may":          {begin().write(0, 200*ms, 201*ms, history.Info, "red").sees(210*ms, "green", g1).sees(300*ms, "red", g1), want{Valid, ""}},
		"last write not seen":         {begin().sees(50*ms, "blue", g1), want{Unknown, "nothing shows the last write"}},
		"no requests":                 {begin(), want{Unknown, "nothing shows"}},
		"concurrent requests may":     {begin().sees(102*ms, "green", g1).sees(102*ms+ms/2, "blue", g1).sees(150*ms, "green", g1), want{Valid, ""}},
		"back over two edits":         {begin().write(3, 150*ms, 151*ms, history.OK, "blue").sees(120*ms, "green", g1).sees(152*ms, "blue", g1).sees(160*ms, "green", g1).sees(190*ms, "blue", g1), want{Invalid, "went back"}},
	} {
		t.Run(name, func(t *testing.T) { judge(t, ConfigConverges(20*ms), c.e.h, c.want) })
	}
	// Two that come out at one revision: the later call won, unless both were under way
	// at once. In which order they were noted says nothing.
	inTurn := func() *edits {
		return begin().write(3, 112*ms, 113*ms, history.OK, "green").write(3, 110*ms, 111*ms, history.OK, "blue").sees(150*ms, "green", g1)
	}
	judge(t, ConfigConverges(20*ms), inTurn().h, want{Valid, ""})
	judge(t, ConfigConverges(20*ms), inTurn().sees(160*ms, "blue", g1).h, want{Invalid, "served by blue, as of revision 3"})
	atOnce := func() *edits {
		return begin().write(3, 111*ms, 113*ms, history.OK, "blue").write(3, 110*ms, 112*ms, history.OK, "red")
	}
	judge(t, ConfigConverges(20*ms), atOnce().sees(150*ms, "red", g1).sees(160*ms, "red", g2).h, want{Valid, ""})
	judge(t, ConfigConverges(20*ms), atOnce().sees(150*ms, "blue", g1).sees(160*ms, "blue", g2).h, want{Valid, ""})
	judge(t, ConfigConverges(20*ms), atOnce().sees(115*ms, "red", g1).sees(150*ms, "blue", g1).h, want{Valid, ""})
	judge(t, ConfigConverges(20*ms), atOnce().sees(150*ms, "red", g1).sees(160*ms, "blue", g2).h, want{Invalid, "as of revision 3"})
	judge(t, ConfigConverges(20*ms), atOnce().sees(150*ms, "red", g1).sees(160*ms, "blue", g1).sees(170*ms, "red", g1).h, want{Invalid, "as of revision 3"})
	judge(t, ConfigConverges(20*ms), atOnce().sees(150*ms, "red", g1).sees(170*ms, "green", g2).h, want{Invalid, "served by green, as of revision 2"})
	// Three of which the first had returned before the last was called, and one without
	// a revision between two that were under way at once.
	chain := func() *edits {
		return begin().write(3, 110*ms, 112*ms, history.OK, "red").write(3, 111*ms, 120*ms, history.OK, "blue").write(3, 119*ms, 121*ms, history.OK, "white")
	}
	judge(t, ConfigConverges(20*ms), chain().sees(150*ms, "blue", g1).h, want{Valid, ""})
	judge(t, ConfigConverges(20*ms), chain().sees(150*ms, "white", g1).h, want{Valid, ""})
	judge(t, ConfigConverges(20*ms), chain().sees(150*ms, "red", g1).h, want{Invalid, "served by red"})
	between := begin().write(3, 110*ms, 115*ms, history.OK, "red").write(0, 111*ms, 112*ms, history.Info, "black").write(3, 112*ms, 113*ms, history.OK, "blue")
	judge(t, ConfigConverges(20*ms), between.sees(150*ms, "red", g1).h, want{Valid, ""})

	said := begin().sees(50*ms, "blue", g1).sees(110*ms, "blue", g2).sees(150*ms, "green", g1)
	judge(t, ConfigConverges(20*ms), said.h, want{Valid, ""})
	said.h.Writes[1].InForce = 105 * ms // the gateways said so, and one still serves the old
	judge(t, ConfigConverges(20*ms), said.h, want{Invalid, "as of revision 1"})

	gone := begin().write(3, 200*ms, 201*ms, history.OK)
	gone.op(230*ms, none)
	judge(t, ConfigConverges(20*ms), gone.h, want{Valid, ""})
	gone.sees(240*ms, "green", g1)
	judge(t, ConfigConverges(20*ms), gone.h, want{Invalid, "as of revision 2"})
	dropped := begin()
	dropped.op(150*ms, none).op(160*ms, by("green"))
	judge(t, ConfigConverges(20*ms), dropped.h, want{Invalid, "found no route"})
}

func TestConfigConvergesDoubtsAHistoryThatEndsWhileAGatewayIsBehind(t *testing.T) {
	const g1, g2 = "100.127.0.1", "100.127.0.2"
	begin := func() *edits {
		e := &edits{}
		e.write(1, 0, ms, history.OK, "blue").write(2, 100*ms, 101*ms, history.OK, "green").sees(50*ms, "blue", g2).sees(110*ms, "green", g1)
		return e
	}
	const late = "and gateway 100.127.0.2 still shows blue"
	for name, c := range map[string]struct {
		e    *edits
		want want
	}{
		"still the old":              {begin().sees(118*ms, "blue", g2), want{Unknown, late}},
		"the old, then silence":      {begin().sees(105*ms, "blue", g2).sees(118*ms, "green", g1), want{Unknown, late}},
		"the new at last":            {begin().sees(105*ms, "blue", g2).sees(118*ms, "green", g2), want{Valid, ""}},
		"nothing since":              {begin().sees(118*ms, "green", g1), want{Valid, ""}},
		"the limit has passed":       {begin().sees(105*ms, "blue", g2).sees(121*ms, "green", g1), want{Valid, ""}},
		"a doubtful write came last": {begin().sees(105*ms, "blue", g2).write(0, 106*ms, 107*ms, history.Info, "red").sees(110*ms, "red", g1), want{Unknown, late}},
		"and it shows that":          {begin().write(0, 106*ms, 107*ms, history.Info, "red").sees(110*ms, "red", g1).sees(111*ms, "red", g2), want{Valid, ""}},
		"or what is certain":         {begin().write(0, 106*ms, 107*ms, history.Info, "red").sees(110*ms, "red", g1).sees(111*ms, "green", g2), want{Valid, ""}},
		"there and back again":       {begin().write(3, 112*ms, 113*ms, history.OK, "blue").sees(115*ms, "blue", g1).sees(117*ms, "blue", g2).sees(118*ms, "green", g2), want{Unknown, "100.127.0.2 still shows green"}},
	} {
		t.Run(name, func(t *testing.T) { judge(t, ConfigConverges(20*ms), c.e.h, c.want) })
	}
	gone := begin().write(3, 112*ms, 113*ms, history.OK)
	gone.op(115*ms, none).op(118*ms, by("green"))
	judge(t, ConfigConverges(20*ms), gone.h, want{Unknown, "still shows green"})
	gone.op(119*ms, none)
	judge(t, ConfigConverges(20*ms), gone.h, want{Valid, ""})
}

func TestRecovers(t *testing.T) {
	fault := func(r *run) history.History {
		r.h.Faults = []history.FaultWindow{{ID: "f", Window: history.Window{From: 500 * ms}, Text: "az1 loses power"}}
		return r.h
	}
	broken := func(from, until, end time.Duration) *run {
		r := &run{}
		for at := time.Duration(0); at < end; at += 20 * ms {
			if at >= from && at < until {
				r.op(at, lost)
			} else {
				r.op(at)
			}
		}
		return r
	}
	judge(t, Recovers(3*time.Second), fault(broken(520*ms, 1900*ms, 5*time.Second)), want{Valid, "1.381s (limit 3s)"})
	judge(t, Recovers(3*time.Second), fault(broken(520*ms, 3900*ms, 7*time.Second)), want{Invalid, "steady again only"})
	judge(t, Recovers(3*time.Second), fault(broken(520*ms, 9*time.Second, 9*time.Second)), want{Invalid, "no steady second"})
	judge(t, Recovers(3*time.Second), fault(broken(520*ms, 2*time.Second, 2*time.Second)), want{Unknown, "traffic ends before"})
	judge(t, Recovers(3*time.Second), broken(0, 0, time.Second).h, want{Unknown, "nothing was examined"})

	// Four requests a second cannot show a steady second; they can show failures.
	sparse := func(from, until time.Duration) history.History {
		r := &run{}
		for at := time.Duration(0); at < 20*time.Second; at += 250 * ms {
			if at >= from && at < until {
				r.op(at, lost)
			} else {
				r.op(at)
			}
		}
		r.h.Faults = []history.FaultWindow{{ID: "f", Window: history.Window{From: 7 * time.Second}, Text: "az1 loses power"}}
		return r.h
	}
	judge(t, Recovers(3*time.Second), sparse(0, 0), want{Unknown, "too thin"})
	judge(t, Recovers(3*time.Second), sparse(7*time.Second, 8*time.Second), want{Unknown, "too thin"})
	judge(t, Recovers(3*time.Second), sparse(7*time.Second, 15*time.Second), want{Invalid, "no steady second"})
	// A load that was dense and dried up did not recover.
	dried := broken(520*ms, 900*ms, 900*ms)
	for at := time.Second; at < 9*time.Second; at += 300 * ms {
		dried.op(at)
	}
	judge(t, Recovers(3*time.Second), fault(dried), want{Invalid, "no steady second"})
}

func TestHealthGate(t *testing.T) {
	gate := HealthGate("idc/**", 50*ms, 100*ms)
	traffic := func(sick, well time.Duration) *run { // blue-1 gets requests until sick and from well on
		r := &run{}
		for at := time.Duration(0); at < time.Second; at += 10 * ms {
			if at < sick || at >= well {
				r.op(at, by("idc/blue-1"))
			}
			r.op(at, by("idc/blue-2"))
		}
		r.h.Faults = []history.FaultWindow{{ID: "f", Window: history.Window{From: 200 * ms, To: 500 * ms}, Text: "blue-1 is sick", Targets: []topology.Ref{"idc/blue-1"}}}
		return r
	}
	judge(t, gate, traffic(240*ms, 550*ms).h, want{Valid, "examined"})
	judge(t, gate, traffic(300*ms, 550*ms).h, want{Invalid, "arrived at idc/blue-1"})
	judge(t, gate, traffic(240*ms, 700*ms).h, want{Invalid, "got nothing within"})
	thin := traffic(240*ms, 550*ms)
	thin.h.Arrivals = thin.h.Arrivals[:10]
	thin.h.Ops = thin.h.Ops[:10]
	judge(t, gate, thin.h, want{Unknown, "elsewhere"})

	// One that nobody asked before its fault shows nothing by its silence.
	for before, w := range map[int]want{0: {Unknown, "only 0 arrivals at idc/blue-1 before blue-1 is sick"}, MinSteady - 1: {Unknown, "only 4"}, MinSteady: {Valid, ""}} {
		silent := traffic(0, time.Hour)
		silent.h.Faults[0].To = 0 // it never ends
		for range before {
			silent.op(100*ms, by("idc/blue-1"))
		}
		judge(t, gate, silent.h, w)
	}
}
