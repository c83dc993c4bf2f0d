package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
)

// gateway is a node that tells what the test says, at its status listener.
type gateway struct {
	*node.Node
	server *httptest.Server
	asked  chan struct{} // has an element for each question
}

// gateway registers a node; change may alter its registration.
func (a *api) gateway(name string, change ...func(*node.Registration)) *gateway {
	a.t.Helper()
	g := &gateway{asked: make(chan struct{}, 1000)}
	reg := node.Registration{Name: name, Kind: "l7gw", Watches: []string{"/apisix", "/unilb/listeners"}, State: node.Serving}
	g.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.asked <- struct{}{}
		g.Handler().ServeHTTP(w, r)
	}))
	a.t.Cleanup(g.server.Close)
	reg.Status = g.server.URL
	for _, f := range change {
		f(&reg)
	}
	g.Node = node.New(reg, nil, node.Options{})
	a.commit(node.RegistryKey(reg.Kind, reg.Name), reg)
	return g
}

func (a *api) commit(key string, v any) {
	a.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := a.st.Commit(a.t.Context(), nil, store.Op{Key: key, Value: b}); err != nil {
		a.t.Fatal(err)
	}
}

// appliedAnswer is what an answer to a write says when it waited.
type appliedAnswer struct {
	Key     string
	Value   map[string]any
	Deleted string
	Error   string `json:"error_msg"`
	Applied *struct {
		Revision int64
		Nodes    int
		InForce  int `json:"in_force"`
		Behind   []struct {
			Node, State, Error string
			Applied            int64
		}
	}
}

func (r reply) applied(t *testing.T) appliedAnswer {
	t.Helper()
	var v appliedAnswer
	if err := json.Unmarshal([]byte(r.raw), &v); err != nil {
		t.Fatalf("%s: %v", r.raw, err)
	}
	return v
}

const (
	future = 1 << 40 // a revision that no write of a test reaches
	route1 = `{"uri":"/1","upstream":{"nodes":{"127.0.0.1:80":1}}}`
	put1   = "PUT /apisix/admin/routes/1"
)

func TestWriteThatWaitsIsAnsweredWhenAllGatewaysServeIt(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first, late := a.gateway("bj/az1/l7-1"), a.gateway("bj/az1/l7-2")
	first.Applied("/apisix", future)
	late.Applied("/apisix", 3)
	answers := make(chan reply)
	go func() { answers <- a.do(put1+"?wait=applied&timeout=20s", route1) }()
	<-late.asked
	select {
	case r := <-answers:
		t.Fatalf("answered while a gateway was behind: %d %s", r.code, r.raw)
	default:
	}
	late.Applied("/apisix", future)
	r := <-answers
	got := r.applied(t)
	if r.code != 201 || got.Applied == nil || got.Applied.Nodes != 2 || got.Applied.InForce != 2 || len(got.Applied.Behind) != 0 || got.Error != "" || r.header.Get("X-Unilb-Applied") != "2/2" {
		t.Errorf("got %d %v %s, want 201 and both in force", r.code, r.header, r.raw)
	}
	if rev := r.header.Get("X-Unilb-Revision"); rev != fmt.Sprint(got.Applied.Revision) {
		t.Errorf("revision %d beside the header's %s", got.Applied.Revision, rev)
	}
	if got.Key != "/apisix/routes/1" || got.Value["uri"] != "/1" || len(got.Value) != 5 {
		t.Errorf("got %s, want the object as without waiting", r.raw)
	}
	for _, tc := range [][2]string{
		{"PATCH /apisix/admin/routes/1?wait=applied", `{"desc":"x"}`}, {"POST /apisix/admin/routes?wait=applied", route1}, {"DELETE /apisix/admin/routes/1?wait=applied", ""},
	} {
		r := a.do(tc[0], tc[1])
		if v := r.applied(t); r.code > 201 || v.Applied == nil || v.Applied.InForce != 2 || v.Key == "" {
			t.Errorf("%s: got %d %s", tc[0], r.code, r.raw)
		}
	}
}

func TestWriteThatRanOutOfTimeStandsAndNamesWhoLacksIt(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.gateway("bj/az1/l7-1").Applied("/apisix", future)
	a.gateway("bj/az1/l7-2").Applied("/apisix", 7)
	a.gateway("bj/az1/l7-3").server.Close()
	refusing := a.gateway("bj/az1/l7-4")
	refusing.Refuse("/apisix/routes/1", errors.New("no such plugin"))
	refusing.Applied("/apisix", future)
	began := time.Now()
	r := a.do(put1+"?wait=applied&timeout=600ms", route1)
	if took := time.Since(began); r.code != 504 || took > 10*time.Second {
		t.Errorf("got %d %s after %v, want 504", r.code, r.raw, took)
	}
	got := r.applied(t)
	want := []string{"bj/az1/l7-2 behind 7", "bj/az1/l7-3 unknown 0", "bj/az1/l7-4 refused 1099511627776"}
	if got.Applied == nil || len(got.Applied.Behind) != 3 {
		t.Fatalf("got %s, want three that lack it", r.raw)
	}
	for i, b := range got.Applied.Behind {
		if s := fmt.Sprint(b.Node, " ", b.State, " ", b.Applied); s != want[i] {
			t.Errorf("got %s, want %s", s, want[i])
		}
	}
	if b := got.Applied.Behind; !strings.Contains(b[1].Error, "refused") || strings.Contains(b[1].Error, "/status") || b[2].Error != "no such plugin" {
		t.Errorf("got %+v, want why", b)
	}
	if got.Applied.InForce != 1 || r.header.Get("X-Unilb-Applied") != "1/4" || !strings.Contains(got.Error, "bj/az1/l7-2 is at revision 7") {
		t.Errorf("got %v %s", r.header, r.raw)
	}
	if now := a.do("GET /apisix/admin/routes/1", ""); now.code != 200 || got.Value["uri"] != "/1" {
		t.Errorf("the write does not stand: %d %s", now.code, now.raw)
	}
}

func TestWriteThatAGatewayRefusesIsAnsweredSoon(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	g := a.gateway("bj/az1/l7-1")
	g.Refuse("/apisix/routes/2", errors.New("another object's"))
	g.Applied("/apisix", future)
	if r := a.do(put1+"?wait=applied", route1); r.code != 201 {
		t.Errorf("another object is refused: got %d %s, want 201", r.code, r.raw)
	}
	g.Refuse("/apisix/routes/1", errors.New("no such plugin"))
	r := a.do(put1+"?wait=applied&timeout=60s", route1)
	if got := r.applied(t); r.code != 502 || got.Error != "written, but in force on 0 of 1 gateways only: bj/az1/l7-1 refuses it: no such plugin" {
		t.Errorf("got %d %s, want 502 with the reason", r.code, r.raw)
	}
}

// A gateway refuses an object until it knows the secret that it refers to.
func TestWriteThatAGatewayRefusesForAMomentIsInForce(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	g := a.gateway("bj/az1/l7-1")
	g.Refuse("/apisix/routes/1", errors.New("its manager has not answered yet"))
	g.Applied("/apisix", future)
	time.AfterFunc(100*time.Millisecond, func() { g.Accept("/apisix/routes/1") })
	if r := a.do(put1+"?wait=applied&timeout=60s", route1); r.code != 201 {
		t.Errorf("got %d %s, want 201", r.code, r.raw)
	}
}

// A gateway that l7admin cannot reach still reports to etcd.
func TestReportInEtcdCountsWhereAGatewayCannotBeReached(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.gateway("bj/az1/l7-1").server.Close()
	a.commit(node.ReportKey("l7gw", "bj/az1/l7-1"), node.Report{Applied: map[string]int64{"/apisix": future}, Errors: []node.ObjectError{{Key: "/apisix/routes/9", Error: "x"}}})
	if r := a.do(put1+"?wait=applied&timeout=5s", route1); r.code != 201 {
		t.Errorf("got %d %s, want 201 by the report", r.code, r.raw)
	}
	if r := a.do("PUT /apisix/admin/routes/9?wait=applied&timeout=5s", route1); r.code != 502 {
		t.Errorf("refused by the report: got %d %s, want 502", r.code, r.raw)
	}
}

func TestOnlyGatewaysThatFollowThisDirectoryAndServeAreWaitedFor(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.do(put1+"?wait=applied", route1)
	if got := r.applied(t); r.code != 201 || got.Applied == nil || got.Applied.Nodes != 0 || got.Applied.Behind == nil || r.header.Get("X-Unilb-Applied") != "0/0" {
		t.Errorf("none is registered: got %d %s", r.code, r.raw)
	}
	a.gateway("drained", func(r *node.Registration) { r.State = node.Draining })
	a.gateway("elsewhere", func(r *node.Registration) { r.Watches = []string{"/apisix2", "/unilb/listeners"} })
	a.gateway("agent", func(r *node.Registration) { r.Kind = "lbc-agent" })
	if r := a.do(put1+"?wait=applied&timeout=1s", route1); r.code != 200 || r.header.Get("X-Unilb-Applied") != "0/0" {
		t.Errorf("got %d %s, want nobody to be waited for", r.code, r.raw)
	}
}

func TestWhoDoesNotAskDoesNotWait(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.gateway("bj/az1/l7-1")
	for _, tc := range []struct {
		line, body string
		code       int
	}{{put1, route1, 201}, {put1 + "?timeout=nonsense", route1, 200}, {"GET /apisix/admin/routes/1?wait=x", "", 200}} {
		r := a.do(tc.line, tc.body)
		if got := r.applied(t); r.code != tc.code || got.Applied != nil || r.header.Get("X-Unilb-Applied") != "" {
			t.Errorf("%s: got %d %s", tc.line, r.code, r.raw)
		}
	}
}

func TestBadWaitIsRefusedBeforeTheWrite(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for query, text := range map[string]string{
		"wait=": "wait", "wait=true": "wait", "wait=applied&timeout=": "timeout", "wait=applied&timeout=10": "timeout", "wait=applied&timeout=0s": "timeout",
		"wait=applied&timeout=-1s": "timeout", "wait=applied&timeout=61s": "timeout", "wait=applied&timeout=1h": "timeout",
	} {
		r := a.do(put1+"?"+query, route1)
		if got := r.applied(t); r.code != 400 || !strings.HasPrefix(got.Error, "invalid argument "+text+": should be ") {
			t.Errorf("%s: got %d %s", query, r.code, r.raw)
		}
	}
	if r := a.do("GET /apisix/admin/routes/1", ""); r.code != 404 {
		t.Errorf("it was written all the same: %d %s", r.code, r.raw)
	}
}

// The server bounds the time that a request may take to come, and that must not end the
// wait for gateways: one that answers is behind, not unknown.
func TestWaitOutlivesTheTimeThatARequestMayTakeToCome(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.gateway("bj/az1/l7-1").Applied("/apisix", 7)
	h, err := admin.New(admin.Options{Store: a.st})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Config.ReadTimeout = 300 * time.Millisecond
	s.Start()
	t.Cleanup(s.Close)
	a.url = s.URL
	r := a.do(put1+"?wait=applied&timeout=1s", route1)
	if got := r.applied(t); r.code != 504 || got.Applied == nil || got.Applied.Behind[0].State != "behind" {
		t.Errorf("got %d %s, want 504 and one that is behind", r.code, r.raw)
	}
}
