package l4

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
)

// plane is a data path that takes everything, or nothing.
type plane struct {
	mu       sync.Mutex
	adopted  Adopted
	now      Desired
	attached bool
	fail     error
	path     error
}

func (p *plane) Adopted() Adopted { return p.adopted }
func (p *plane) Apply(d Desired) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail == nil {
		p.now = d
	}
	return p.fail
}
func (p *plane) Attach() error { p.mu.Lock(); defer p.mu.Unlock(); p.attached = true; return nil }
func (p *plane) Check() error  { p.mu.Lock(); defer p.mu.Unlock(); return p.path }
func (p *plane) set(fail, path error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail, p.path = fail, path
}

// ring is who is in the ring of the gateways.
func (p *plane) ring() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return names(p.now.Rings[PoolGateway].Members())
}

// reports is what the node was told.
type reports struct {
	mu      sync.Mutex
	applied map[string]int64
	refused map[string]error
	state   node.State
}

func (r *reports) Applied(prefix string, rev int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.applied == nil {
		r.applied = map[string]int64{}
	}
	r.applied[prefix] = rev
}
func (r *reports) Refuse(key string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refused == nil {
		r.refused = map[string]error{}
	}
	r.refused[key] = err
}
func (r *reports) Accept(key string)     { r.mu.Lock(); defer r.mu.Unlock(); delete(r.refused, key) }
func (r *reports) SetState(s node.State) { r.mu.Lock(); defer r.mu.Unlock(); r.state = s }
func (r *reports) get() (node.State, string, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state, fmt.Sprint(r.applied), len(r.refused)
}

// etcd hands out the batches a test sends.
type etcd map[string]chan store.Batch

func newEtcd() etcd {
	return etcd{Watches: make(chan store.Batch), registry: make(chan store.Batch)}
}
func (e etcd) Watch(ctx context.Context, prefix string, apply func(store.Batch)) error {
	for {
		select {
		case b := <-e[prefix]:
			apply(b)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// region is a controller with everything around it.
type region struct {
	plane   *plane
	reports *reports
	etcd    etcd
	members *answers
	ctl     *Controller
}

// inRegion runs f while a controller runs.
func inRegion(t *testing.T, a Adopted, f func(*region)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &region{plane: &plane{adopted: a}, reports: &reports{}, etcd: newEtcd(), members: &answers{}}
		for i := range 10 {
			r.members.set(fmt.Sprintf("http://100.127.0.%d:9092/status/ready", i), IsReady)
		}
		r.ctl = NewController(ControllerOptions{
			Underlay: "10.0.0.9", Plane: r.plane, Report: r.reports, Prober: ProberOptions{Probe: r.members.probe},
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); _ = r.ctl.Run(ctx, r.etcd) }()
		f(r)
		cancel()
		<-done
	})
}

// after lets time pass and looks at the node.
func (r *region) after(t *testing.T, d time.Duration, state node.State, applied, ring string) {
	t.Helper()
	elapse(d)
	s, a, _ := r.reports.get()
	if s != state || a != applied || r.plane.ring() != ring {
		t.Errorf("got %s, applied %s, ring [%s]; want %s, %s, [%s]", s, a, r.plane.ring(), state, applied, ring)
	}
}

func gateway(i int, state string) store.KV {
	return memberKV("l7gw", fmt.Sprintf("g%d", i), fmt.Sprintf("100.127.0.%d", i), fmt.Sprintf("10.0.0.%d", i), state)
}

const both = "map[/unilb/l4:7 /unilb/nodes/registry:9]"

func start(t *testing.T, r *region) {
	t.Helper()
	r.after(t, 0, node.Starting, "map[]", "")
	r.etcd[registry] <- store.Batch{Reset: true, Revision: 9, Puts: []store.KV{gateway(1, "active"), gateway(2, "active"), gateway(3, "active")}}
	r.after(t, time.Second, node.Starting, "map[/unilb/nodes/registry:9]", "g1 g2 g3")
	r.etcd[Watches] <- store.Batch{Reset: true, Revision: 7, Puts: []store.KV{vipKV("203.0.113.1", "l7gw", 80)}}
	r.after(t, 0, node.Serving, both, "g1 g2 g3")
}

func TestNewNodeWaitsForVIPsAndProbes(t *testing.T) {
	inRegion(t, Adopted{}, func(r *region) {
		r.etcd[Watches] <- store.Batch{Reset: true, Revision: 7, Puts: []store.KV{vipKV("203.0.113.1", "l7gw", 80)}}
		r.after(t, time.Minute, node.Starting, "map[]", "") // who could forward it is not known
		r.members.set("http://100.127.0.2:9092/status/ready", Missed)
		r.etcd[registry] <- store.Batch{Reset: true, Revision: 9, Puts: []store.KV{gateway(1, "active"), gateway(2, "active")}}
		r.after(t, 0, node.Starting, "map[/unilb/nodes/registry:9]", "")
		r.after(t, 600*time.Millisecond, node.Starting, "map[/unilb/nodes/registry:9]", "g1") // g2 not decided
		select {
		case <-r.ctl.Ready():
			t.Error("ready while a member is not decided")
		default:
		}
		r.after(t, 500*time.Millisecond, node.Serving, both, "g1")
		<-r.ctl.Ready()
		// A member that comes later does not take the node out.
		r.etcd[registry] <- store.Batch{Revision: 12, Puts: []store.KV{gateway(3, "active")}}
		r.after(t, 0, node.Serving, "map[/unilb/l4:7 /unilb/nodes/registry:12]", "g1")
		r.after(t, time.Second, node.Serving, "map[/unilb/l4:7 /unilb/nodes/registry:12]", "g1 g3")
	})
}

func TestMembersLeaveTheRing(t *testing.T) {
	inRegion(t, Adopted{}, func(r *region) {
		start(t, r)
		r.members.set("http://100.127.0.1:9092/status/ready", IsDraining)
		r.after(t, 500*time.Millisecond, node.Serving, both, "g2 g3")
		r.members.set("http://100.127.0.2:9092/status/ready", Missed)
		r.after(t, 1500*time.Millisecond, node.Serving, both, "g3")
		// Nobody is up: those that answer are used, and the node says so.
		r.etcd[registry] <- store.Batch{Revision: 10, Puts: []store.KV{gateway(3, "draining")}}
		const later = "map[/unilb/l4:7 /unilb/nodes/registry:10]"
		r.after(t, 0, node.Serving, later, "g1 g3")
		var got PoolStatus
		for _, p := range r.ctl.Status().Pools {
			if p.Name == "l7gw" {
				got = p
			}
		}
		if !got.FailOpen || fmt.Sprint(got.Members[0].State, got.Members[1].State, got.Members[2].State) != "draining down draining" {
			t.Errorf("status: %+v", got)
		}
		r.members.set("http://100.127.0.2:9092/status/ready", IsReady)
		r.after(t, time.Second, node.Serving, later, "g2")
	})
}

// All seemed dead while they carried traffic. The first to be seen alive must not
// get the connections of those that will be seen a moment later.
func TestFirstMemberThatIsUpAgainLeavesTheOthersTheirConnections(t *testing.T) {
	inRegion(t, Adopted{}, func(r *region) {
		start(t, r)
		set := func(i int, o Outcome) { r.members.set(fmt.Sprintf("http://100.127.0.%d:9092/status/ready", i), o) }
		for i := 1; i <= 3; i++ {
			set(i, Missed)
		}
		r.after(t, 2250*time.Millisecond, node.Serving, both, "g1 g2 g3") // all down; between two probes
		set(2, IsReady)
		r.after(t, time.Second, node.Serving, both, "g1 g2 g3") // g2 is up, nothing is known of the others
		set(1, IsReady)
		r.after(t, 1500*time.Millisecond, node.Serving, both, "g1 g2") // g3 has been judged anew: it is dead
	})
}

func TestRevisionIsReportedOnlyWhenInForce(t *testing.T) {
	inRegion(t, Adopted{}, func(r *region) {
		start(t, r)
		r.plane.set(errors.New("no memory"), nil)
		r.etcd[Watches] <- store.Batch{Revision: 20, Puts: []store.KV{vipKV("203.0.113.2", "l7gw", 80)}}
		r.after(t, 0, node.Serving, both, "g1 g2 g3")
		if s := r.ctl.Status(); s.Error != "no memory" {
			t.Errorf("status error: got %q", s.Error)
		}
		r.plane.set(nil, nil)
		r.after(t, checkInterval, node.Serving, "map[/unilb/l4:20 /unilb/nodes/registry:9]", "g1 g2 g3")
		if len(r.plane.now.VIPs) != 2 {
			t.Errorf("VIPs in force: got %v, want 2", r.plane.now.VIPs)
		}
	})
}

func TestBrokenDataPathTakesTheNodeOut(t *testing.T) {
	inRegion(t, Adopted{}, func(r *region) {
		start(t, r)
		r.plane.set(nil, errors.New("program is detached"))
		r.after(t, checkInterval, node.Starting, both, "g1 g2 g3")
		if s := r.ctl.Status(); s.Fault != "program is detached" {
			t.Errorf("fault: got %q", s.Fault)
		}
		r.plane.set(nil, nil)
		r.after(t, checkInterval, node.Serving, both, "g1 g2 g3")
		r.ctl.Drain()
		r.after(t, 2*checkInterval, node.Draining, both, "g1 g2 g3")
	})
}

func TestRefusedObjectIsReportedUntilItIsFine(t *testing.T) {
	inRegion(t, Adopted{}, func(r *region) {
		start(t, r)
		bad := vipKV("203.0.113.1", "web", 80)
		r.etcd[Watches] <- store.Batch{Revision: 20, Puts: []store.KV{bad}}
		r.after(t, 0, node.Serving, "map[/unilb/l4:20 /unilb/nodes/registry:9]", "g1 g2 g3")
		if _, _, n := r.reports.get(); n != 1 || len(r.plane.now.VIPs) != 1 {
			t.Errorf("%d refused, VIPs %v; want 1 refused and the old version in force", n, r.plane.now.VIPs)
		}
		r.etcd[Watches] <- store.Batch{Revision: 21, Deletes: []string{bad.Key}}
		r.after(t, 0, node.Serving, "map[/unilb/l4:21 /unilb/nodes/registry:9]", "g1 g2 g3")
		if _, _, n := r.reports.get(); n != 0 || len(r.plane.now.VIPs) != 0 {
			t.Errorf("%d refused, VIPs %v; want none", n, r.plane.now.VIPs)
		}
	})
}

// A node that restarts while etcd is away goes on with what it finds in the
// kernel, and still notices when a member dies.
func TestRestartWithoutEtcd(t *testing.T) {
	d := newDirectory("")
	d.takeVIPs(store.Batch{Puts: []store.KV{vipKV("203.0.113.1", "l7gw", 80)}})
	d.takeRegistrations(store.Batch{Puts: []store.KV{gateway(1, "active"), gateway(2, "active"), gateway(3, "active")}})
	vips, members, _ := d.resolve()
	a := Adopted{VIPs: vips, Rings: map[Pool][]RingMember{}}
	for i, m := range members {
		a.Members = append(a.Members, Record{Member: m, State: [...]State{Up, Up, Down}[i]})
	}
	a.Rings[PoolGateway] = lastRing([]netip.Addr{members[0].Addr, members[1].Addr}, a.Members)
	inRegion(t, a, func(r *region) {
		r.members.set("http://100.127.0.3:9092/status/ready", Missed)
		r.after(t, 0, node.Serving, "map[]", "g1 g2")
		r.members.set("http://100.127.0.1:9092/status/ready", Missed)
		r.after(t, 1500*time.Millisecond, node.Serving, "map[]", "g2")
	})
}

// ofRegion is what etcd says to a node of a region that has just come up: no VIP,
// and these members.
func ofRegion(r *region, members ...store.KV) {
	r.etcd[Watches] <- store.Batch{Reset: true, Revision: 7}
	r.etcd[registry] <- store.Batch{Reset: true, Revision: 9, Puts: append(members, memberKV("l7admin", "a9", "100.127.0.9", "10.0.0.8", "active"))}
}

const published = "map[/unilb/l4:20 /unilb/nodes/registry:9]"

// The first VIP of a region: the gateways are registered, and none was heard of. A
// ring of the one that is up first would do until the other is known to be down,
// but whoever waits for the VIP would send connections that move when it grows.
func TestVIPIsInForceOnlyWhenItsPoolForwards(t *testing.T) {
	inRegion(t, Adopted{}, func(r *region) {
		for i := 1; i <= 2; i++ {
			r.members.set(fmt.Sprintf("http://100.127.0.%d:9092/status/ready", i), Missed)
		}
		ofRegion(r, gateway(1, "active"), gateway(2, "active"))
		r.etcd[Watches] <- store.Batch{Revision: 20, Puts: []store.KV{vipKV("203.0.113.1", "l7gw", 80)}}
		r.after(t, 400*time.Millisecond, node.Starting, both, "")
		if s, _, n := r.reports.get(); n != 0 || r.ctl.Status().Error != "VIPs wait for the first probes of pool l7gw" {
			t.Errorf("%s: %d objects refused, error %q; want none refused, and for what the VIP waits", s, n, r.ctl.Status().Error)
		}
		r.members.set("http://100.127.0.2:9092/status/ready", IsReady)
		r.after(t, 100*time.Millisecond, node.Starting, both, "") // one answer is none
		r.after(t, 200*time.Millisecond, node.Starting, both, "g2")
		r.after(t, 400*time.Millisecond, node.Serving, published, "g2")
		if e := r.ctl.Status().Error; e != "" {
			t.Errorf("status error: got %q, want none", e)
		}
	})
}

// That nobody answers is known, too: the ring has failed open, and forwards.
func TestVIPIsInForceWhenItsPoolHasFailedOpen(t *testing.T) {
	inRegion(t, Adopted{}, func(r *region) {
		r.members.set("http://100.127.0.1:9092/status/ready", Missed)
		ofRegion(r, gateway(1, "active"))
		r.etcd[Watches] <- store.Batch{Revision: 20, Puts: []store.KV{vipKV("203.0.113.1", "l7gw", 80)}}
		r.after(t, 900*time.Millisecond, node.Starting, both, "")
		r.after(t, 200*time.Millisecond, node.Serving, published, "g1")
		if _, _, n := r.reports.get(); n != 0 {
			t.Errorf("%d objects refused, want none", n)
		}
	})
}

// A pool without members holds up nobody, and is not kept quiet about.
func TestVIPWithoutAnyMemberIsReported(t *testing.T) {
	const key, nobody = VIPPrefix + "203.0.113.1", "no member of pool l7gw forwards: its packets are dropped"
	inRegion(t, Adopted{}, func(r *region) {
		ofRegion(r)
		r.after(t, time.Second, node.Serving, both, "")
		if _, _, n := r.reports.get(); n != 0 {
			t.Errorf("%d objects refused before there is a VIP, want none", n)
		}
		told := func(when, want string) {
			t.Helper()
			r.reports.mu.Lock()
			got := r.reports.refused[key]
			r.reports.mu.Unlock()
			var pool string
			for _, p := range r.ctl.Status().Pools {
				if p.Name == "l7gw" {
					pool = p.Error
				}
			}
			if (got == nil) != (want == "") || got != nil && got.Error() != want || pool != want {
				t.Errorf("%s: VIP reported with %v, pool with %q, want %q", when, got, pool, want)
			}
		}
		r.etcd[Watches] <- store.Batch{Revision: 20, Puts: []store.KV{vipKV("203.0.113.1", "l7gw", 80)}}
		r.after(t, 0, node.Serving, published, "")
		told("without a member", nobody)
		r.etcd[registry] <- store.Batch{Revision: 22, Puts: []store.KV{gateway(1, "active")}}
		const joined = "map[/unilb/l4:20 /unilb/nodes/registry:22]"
		r.after(t, 0, node.Serving, joined, "")
		told("with one that was not heard of twice", nobody) // whoever asks for 20 must not take it for in force
		r.after(t, 500*time.Millisecond, node.Serving, joined, "g1")
		told("with one that is up", "")
		r.etcd[registry] <- store.Batch{Revision: 23, Puts: []store.KV{gateway(2, "active")}, Deletes: []string{gateway(1, "active").Key}}
		const replaced = "map[/unilb/l4:20 /unilb/nodes/registry:23]"
		r.after(t, 0, node.Serving, replaced, "")
		told("with another in its place", nobody)
		r.after(t, 500*time.Millisecond, node.Serving, replaced, "g2")
		told("with that one up", "")
		r.etcd[registry] <- store.Batch{Revision: 24, Deletes: []string{gateway(2, "active").Key}}
		r.after(t, 0, node.Serving, "map[/unilb/l4:20 /unilb/nodes/registry:24]", "")
		told("with the last one gone", nobody)
		r.etcd[Watches] <- store.Batch{Revision: 25, Deletes: []string{key}}
		r.after(t, 0, node.Serving, "map[/unilb/l4:25 /unilb/nodes/registry:24]", "")
		told("with the VIP gone", "")
	})
}

// What the kernel forwards already is in force as soon as etcd is read.
func TestAdoptedRingLetsVIPsInForceAtOnce(t *testing.T) {
	d := newDirectory("")
	d.takeVIPs(store.Batch{Puts: []store.KV{vipKV("203.0.113.1", "l7gw", 80)}})
	d.takeRegistrations(store.Batch{Puts: []store.KV{gateway(1, "active")}})
	vips, members, _ := d.resolve()
	a := Adopted{VIPs: vips, Members: []Record{{Member: members[0], State: Up}}}
	a.Rings = map[Pool][]RingMember{PoolGateway: lastRing([]netip.Addr{members[0].Addr}, a.Members)}
	inRegion(t, a, func(r *region) {
		r.etcd[Watches] <- store.Batch{Reset: true, Revision: 20, Puts: []store.KV{vipKV("203.0.113.1", "l7gw", 80), vipKV("203.0.113.2", "l7gw", 80)}}
		r.after(t, 0, node.Serving, "map[/unilb/l4:20]", "g1")
	})
}
