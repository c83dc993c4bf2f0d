package cases

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/conformance/suite"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// bugs are, for each case that needs no region, gateways that it must catch.
var bugs = func() map[string][]string {
	all := map[string][]string{}
	for _, area := range []map[string][]string{routingBugs, trafficBugs, proxiedBugs, reloadBugs, protocolBugs, h2Bugs, tlsBugs, adminBugs, controlBugs, haBugs} {
		maps.Copy(all, area)
	}
	return all
}()

// loopback is the place of the reference: everything on 127.0.0.1.
type loopback struct {
	t   *testing.T
	g   *reference
	f   *front // stands in front of it, for cases of the protocol
	rec *history.Recorder
	n   int

	held map[uint16]int // descriptors of ports on which nobody listens
}

// Has says what the reference has; what it has not is proved by known-bad builds.
func (loopback) Has(c spec.Capability) bool {
	return c == spec.Control || c == spec.TLS || c == spec.Proxy
}

func (loopback) Listen(context.Context, string) (net.Listener, spec.Backend, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, spec.Backend{}, err
	}
	return l, spec.Backend{Ref: "idc/bj/played", Addr: l.Addr().(*net.TCPAddr).AddrPort()}, nil
}
func (loopback) Inject(context.Context, fault.Fault) (func(context.Context) error, error) {
	return nil, errors.New("nothing can be broken here")
}
func (l *loopback) Drain(ctx context.Context, _ topology.Ref) error {
	if l.f != nil {
		l.f.drainTunnels(ctx)
	}
	return l.g.drain(ctx)
}
func (l *loopback) Restart(context.Context, topology.Ref) error { return l.g.restart() }
func (l *loopback) Reload(context.Context, topology.Ref) error  { l.g.reload(); return nil }

func (l *loopback) Replace(ctx context.Context, _ topology.Ref) error {
	if l.f != nil && l.g.is("a restart cuts tunnels") {
		l.f.cutTunnels()
	}
	return l.g.replace(ctx)
}

func (l *loopback) Gateways() []spec.Gateway {
	if l.f != nil {
		return []spec.Gateway{{Ref: "bj/az1/l7-1", Data: netip.MustParseAddrPort(l.f.l.Addr().String())}}
	}
	return []spec.Gateway{{Ref: "bj/az1/l7-1", Data: netip.MustParseAddrPort(l.g.data.Listener.Addr().String()), TLS: l.g.tls, Control: spec.Endpoint{URL: l.g.control.URL, From: l.Clients()[0]}}}
}
func (loopback) Clients() []traffic.Client {
	return []traffic.Client{{Ref: "client/inet-1", Dialer: traffic.Here{}}}
}

// Proxies are another address of this machine.
func (loopback) Proxies() []traffic.Client {
	here := traffic.Here{Dialer: net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(referenceProxy)}}}
	return []traffic.Client{{Ref: "client/inet-2", Dialer: here}}
}

func (l *loopback) Admin() spec.Endpoint {
	return spec.Endpoint{URL: l.g.admin.URL + "/apisix/admin", Key: referenceKey, ViewerKey: referenceViewer, From: l.Clients()[0]}
}
func (l *loopback) Admins() []spec.Endpoint           { return []spec.Endpoint{l.Admin()} }
func (loopback) AdminsTLS() []spec.Endpoint           { return nil }
func (loopback) API() spec.Endpoint                   { return spec.Endpoint{} }
func (loopback) APIs() []spec.Endpoint                { return nil }
func (loopback) Nodes(topology.Kind) []spec.Node      { return nil }
func (loopback) EIPs() []spec.EIP                     { return nil }
func (l *loopback) Recorder() *history.Recorder       { return l.rec }
func (loopback) Facts() check.Facts                   { return check.Facts{} }
func (loopback) Applied(context.Context, int64) error { return nil }

// Closed binds a port and never listens on it: nobody else gets it meanwhile.
func (l *loopback) Closed(context.Context) (netip.AddrPort, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return netip.AddrPort{}, err
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}, err
	}
	at := sa.(*unix.SockaddrInet4)
	if l.held == nil {
		l.held = map[uint16]int{}
		l.t.Cleanup(func() {
			for _, fd := range l.held {
				_ = unix.Close(fd) // it holds nothing but the port
			}
		})
	}
	l.held[uint16(at.Port)] = fd
	return netip.AddrPortFrom(netip.AddrFrom4(at.Addr), uint16(at.Port)), nil
}
func (l *loopback) Start(_ context.Context, w spec.Want) ([]spec.Backend, error) {
	var out []spec.Backend
	for range w.N {
		li, err := l.listen(w.Port)
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

// listen listens on a port that Closed has held, or on any.
func (l *loopback) listen(port uint16) (net.Listener, error) {
	fd, held := l.held[port]
	if !held {
		return net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	}
	if err := unix.Listen(fd, unix.SOMAXCONN); err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "listener")
	delete(l.held, port)
	defer f.Close() // the listener has a descriptor of its own
	return net.FileListener(f)
}

// judge runs one case, without those it builds on and as binding, against the
// reference.
func judge(t *testing.T, c spec.Case, bug string) spec.Result {
	t.Helper()
	c.After, c.Level = nil, spec.Must // not met is a failure here, whatever the level
	if bug != "" {
		c.Timeout = 20 * time.Second // what has not been seen by then is not going to be
	}
	env := &loopback{t: t, g: newReference(t, bug), rec: history.NewRecorder(history.NewClock())}
	env.g.router = routerOf(c)
	env.g.standalone = slices.Contains(c.Needs, spec.AdminStandalone)
	env.g.behind = slices.Contains(c.Env, spec.Proxy)
	env.g.streamless = slices.Contains(c.Needs, spec.AdminStreamsOff)
	if spec.ProfileOf(c) == "L7-PROTOCOL" && !strings.HasPrefix(c.ID, "H2-") || slices.Contains(c.Needs, spec.WebSocket) {
		env.f = newFront(t, env.g)
	}
	rs, err := suite.Run(t.Context(), env, suite.Options{Cases: []spec.Case{c}, Claims: c.Needs})
	if err != nil {
		t.Fatal(err)
	}
	return rs[0]
}

// brief are bugs that show for some milliseconds after a change. On a starved
// machine nobody may have looked in time: that a case can catch them is proved by
// one of so many looks.
var brief = map[string]bool{
	"admin reads late": true, "looks for references late": true, "PATCH in two steps": true, "applies late": true, "begins with nothing at a reload": true, "closes on edit": true, "drops at a reload": true,
	"goes back now and then": true, "a restart refuses for a moment": true, "serves before it knows": true,
}

const looks = 5

// TestCasesTellGoodGatewaysFromBadOnes is the proof of the cases: green against
// a gateway that does what they say, red against each that does not.
func TestCasesTellGoodGatewaysFromBadOnes(t *testing.T) {
	for _, c := range All() {
		if slices.ContainsFunc(c.Env, func(k spec.Capability) bool { return !(loopback{}).Has(k) }) {
			continue // conformance/mutants proves those
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
				for look := 1; look < looks && brief[bug] && r.State == spec.Pass; look++ {
					r = judge(t, c, bug)
				}
				if r.State != spec.Fail {
					t.Errorf("got %s, want fail: %s", r.State, strings.Join(r.Says, "\n"))
				} else {
					t.Logf("caught: %s", r.Says[0])
				}
			})
		}
	}
}
