//go:build netns

package l4

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

const (
	labVIP   = "203.0.113.10"
	clientIP = "10.1.0.2"
	l4IP     = "10.2.0.2"
	patience = 20 * time.Second // for what takes milliseconds on a quiet machine
)

// A lab is client - router - L4 node - gateways, with one VIP. The gateways hold
// the VIP and answer through the router.
type lab struct {
	t        *testing.T
	client   *link.Stack
	router   *link.Stack
	l4       *link.Stack
	gateways []*labGateway
	pins     string
	rev      int64

	plane *nsPlane
	etcd  etcd
	rep   *reports
	ctl   *Controller
	stop  func() // ends the process of the L4 node as SIGKILL does
}

// nsPlane attaches in the namespace of the L4 node; the product's process lives
// there as a whole.
type nsPlane struct {
	*Datapath
	ns *netns.NS
}

func (p *nsPlane) Attach() error { return p.ns.Do(p.Datapath.Attach) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, yes func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("still not after %v: %s", patience, what)
		}
	}
}

func labStack(t *testing.T, forward bool) *link.Stack {
	t.Helper()
	ns, err := netns.New()
	must(t, err)
	s, err := link.Open(ns)
	must(t, err)
	t.Cleanup(func() { s.Close(); ns.Close() })
	must(t, s.Prepare(forward))
	return s
}

// wire joins a node to the router and routes everything there.
func wire(t *testing.T, s, router *link.Stack, routerIf, addr, via string, mtu, routerMTU int) {
	t.Helper()
	must(t, link.Veth(link.End{Stack: s, Name: "eth0", MTU: mtu}, link.End{Stack: router, Name: routerIf, MTU: routerMTU}))
	must(t, s.Address("eth0", netip.MustParsePrefix(addr+"/24")))
	must(t, router.Address(routerIf, netip.MustParsePrefix(via+"/24")))
	must(t, s.Route(link.Route{
		Dst: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr(via), Dev: "eth0", Src: netip.MustParseAddr(addr),
	}))
}

func newLab(t *testing.T, gateways int) *lab {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapRoot, sandbox.CapEBPF)
	l := &lab{
		t: t, client: labStack(t, false), router: labStack(t, true), l4: labStack(t, false),
		pins: filepath.Join("/sys/fs/bpf", strings.ReplaceAll(t.Name(), "/", "_")), etcd: newEtcd(), rep: &reports{},
	}
	// The last hop to the client is narrow: large answers need path MTU discovery.
	wire(t, l.client, l.router, "c0", clientIP, "10.1.0.1", 1500, 1400)
	wire(t, l.l4, l.router, "l0", l4IP, "10.2.0.1", 1600, 1600)
	// Strict filters are what an unprepared machine has.
	must(t, l.l4.Sysctl("net.ipv4.conf.all.rp_filter", "1"))
	must(t, l.router.Route(link.Route{Dst: netip.MustParsePrefix(labVIP + "/32"), Via: netip.MustParseAddr(l4IP), Dev: "l0"}))
	for i := range gateways {
		l.gateways = append(l.gateways, l.gateway(i+1))
	}
	l.start()
	t.Cleanup(func() {
		must(t, l.plane.Remove())
		l.stop()
	})
	return l
}

// start is a new process of the L4 node: it opens the data path and follows etcd.
func (l *lab) start() {
	l.t.Helper()
	p := &nsPlane{ns: l.l4.NS()}
	must(l.t, p.ns.Do(func() (err error) {
		p.Datapath, err = OpenDatapath(DatapathOptions{PinDir: l.pins, Uplink: "eth0", Underlay: netip.MustParseAddr(l4IP)})
		return err
	}))
	l.plane = p
	l.ctl = NewController(ControllerOptions{
		Underlay: l4IP, Plane: p, Report: l.rep,
		Prober: ProberOptions{Interval: 50 * time.Millisecond, Timeout: time.Second, Probe: HTTPProbe(l.dialer(l.l4))},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = l.ctl.Run(ctx, l.etcd)
	}()
	l.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		p.Close()
	})
}

// dialer opens connections in the namespace of s.
func (l *lab) dialer(s *link.Stack) Dial {
	return func(ctx context.Context, network, address string) (c net.Conn, err error) {
		err = s.NS().Do(func() error {
			c, err = (&net.Dialer{}).DialContext(ctx, network, address)
			return err
		})
		return c, err
	}
}

// register writes the VIP and the first n gateways, and waits until all that are
// reachable are up.
func (l *lab) register(n int) {
	l.t.Helper()
	l.rev++
	vip := store.KV{Key: VIPPrefix + labVIP, Value: fmt.Appendf(nil,
		`{"address":%q,"pool":"l7gw","ports":[{"port":80,"protocol":"tcp"},{"port":443,"protocol":"udp"}]}`, labVIP)}
	var members []store.KV
	for i := range n {
		members = append(members, memberKV("l7gw", l.gateways[i].name, fmt.Sprintf("100.127.0.%d", i+1), fmt.Sprintf("10.3.%d.2", i+1), "active"))
	}
	l.etcd[Watches] <- store.Batch{Reset: true, Revision: l.rev, Puts: []store.KV{vip}}
	l.etcd[registry] <- store.Batch{Reset: true, Revision: l.rev, Puts: members}
	eventually(l.t, fmt.Sprintf("%d gateways in the ring: %+v", n, l.ctl.Status()), func() bool { return len(l.ring()) == n })
}

func (l *lab) pool() PoolStatus { return l.ctl.Status().Pools[0] }
func (l *lab) ring() []string   { return l.pool().RingMembers }

func (l *lab) counter(name string) uint64 {
	l.t.Helper()
	all, err := l.plane.Counters()
	must(l.t, err)
	return all[name]
}

// state waits until a gateway has the state.
func (l *lab) state(name string, want State) {
	l.t.Helper()
	eventually(l.t, name+" is "+want.String(), func() bool {
		for _, m := range l.pool().Members {
			if m.Name == name {
				return m.State == want
			}
		}
		return false
	})
}
