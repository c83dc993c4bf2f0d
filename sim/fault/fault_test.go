package fault

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// A fake machine records what is done to it, in order.
type fake struct {
	ref     topology.Ref
	addr    netip.Addr
	running map[string]bool
	frozen  map[string]bool
	drops   map[string][]netip.Addr
	off     bool
	deaf    bool // its filter takes rules and drops nothing
	told    Misbehaviour
	scarce  scarcity
	disk    fakeDisk
	world   *world
}

type world struct {
	mu       sync.Mutex
	machines []*fake
	links    []*fakeLink
	stores   map[string]*fakeStore
	log      []string
	fail     string // the action that fails
}

var errFake = errors.New("it does not want to")

func (w *world) Machines(s topology.Selector) []Machine {
	var out []Machine
	for _, m := range w.machines {
		if s.Match(m.ref) {
			out = append(out, m)
		}
	}
	return out
}

func newWorld() *world {
	w := &world{}
	for i, ref := range []topology.Ref{"bj/az1/l7-1", "bj/az1/l7-2", "bj/az2/l7-1"} {
		w.machines = append(w.machines, &fake{
			ref: ref, addr: netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), world: w,
			running: map[string]bool{"gateway": true, "lbc-agent": true}, frozen: map[string]bool{}, drops: map[string][]netip.Addr{},
			scarce: plenty(),
			disk:   fakeDisk{size: 1 << 20},
		})
	}
	w.links = fakeLinks()
	w.stores = fakeStores(w, 3)
	return w
}

func (m *fake) did(action string, change func()) error {
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	m.world.log = append(m.world.log, action)
	if strings.HasPrefix(action, m.world.fail) && m.world.fail != "" {
		return errFake
	}
	change()
	return nil
}

func (m *fake) Ref() topology.Ref                { return m.ref }
func (m *fake) Addresses() []netip.Addr          { return []netip.Addr{m.addr} }
func (m *fake) ProcessNames() []string           { return []string{"gateway", "lbc-agent"} }
func (m *fake) Running(p string) bool            { return m.running[p] }
func (m *fake) Frozen(p string) bool             { return m.frozen[p] }
func (m *fake) Unplugged() bool                  { return m.off }
func (m *fake) Dropping(id string) (bool, error) { return m.drops[id] != nil, nil }
func (m *fake) Kill(p string) error {
	return m.did("kill "+p, func() { m.running[p] = false })
}
func (m *fake) Freeze(p string) error {
	return m.did("freeze "+p, func() { m.frozen[p] = true })
}
func (m *fake) Continue(p string) error {
	return m.did("continue "+p, func() { m.frozen[p] = false })
}
func (m *fake) Start(_ context.Context, p string, args ...string) error {
	return m.did(strings.Join(append([]string{"start", p}, args...), " "), func() { m.running[p] = true })
}
func (m *fake) Terminate(_ context.Context, p string) error {
	return m.did("terminate "+p, func() { m.running[p] = false })
}
func (m *fake) Unplug() error { return m.did("unplug", func() { m.off = true }) }
func (m *fake) Lose() error {
	return m.did("lose", func() { clear(m.running) })
}
func (m *fake) Boot(context.Context) error { return m.did("boot", func() { m.off = false }) }
func (m *fake) Drop(id string, to []netip.Addr) error {
	return m.did("drop", func() { m.drops[id] = to })
}
func (m *fake) Undrop(id string) error { return m.did("undrop", func() { delete(m.drops, id) }) }
func (m *fake) Leaks(_ context.Context, id string, to []netip.Addr) ([]netip.Addr, error) {
	return slices.DeleteFunc(slices.Clone(to), func(a netip.Addr) bool { return !m.deaf && slices.Contains(m.drops[id], a) }), nil
}

// recorder keeps windows on a clock that a test moves.
type recorder struct {
	now     time.Duration
	windows []history.FaultWindow
}

func (r *recorder) Now() time.Duration          { r.now += time.Second; return r.now }
func (r *recorder) Fault(w history.FaultWindow) { r.windows = append(r.windows, w) }

func ledger(t *testing.T) (*Ledger, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "faults.ndjson")
	l, err := OpenLedger(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, path
}

func pending(t *testing.T, path string) []Entry {
	t.Helper()
	p, err := Pending(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var examples = []Fault{
	Kill{On: "bj/az1/l7-1", Process: "gateway"},
	Freeze{On: "bj/*/l7-*"},
	PowerOff{On: "bj/az1/**"},
	Partition{A: "bj/az1/**", B: "bj/az2/**", Direction: BToA},
	AgentCrash{On: "bj/az2/**"},
	LinkDown{Link: "bj/az1/l7-1--bj/az1/router", Side: SideA},
	LinkDown{Link: "bj/az1/**"},
	RateLimit{Link: "bj/az1/l7-1--bj/az1/router", Rate: 8_000_000, Direction: BToA},
	RateLimit{Link: "**", Rate: 1_000_000_000},
	Impair{Link: "bj/az1/router--bj/az2/router", Impairment: topology.Impairment{Delay: time.Second, Loss: 0.5}},
	Backend{On: "**", Do: Garbage},
	EtcdLoseQuorum{Region: "bj"},
	EtcdLeaderLoss{},
	EtcdLeaderLoss{How: ByFreeze},
	EtcdSlowDisk{On: "bj/az1/*", Delay: slowly},
	EtcdSlowDisk{On: "bj/az2/*", Write: slowly, Error: "EIO"},
	ExhaustDisk{On: "**"},
}

func TestFaultsSurviveJSON(t *testing.T) {
	for _, f := range examples {
		b, err := Encode(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(b)
		if err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("%s: got %#v (%v), want %#v", b, got, err, f)
		}
	}
	for _, bad := range []string{`{}`, `{"type":"flood","fault":{}}`, `{"type":"kill","fault":{"on":"a","how":1}}`, `{"type":"kill"}`, `[`} {
		if f, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%s was read as %v", bad, f)
		}
	}
}

func TestEveryFaultHealsToWhatWasBefore(t *testing.T) {
	for _, f := range examples {
		w, before := newWorld(), newWorld()
		l, path := ledger(t)
		a, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", f)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		if same(w, before) {
			t.Errorf("%s changed nothing", f)
		}
		if p := pending(t, path); len(p) != 1 || p[0].State != Applied {
			t.Errorf("%s: pending %v", f, p)
		}
		for range 2 {
			if err := a.Heal(t.Context()); err != nil {
				t.Fatalf("%s: %v", f, err)
			}
		}
		if !same(w, before) {
			t.Errorf("%s: something is left of it", f)
		}
		if p := pending(t, path); len(p) != 0 {
			t.Errorf("%s: pending after healing: %v", f, p)
		}
	}
}

func same(a, b *world) bool {
	for i, m := range a.machines {
		o := b.machines[i]
		frozen := slices.Contains([]bool{m.frozen["gateway"], m.frozen["lbc-agent"]}, true)
		if !reflect.DeepEqual(m.running, o.running) || frozen || m.off != o.off || len(m.drops) != len(o.drops) || m.told != o.told || m.disk.slow != o.disk.slow || m.disk.full != o.disk.full {
			return false
		}
	}
	return sameStores(a, b) && slices.EqualFunc(a.links, b.links, (*fakeLink).same)
}

func TestPowerGoesAfterEveryLink(t *testing.T) {
	w := newWorld()
	if err := (PowerOff{On: "bj/az1/*"}).Apply(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if want := []string{"unplug", "unplug", "lose", "lose"}; !slices.Equal(w.log, want) {
		t.Errorf("order: %v, want %v", w.log, want)
	}
}

func TestPartitionDropsAtTheSenderOfItsDirection(t *testing.T) {
	for _, c := range []struct {
		dir  Direction
		want []bool // dropping, by machine
	}{{BothWays, []bool{true, true, true}}, {AToB, []bool{true, true, false}}, {BToA, []bool{false, false, true}}} {
		w := newWorld()
		p := Partition{A: "bj/az1/*", B: "bj/az2/*", Direction: c.dir}
		if err := p.Apply(t.Context(), w); err != nil {
			t.Fatal(err)
		}
		for i, m := range w.machines {
			if got, _ := m.Dropping(p.id()); got != c.want[i] {
				t.Errorf("direction %q: %s drops %t, want %t", c.dir, m.ref, got, c.want[i])
			}
		}
		if to := w.machines[0].drops[p.id()]; c.want[0] && !slices.Equal(to, []netip.Addr{w.machines[2].addr}) {
			t.Errorf("drops to %v", to)
		}
	}
}

func TestWhatCannotBeDoneIsUnavailableAndChangesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		f       Fault
		prepare func(*world)
	}{
		"no node":            {Kill{On: "sh/**"}, nil},
		"no process":         {Freeze{On: "bj/**", Process: "nginx"}, nil},
		"not running":        {Kill{On: "bj/az1/l7-1", Process: "gateway"}, func(w *world) { w.machines[0].running["gateway"] = false }},
		"no power already":   {PowerOff{On: "bj/az1/**"}, func(w *world) { w.machines[1].off = true }},
		"power of nobody":    {PowerOff{On: "sh/**"}, nil},
		"on both sides":      {Partition{A: "bj/**", B: "bj/az2/**"}, nil},
		"one side is empty":  {Partition{A: "bj/az1/**", B: "sh/**"}, nil},
		"unknown direction":  {Partition{A: "bj/az1/**", B: "bj/az2/**", Direction: "up"}, nil},
		"partition in force": {Partition{A: "bj/az1/**", B: "bj/az2/**"}, func(w *world) { _ = Partition{A: "bj/az1/**", B: "bj/az2/**"}.Apply(context.Background(), w) }},
	} {
		w := newWorld()
		if c.prepare != nil {
			c.prepare(w)
		}
		w.log = nil
		l, path := ledger(t)
		var un *Unavailable
		if _, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", c.f); !errors.As(err, &un) {
			t.Errorf("%s: got %v, want *Unavailable", name, err)
		}
		if len(w.log) != 0 || len(pending(t, path)) != 0 {
			t.Errorf("%s: did %v, pending %v", name, w.log, pending(t, path))
		}
	}
}

func TestFailedApplyIsRevertedWithAContextOfItsOwn(t *testing.T) {
	w := newWorld()
	w.fail = "lose"
	l, path := ledger(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Inject(ctx, w, l, &recorder{}, "f1", "", PowerOff{On: "bj/az1/l7-1"})
	if !errors.Is(err, errFake) {
		t.Fatalf("got %v, want the failure", err)
	}
	if w.machines[0].off {
		t.Error("the node is still without power")
	}
	if p := pending(t, path); len(p) != 0 {
		t.Errorf("pending: %v", p)
	}
}

func TestFailedHealMayBeRepeated(t *testing.T) {
	w := newWorld()
	l, path := ledger(t)
	a, err := Inject(t.Context(), w, l, &recorder{}, "f1", "", Kill{On: "bj/az1/l7-1"})
	if err != nil {
		t.Fatal(err)
	}
	w.fail = "start"
	if err := a.Heal(t.Context()); !errors.Is(err, errFake) || a.Healed() || !a.Window().Open() {
		t.Errorf("heal: %v, healed %t, window %v", err, a.Healed(), a.Window())
	}
	if p := pending(t, path); len(p) != 1 {
		t.Errorf("pending: %v", p)
	}
	w.fail = ""
	if err := a.Heal(t.Context()); err != nil || !a.Healed() {
		t.Errorf("second heal: %v", err)
	}
}

func TestWindowReachesFromBeforeApplyToAfterRevert(t *testing.T) {
	w, r := newWorld(), &recorder{}
	l, _ := ledger(t)
	a, err := Inject(t.Context(), w, l, r, "f1", "", Freeze{On: "bj/az1/l7-1"})
	if err != nil {
		t.Fatal(err)
	}
	if !a.Window().Open() {
		t.Error("the window of an active fault is closed")
	}
	if err := a.Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	last := r.windows[len(r.windows)-1]
	if last.Window != a.Window() || last.From != time.Second || last.To <= last.From || last.Kind != "freeze" || len(last.Targets) != 1 {
		t.Errorf("recorded %+v, window %+v", last, a.Window())
	}
}

func TestLedgerIsWrittenBeforeTheFaultIsApplied(t *testing.T) {
	l, path := ledger(t)
	f := &spy{Kill: Kill{On: "bj/az1/l7-1"}, check: func() {
		if p := pending(t, path); len(p) != 1 || p[0].State != Applying {
			t.Errorf("while it is applied: pending %v", p)
		}
	}}
	if _, err := Inject(t.Context(), newWorld(), l, &recorder{}, "f1", "", f); err != nil {
		t.Fatal(err)
	}
}

// spy looks around when it is applied.
type spy struct {
	Kill
	check func()
}

func (s *spy) Apply(ctx context.Context, t Target) error { s.check(); return s.Kill.Apply(ctx, t) }
func (s *spy) MarshalJSON() ([]byte, error)              { return json.Marshal(s.Kill) }

func TestPendingSurvivesACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "faults.ndjson")
	if p, err := Pending(path); err != nil || len(p) != 0 {
		t.Errorf("missing file: %v, %v", p, err)
	}
	text := `{"id":"f1","state":"applying"}
{"id":"f1","state":"applied"}
{"id":"f2","state":"applying"}
{"id":"f3","state":"applied"}
{"id":"f3","state":"reverted"}
{"id":"f4","sta`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range pending(t, path) {
		ids = append(ids, e.ID)
	}
	if !slices.Equal(ids, []string{"f2", "f1"}) {
		t.Errorf("pending %v, want f2 before f1", ids)
	}
	if err := os.WriteFile(path, []byte("not json\n"+text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Pending(path); err == nil {
		t.Error("a broken line in the middle was accepted")
	}
}
