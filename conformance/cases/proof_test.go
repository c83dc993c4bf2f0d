package cases

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/conformance/suite"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// bugs are, for each case that needs no region, gateways that it must catch.
var bugs = map[string][]string{
	"ADMIN-ENVELOPE":             {"always 200", "knows no services", "forgets create_time of upstreams", "indexes on writes", "stores defaults", "deleted is a number", "deletes nothing", "missing is empty", "total is wrong"},
	"ADMIN-BAD-KEY":              {"needs no key", "reads without a key", "looks at the key after the write"},
	"ADMIN-BAD-BODY":             {"body renames", "drops unknown fields", "replaces before it looks"},
	"ADMIN-IF-MATCH":             {"ignores If-Match"},
	"ROUTE-EXACT":                {"exact is prefix"},
	"ROUTE-PREFIX":               {"prefix by segment", "prefix without its slash"},
	"ROUTE-PREFIX-LONGEST":       {"priority first", "best match or nothing"},
	"ROUTE-EXACT-OVER-PREFIX":    {"priority first", "best match or nothing"},
	"ROUTE-HOST":                 {"ignores hosts", "host with port", "host with case", "first host only"},
	"ROUTE-HOST-WILDCARD":        {"one label", "wildcard covers the domain", "priority first"},
	"ROUTE-HOST-FALLTHROUGH":     {"host decides first"},
	"ROUTE-METHOD":               {"ignores methods", "head is get"},
	"ROUTE-NONE-404":             {"own 404", "closes in silence", "has another name"},
	"HDR-XFF":                    {"no forwarded-for", "replaces forwarded-for", "believes clients"},
	"HDR-HOP-BY-HOP":             {"copies request headers", "copies response headers", "passes upgrades"},
	"BODY-INTACT":                {"overwrites bodies", "drops chunked bodies", "cuts long bodies", "overwrites answers", "cuts long answers"},
	"LB-WEIGHTED":                {"ignores weights", "serves weight 0", "begins its round with every connection"},
	"RETRY-CONNECT-REFUSED":      {"no retry"},
	"RETRY-POST-NOT-REPEATED":    {"repeats everything"},
	"HEALTH-DOWN-UP":             {"ignores the status of probes", "ignores silence", "never takes back"},
	"RELOAD-DELETE-EFFECT":       {"ignores deletes"},
	"RELOAD-KEEPALIVE-OVER-EDIT": {"pins connections", "closes on edit"},
	"RELOAD-EDIT-UNDER-LOAD":     {"drops at a reload", "applies late", "goes back now and then", "lets bad nodes in", "mixes answers"},
}

// loopback is the place of the reference: everything on 127.0.0.1.
type loopback struct {
	t   *testing.T
	g   *reference
	rec *history.Recorder
	n   int
}

func (loopback) Has(spec.Capability) bool { return false }
func (l *loopback) Gateways() []spec.Gateway {
	return []spec.Gateway{{Ref: "bj/az1/l7-1", Data: netip.MustParseAddrPort(l.g.data.Listener.Addr().String())}}
}
func (loopback) Clients() []traffic.Client {
	return []traffic.Client{{Ref: "client/inet-1", Dialer: traffic.Here{}}}
}
func (l *loopback) Admin() spec.Endpoint {
	return spec.Endpoint{URL: l.g.admin.URL + "/apisix/admin", Key: referenceKey, From: l.Clients()[0]}
}
func (loopback) API() spec.Endpoint                   { return spec.Endpoint{} }
func (loopback) EIPs() []spec.EIP                     { return nil }
func (l *loopback) Recorder() *history.Recorder       { return l.rec }
func (loopback) Facts() check.Facts                   { return check.Facts{} }
func (loopback) Applied(context.Context, int64) error { return nil }
func (loopback) Closed(context.Context) (netip.AddrPort, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, err
	}
	return l.Addr().(*net.TCPAddr).AddrPort(), l.Close()
}
func (l *loopback) Start(_ context.Context, w spec.Want) ([]spec.Backend, error) {
	var out []spec.Backend
	for range w.N {
		li, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return out, err
		}
		l.n++
		b := spec.Backend{Ref: topology.Ref(fmt.Sprintf("idc/bj/blue-%d", l.n)), Addr: li.Addr().(*net.TCPAddr).AddrPort()}
		b.Server = echo.New(echo.Options{Ref: b.Ref, Sink: l.rec})
		go func() { _ = b.Server.Serve(li) }()
		out = append(out, b)
	}
	return out, nil
}

// judge runs one case, without those it builds on, against the reference.
func judge(t *testing.T, c spec.Case, bug string) spec.Result {
	t.Helper()
	c.After = nil
	if bug != "" {
		c.Timeout = 6 * time.Second // what has not been seen by then is not going to be
	}
	env := &loopback{t: t, g: newReference(t, bug), rec: history.NewRecorder(history.NewClock())}
	rs, err := suite.Run(t.Context(), env, suite.Options{Cases: []spec.Case{c}, Claims: c.Needs})
	if err != nil {
		t.Fatal(err)
	}
	return rs[0]
}

// TestCasesTellGoodGatewaysFromBadOnes is the proof of the cases: green against
// a gateway that does what they say, red against each that does not.
func TestCasesTellGoodGatewaysFromBadOnes(t *testing.T) {
	for _, c := range All() {
		if len(c.Env) > 0 {
			continue // needs a region: conformance/mutants proves those
		}
		if len(bugs[c.ID]) == 0 {
			t.Errorf("%s: no gateway in the table that it must catch", c.ID)
		}
		t.Run(c.ID+"/good", func(t *testing.T) {
			t.Parallel()
			if r := judge(t, c, ""); r.State != spec.Pass {
				t.Errorf("got %s, want pass:\n%s\n%s", r.State, strings.Join(r.Says, "\n"), strings.Join(r.Story, "\n"))
			}
		})
		for _, bug := range bugs[c.ID] {
			t.Run(c.ID+"/"+bug, func(t *testing.T) {
				t.Parallel()
				r := judge(t, c, bug)
				if r.State != spec.Fail {
					t.Errorf("got %s, want fail: %s", r.State, strings.Join(r.Says, "\n"))
				} else {
					t.Logf("caught: %s", r.Says[0])
				}
			})
		}
	}
}
