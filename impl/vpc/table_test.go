package vpc

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

var seed = flag.Uint64("seed", 0, "seed of the churn tests; 0 draws one")

func testSeed(t *testing.T) uint64 {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	t.Logf("run again with -seed=%d", s)
	return s
}

func testPool(t testing.TB, s string) Pool {
	t.Helper()
	p, err := NewPool(netip.MustParsePrefix(s))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPoolLeavesOutMembersAndEnds(t *testing.T) {
	p := testPool(t, "100.64.0.0/10")
	for addr, want := range map[string]bool{
		"100.64.0.0": false, "100.64.0.1": true, "100.126.255.255": true, "100.127.0.0": false,
		"100.127.255.255": false, "100.128.0.0": false, "100.63.255.255": false,
	} {
		if got := p.Contains(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: got %t, want %t", addr, got, want)
		}
	}
	for _, s := range []string{"100.64.0.1/10", "100.64.0.0/31", "100.127.0.0/16", "100.127.4.0/24", "fd00::/64"} {
		if _, err := NewPool(netip.MustParsePrefix(s)); err == nil {
			t.Errorf("%s: got a pool, want an error", s)
		}
	}
	// A pool that continues behind the member addresses goes on there.
	p = testPool(t, "100.0.0.0/8")
	if next, ok := p.after(netip.MustParseAddr("100.126.255.255")); !ok || next != netip.MustParseAddr("100.128.0.0") {
		t.Errorf("got %s, %t behind the last address before the members, want 100.128.0.0", next, ok)
	}
}

func TestPickTakesTheLowestFreeAddresses(t *testing.T) {
	table := NewTable(testPool(t, "100.64.0.0/29"))
	for i := byte(1); i <= 4; i++ {
		a, _ := Address{UniqueIP: netip.AddrFrom4([4]byte{100, 64, 0, i})}.Give(Owner{VPC: "v", VNI: 1, IP: netip.AddrFrom4([4]byte{10, 0, 0, i})}, "tg")
		table.Set(a)
	}
	table.Set(Address{UniqueIP: netip.MustParseAddr("100.64.0.2"), State: Free, Generation: 4})
	table.Set(Address{UniqueIP: netip.MustParseAddr("100.64.0.3"), State: Quarantine, Generation: 1})
	got, err := table.Pick(3)
	if err != nil || fmt.Sprint(got[0].UniqueIP, got[1].UniqueIP, got[2].UniqueIP) != "100.64.0.2 100.64.0.5 100.64.0.6" || got[0].Generation != 4 {
		t.Fatalf("got %v, %v", got, err)
	}
	var exhausted *PoolExhaustedError
	if _, err := table.Pick(4); !errors.As(err, &exhausted) || exhausted.Free != 3 {
		t.Errorf("got %v, want a pool with 3 free addresses", err)
	}
}

// twin is the naive allocator: it looks at every address each time.
type twin struct {
	pool  []netip.Addr
	state map[netip.Addr]Address
}

func newTwin(p Pool) *twin {
	w := &twin{state: make(map[netip.Addr]Address)}
	for a := p.prefix.Addr(); p.prefix.Contains(a); a = a.Next() {
		if p.Contains(a) {
			w.pool = append(w.pool, a)
		}
	}
	return w
}

func (w *twin) pick(n int) []netip.Addr {
	var got []netip.Addr
	for _, a := range w.pool {
		if len(got) < n && w.state[a].State == Free {
			got = append(got, a)
		}
	}
	return got
}

// churn drives a table and its twin with the same steps, drawn from next, and
// checks after each what must hold of any table.
func churn(t *testing.T, p Pool, steps int, next func(n int) int) {
	t.Helper()
	const quarantine = 10 * time.Second
	table, naive := NewTable(p), newTwin(p)
	now := noon
	withdrawn := make(map[netip.Addr]time.Time)
	generation := make(map[netip.Addr]uint64)
	set := func(a Address) { table.Set(a); naive.state[a.UniqueIP] = a }
	for range steps {
		now = now.Add(time.Duration(next(3)) * time.Second)
		// Two VPCs with the same addresses.
		vni := uint32(1 + next(2))
		owner := Owner{VPC: fmt.Sprint("vpc", vni), VNI: vni, IP: netip.AddrFrom4([4]byte{192, 168, 0, byte(next(12))})}
		a, has := table.Find(owner)
		switch step := next(5); {
		case step == 0 && !has:
			want := naive.pick(1)
			got, err := table.Pick(1)
			if (err == nil) != (len(want) == 1) || err == nil && got[0].UniqueIP != want[0] {
				t.Fatalf("pick: got %v, %v, want %v", got, err, want)
			}
			if err != nil {
				continue
			}
			next, err := got[0].Give(owner, "tg")
			if err != nil {
				t.Fatal(err)
			}
			if at, was := withdrawn[next.UniqueIP]; was && now.Before(at.Add(quarantine)) {
				t.Fatalf("%s was given away %s after its withdrawal", next.UniqueIP, now.Sub(at))
			}
			if next.Generation <= generation[next.UniqueIP] {
				t.Fatalf("%s: generation %d after %d", next.UniqueIP, next.Generation, generation[next.UniqueIP])
			}
			generation[next.UniqueIP] = next.Generation
			set(next)
		case step == 1 && has && a.State == Active:
			released, err := a.Release("tg", 1)
			if err != nil {
				t.Fatal(err)
			}
			set(released)
		case step == 2 && has && a.State == Draining:
			back, err := a.Use("tg")
			if err != nil || back.Generation != a.Generation {
				t.Fatalf("use: got %+v, %v", back, err)
			}
			set(back)
		default:
			for _, unique := range naive.pool {
				a := naive.state[unique]
				if a.State == Draining && a.Until.IsZero() {
					a, _ = a.Reached(now.Add(time.Second))
				} else if gone, err := a.Withdraw(now, now.Add(quarantine)); err == nil {
					a = gone
					withdrawn[unique] = now
				} else if free, err := a.Free(now); err == nil {
					a = free
				} else {
					continue
				}
				set(a)
			}
		}
		checkOneToOne(t, table, naive)
	}
}

// checkOneToOne checks that owners and addresses correspond one to one and that
// the table's indexes say what its records say.
func checkOneToOne(t *testing.T, table *Table, naive *twin) {
	t.Helper()
	owners := make(map[Owner]netip.Addr)
	for unique, a := range naive.state {
		if table.Get(unique).State != a.State {
			t.Fatalf("%s: got %s, want %s", unique, table.Get(unique).State, a.State)
		}
		if a.State != Active && a.State != Draining {
			if !a.Owner.IsZero() {
				t.Fatalf("%s is %s and has an owner", unique, a.State)
			}
			continue
		}
		if other, twice := owners[a.Owner]; twice {
			t.Fatalf("%s and %s both belong to %s", unique, other, a.Owner)
		}
		owners[a.Owner] = unique
		if got, ok := table.Find(a.Owner); !ok || got.UniqueIP != unique {
			t.Fatalf("find %s: got %s, %t, want %s", a.Owner, got.UniqueIP, ok, unique)
		}
	}
	if len(table.owners) != len(owners) {
		t.Fatalf("the table knows %d owners, want %d", len(table.owners), len(owners))
	}
}

func TestChurnKeepsMappingsOneToOne(t *testing.T) {
	s := testSeed(t)
	r := rand.New(rand.NewPCG(s, 1))
	for range 20 {
		churn(t, testPool(t, "100.64.0.0/28"), 600, r.IntN) // 14 addresses for 24 owners
	}
	// Across the hole of the member addresses.
	churn(t, Pool{prefix: netip.MustParsePrefix("100.126.255.240/28")}, 600, r.IntN)
}

func FuzzTableAgreesWithItsTwin(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 1, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4096 {
			return
		}
		steps := len(b) / 8
		churn(t, testPool(t, "100.64.0.0/29"), steps, func(n int) int {
			if len(b) < 2 {
				return 0
			}
			v := binary.BigEndian.Uint16(b)
			b = b[2:]
			return int(v) % n
		})
	})
}

func TestReplicasPickAlike(t *testing.T) {
	s := testSeed(t)
	r := rand.New(rand.NewPCG(s, 2))
	p := testPool(t, "100.64.0.0/24")
	var records []Address
	for i := range 200 {
		a := Address{UniqueIP: netip.AddrFrom4([4]byte{100, 64, 0, byte(i + 1)}), State: State(r.IntN(4)), Generation: 1}
		if a.State == Active || a.State == Draining {
			a.Owner = Owner{VPC: "v", VNI: 1, IP: netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})}
		}
		records = append(records, a)
	}
	var first string
	for range 5 {
		table := NewTable(p)
		for _, i := range r.Perm(len(records)) {
			table.Set(records[i])
		}
		got, err := table.Pick(40)
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprint(got); first == "" {
			first = text
		} else if text != first {
			t.Fatalf("got %s, another order of records gave %s", text, first)
		}
	}
}
