package act

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/tenant"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// region is that of a plan which nobody has built; its lbc-api is the handler.
func region(t *testing.T, h http.HandlerFunc) *Region {
	t.Helper()
	spec, err := topology.LoadLibrary("one-az")
	if err != nil {
		t.Fatal(err)
	}
	p, err := spec.Plan()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	api := tenant.New(traffic.Here{}, topology.APIKey, netip.MustParseAddrPort(strings.TrimPrefix(s.URL, "http://")))
	return &Region{Plan: p, Recorder: history.NewRecorder(history.NewClock()), tenants: map[string]*tenant.Client{"bj": api}}
}

func shop() *Service { return &Service{App: App{Name: "shop", Host: "shop.example"}, Region: "bj"} }

func TestRulesBecomeObjectsOfTheAPIAndWritesOfTheHistory(t *testing.T) {
	var path string
	var sent tenant.Rule
	r := region(t, func(w http.ResponseWriter, q *http.Request) {
		path = q.Method + " " + q.URL.Path
		if err := json.NewDecoder(q.Body).Decode(&sent); err != nil {
			t.Error(err)
		}
		_, _ = w.Write([]byte(`{"id":"7","state":"published","revisions":{"/apisix":12}}`))
	})
	if _, err := r.SetRule(t.Context(), shop(), Rule{Name: "all"}); err != nil {
		t.Fatal(err)
	}
	if want := (tenant.Rule{Hosts: []string{"shop.example"}, Paths: []string{"/*"}, TargetGroup: "shop"}); !reflect.DeepEqual(sent, want) || path != "PUT /v1/load-balancers/shop/listeners/web/rules/all" {
		t.Errorf("sent %s %+v, want %+v", path, sent, want)
	}
	if _, err := r.SetRule(t.Context(), shop(), Rule{Name: "pay", Path: "/pay/*", Priority: 3, Group: "promo"}); err != nil {
		t.Fatal(err)
	}
	if want := (tenant.Rule{Hosts: []string{"shop.example"}, Paths: []string{"/pay/*"}, Priority: 3, TargetGroup: "promo"}); !reflect.DeepEqual(sent, want) {
		t.Errorf("sent %+v, want %+v", sent, want)
	}
	want := []history.Routes{{Host: "shop.example", Group: "shop"}, {Host: "shop.example", Prefix: "/pay/", Group: "promo"}}
	writes := r.Recorder.Snapshot().Writes
	if len(writes) != len(want) {
		t.Fatalf("got %d writes, want %d", len(writes), len(want))
	}
	for i, w := range writes {
		if w.Routes == nil || *w.Routes != want[i] || w.Rev != 12 || w.Outcome != history.OK || w.InForce != 0 {
			t.Errorf("write %d: got %+v with %+v, want revision 12 and %+v", i, w, w.Routes, want[i])
		}
	}
}

func TestRefusedWritesDidNotHappenAndUnansweredOnesMayHave(t *testing.T) {
	for status, want := range map[int]history.Outcome{http.StatusConflict: history.Fail, http.StatusServiceUnavailable: history.Info} {
		r := region(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"error_msg":"no"}`, status) })
		_, err := r.DropRule(t.Context(), shop(), "all")
		var said *tenant.Error
		if !errors.As(err, &said) || said.Status != status {
			t.Errorf("%d: got %v", status, err)
		}
		writes := r.Recorder.Snapshot().Writes
		if len(writes) != 1 || writes[0].Outcome != want || writes[0].Error == "" || writes[0].Key != "/v1/load-balancers/shop/listeners/web/rules/all" {
			t.Errorf("%d: got %+v, want one write with the outcome %v", status, writes, want)
		}
	}
}

func TestWritesAreAskedForTheirRevisionUntilTheyHaveOneOrFail(t *testing.T) {
	const publishing = `{"id":"7","state":"publishing"}`
	for name, c := range map[string]struct {
		first   string
		answers []string // to later questions
		asked   int32
		rev     int64
	}{
		"known at once": {`{"id":"7","state":"published","revisions":{"/apisix":9}}`, nil, 0, 9},
		"known later":   {publishing, []string{publishing, `{"id":"7","state":"in_force","revisions":{"/apisix":9}}`}, 2, 9},
		"never":         {publishing, []string{`{"id":"7","state":"failed"}`}, 1, 0},
	} {
		var asked atomic.Int32
		r := region(t, func(w http.ResponseWriter, q *http.Request) {
			if q.Method != http.MethodGet {
				_, _ = w.Write([]byte(c.first))
				return
			}
			n := int(asked.Add(1))
			_, _ = w.Write([]byte(c.answers[min(n, len(c.answers))-1]))
		})
		if _, err := r.SetRule(t.Context(), shop(), Rule{Name: "all"}); err != nil {
			t.Fatal(err)
		}
		if w := r.Recorder.Snapshot().Writes[0]; w.Rev != c.rev || asked.Load() != c.asked {
			t.Errorf("%s: got revision %d after %d questions, want %d after %d", name, w.Rev, asked.Load(), c.rev, c.asked)
		}
	}
}

func TestChangesAreInForceWhenTheAPISaysSo(t *testing.T) {
	r := region(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"id":"7","state":"in_force","in_force":16,"nodes":16}`))
	})
	if op, err := r.AwaitInForce(t.Context(), shop(), tenant.Operation{ID: "7", State: tenant.Published}); err != nil || op.Nodes != 16 {
		t.Errorf("got %+v, %v, want 16 nodes", op, err)
	}
	bad := region(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"id":"7","state":"failed","error":"no room"}`))
	})
	if _, err := bad.AwaitInForce(t.Context(), shop(), tenant.Operation{ID: "7"}); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("got %v, want the reason", err)
	}
}

func TestTheHistoryKnowsWhatTheAPISaysIsInForce(t *testing.T) {
	const answer = `{"id":"%d","state":"%s","revisions":{"/apisix":%d}}`
	rev := 10
	r := region(t, func(w http.ResponseWriter, q *http.Request) {
		state := "in_force"
		if q.Method != http.MethodGet {
			state, rev = "published", rev+1
		}
		fmt.Fprintf(w, answer, 12, state, min(rev, 12))
	})
	other := &Service{App: App{Name: "blog"}, Region: "bj"}
	var last tenant.Operation
	for i, s := range []*Service{shop(), other, shop()} { // revisions 11, 12 and, as if it came later, 12
		op, err := r.SetRule(t.Context(), s, Rule{Name: fmt.Sprint("r", i)})
		if err != nil {
			t.Fatal(err)
		}
		last = op
	}
	if _, err := r.AwaitInForce(t.Context(), shop(), last); err != nil {
		t.Fatal(err)
	}
	got := []bool{}
	for _, w := range r.Recorder.Snapshot().Writes {
		got = append(got, w.InForce > 0)
	}
	if want := []bool{true, false, true}; !reflect.DeepEqual(got, want) {
		t.Errorf("in force: got %v, want %v: both of the site, and not another's", got, want)
	}
}

func TestSitesBelongToTheNetworkOfTheirTargets(t *testing.T) {
	r := region(t, nil)
	r.own(App{Name: "shop", Host: "shop.example", VPC: "shop"}, netip.MustParseAddr("203.0.113.10"))
	r.own(App{Name: "blog", Host: "blog.example"}, netip.MustParseAddr("203.0.113.11"))
	got := r.Facts().Networks
	if len(got) != 2 || got[0].VNI != 1001 || got[1].VNI != 0 || got[0].Hosts[0] != "shop.example" || got[1].Addrs[0] != netip.MustParseAddr("203.0.113.11") {
		t.Errorf("got %+v, want shop in VNI 1001 and blog in none", got)
	}
	r.grant("blog", []topology.Ref{"idc/bj/blue-2", "idc/bj/blue-1"})
	between := r.Facts()
	r.grant("blog", []topology.Ref{"idc/bj/green-1", "idc/bj/blue-1"})
	now := r.Facts().Networks
	if fmt.Sprint(now[1].Backends) != "[idc/bj/blue-1 idc/bj/blue-2 idc/bj/green-1]" || now[0].Backends != nil {
		t.Errorf("got %+v, want all that blog ever had, and none of shop", now)
	}
	if len(between.Networks[1].Backends) != 2 {
		t.Errorf("facts that were given out change: %+v", between.Networks)
	}
}

func TestNamesThatATopologyLacksAreErrorsThatSayWhatItHas(t *testing.T) {
	r := region(t, nil)
	if _, err := r.VIP("shop"); err == nil || !strings.Contains(err.Error(), "shop-eip") {
		t.Errorf("VIP: got %v, want the names that there are", err)
	}
	if _, err := r.Address("vpc/shop/web-99"); err == nil {
		t.Error("an address for a node that there is not")
	}
	if _, err := r.Tenant("sh"); err == nil || !strings.Contains(err.Error(), "regions.*.control.lbc-api") {
		t.Errorf("lbc-api of another region: got %v, want the remedy", err)
	}
	if at, err := r.Address("vpc/shop/web-1"); err != nil || at != netip.MustParseAddr("192.168.0.10") {
		t.Errorf("guest: got %v, %v, want its address in the VPC", at, err)
	}
}

func TestPathsWithAStarArePrefixes(t *testing.T) {
	for path, want := range map[string]string{"/*": "", "/": "", "/pay/*": "/pay/", "/pay*": "/pay", "/pay": "/pay", "": ""} {
		if got := prefixOf(path); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}

func TestPollReturnsTheLastAnswerWhenTimeIsUp(t *testing.T) {
	n := 0
	if err := poll(t.Context(), func() error {
		if n++; n < 3 {
			return errors.New("not yet")
		}
		return nil
	}); err != nil || n != 3 {
		t.Errorf("got %v after %d questions, want nil after 3", err, n)
	}
	enough := errors.New("not within 50ms")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, enough)
	defer cancel()
	last := errors.New("3 of 5")
	if err := poll(ctx, func() error { return fmt.Errorf("still %w", last) }); !errors.Is(err, last) || !errors.Is(err, enough) {
		t.Errorf("got %v, want the last answer and the reason", err)
	}
}
