package meter

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

func TestCellsShareNoLinesOfTheCache(t *testing.T) {
	const lines = 128 // two of 64 bytes, of which processors fetch two at a time
	if size := reflect.TypeFor[cell]().Size(); size%lines != 0 {
		t.Errorf("a cell has %d bytes, want a multiple of %d: change cellPad", size, lines)
	}
}

func TestLanesAreSummed(t *testing.T) {
	const lanes, each = 3, 2000
	m := New(lanes, 0)
	s := m.Series(Key{"r", "10.0.0.1"}, Labels{Service: "s"})
	var wg sync.WaitGroup
	for lane := range lanes {
		for range 2 { // an engine of the library has many goroutines on a lane
			wg.Go(func() {
				for i := range each {
					s.Done(lane, Outcome{Status: 200 + i%2*304, Asked: i%2 == 0, Upstream: i%2 == 0, Waited: 2 * time.Millisecond, Took: 3 * time.Millisecond,
						Received: 10, Sent: 100, Retries: i % 2, Cut: i%4 == 0, CutReason: exchange.CutTargetReset})
					s.Failed(lane, exchange.TimedOutRead)
				}
			})
		}
	}
	wg.Wait()
	const n = 2 * lanes * each
	r := s.Read()
	got := map[Answers]bool{}
	for _, a := range r.Answers {
		got[a] = true
	}
	if len(got) != 2 || !got[Answers{200, true, n / 2}] || !got[Answers{504, false, n / 2}] {
		t.Errorf("answers %+v, want %d of each", r.Answers, n/2)
	}
	if r.Received != 10*n || r.Sent != 100*n || r.Retries != n/2 || r.Cuts[exchange.CutTargetReset] != n/4 || r.Failures[exchange.TimedOutRead] != n {
		t.Errorf("got %+v", r)
	}
	for name, c := range map[string]struct {
		d     Distribution
		count uint64
		sum   time.Duration
		under [3]uint64 // 1, 2 and 5 ms
	}{
		"request":  {r.Request, n, n * 3 * time.Millisecond, [3]uint64{0, 0, n}},
		"upstream": {r.Upstream, n / 2, n * time.Millisecond, [3]uint64{0, n / 2, n / 2}},
		"own":      {r.Own, n, n/2*time.Millisecond + n/2*3*time.Millisecond, [3]uint64{n / 2, n / 2, n}},
	} {
		if c.d.Count != c.count || c.d.Sum != c.sum || [3]uint64(c.d.Within[:3]) != c.under || c.d.Within[len(Bounds)-1] != c.count {
			t.Errorf("%s: got %+v, want %d, %v, %v", name, c.d, c.count, c.sum, c.under)
		}
	}
	if got := m.Requests(); got != n {
		t.Errorf("%d requests, want %d", got, n)
	}
}

func TestBoundsBelongToTheirBuckets(t *testing.T) {
	s := New(1, 0).None()
	for _, b := range Bounds {
		s.Done(0, Outcome{Took: b})
		s.Done(0, Outcome{Took: b + 1})
	}
	d := s.Read().Request
	for i := range Bounds {
		if want := uint64(2*i + 1); d.Within[i] != want {
			t.Errorf("within %v: %d, want %d", Bounds[i], d.Within[i], want)
		}
	}
	if want := uint64(2 * len(Bounds)); d.Count != want {
		t.Errorf("count %d, want %d", d.Count, want)
	}
}

func TestStatusesBeyondTheBoundAreNotToldApart(t *testing.T) {
	s := New(1, 0).None()
	for code := range 900 {
		s.Done(0, Outcome{Status: 100 + code, Upstream: true})
	}
	r := s.Read()
	var told, rest uint64
	for _, a := range r.Answers {
		if a.Status < 0 {
			rest = a.Count
		} else {
			told += a.Count
		}
	}
	if told != statuses || told+rest != 900 {
		t.Errorf("%d told apart, %d not; want %d and all others", told, rest, statuses)
	}
}

func TestSeriesBeyondTheBoundAreFoldedAndMakeRoomWhenTheyAreGone(t *testing.T) {
	m := New(1, 10)
	for i := range 15 {
		m.Series(Key{Route: fmt.Sprint(i)}, Labels{}).Done(0, Outcome{Status: 200})
	}
	if all := m.All(); len(all) != 12 || m.Folded() != 5 || !m.Full() {
		t.Fatalf("%d series, %d folded, full %v; want 10 and two, 5, true", len(all), m.Folded(), m.Full())
	}
	other := m.Find(Key{Route: "14"})
	if n := other.Read().Request.Count; other.Route != Other || n != 5 {
		t.Errorf("route %s counts %d, want %s and 5", other.Route, n, Other)
	}
	kept := m.Find(Key{Route: "3"})
	m.Keep(func(k Key, _ Labels) bool { return k.Route == "3" })
	if all := m.All(); len(all) != 3 || m.Full() || kept.Gone() || m.Find(Key{Route: "3"}) != kept {
		t.Errorf("%d series after the others are gone, full %v, kept one gone: %v", len(all), m.Full(), kept.Gone())
	}
	if got := m.Requests(); got != 15 {
		t.Errorf("%d requests, want 15: those of dropped series count", got)
	}
	if s := m.Series(Key{Route: "14"}, Labels{}); s == other {
		t.Error("there is room and it is not used")
	}
}

func TestLabelsThatChangeBeginANewSeries(t *testing.T) {
	m := New(1, 1)
	old := m.Series(Key{Route: "r"}, Labels{Service: "a"})
	old.Done(0, Outcome{Status: 200})
	s := m.Series(Key{Route: "r"}, Labels{Service: "b"})
	if s == old || !old.Gone() || s.Service != "b" || m.Requests() != 1 || len(m.All()) != 3 {
		t.Errorf("series %+v, old gone %v, %d requests, %d series", s.Labels, old.Gone(), m.Requests(), len(m.All()))
	}
}

func TestIdsThatAreNoTextBecomeText(t *testing.T) {
	if s := New(1, 0).Series(Key{Route: "a\xff"}, Labels{}); s.Route != "a\uFFFD" {
		t.Errorf("route %q", s.Route)
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	s := New(2, 0).Series(Key{"r", "10.0.0.1"}, Labels{})
	o := Outcome{Status: 200, Asked: true, Upstream: true, Waited: time.Millisecond, Took: time.Millisecond, Sent: 128}
	if n := testing.AllocsPerRun(1000, func() { s.Done(1, o) }); n != 0 {
		t.Errorf("counting allocates %v times", n)
	}
}

func BenchmarkDone(b *testing.B) {
	s := New(2, 0).Series(Key{"r", "10.0.0.1"}, Labels{})
	o := Outcome{Status: 200, Asked: true, Upstream: true, Waited: 300 * time.Microsecond, Took: 400 * time.Microsecond, Sent: 128}
	for b.Loop() {
		s.Done(0, o)
	}
}

func TestStatusesThatComeFirstAtOnceKeepTheirOwnPlaces(t *testing.T) {
	for range 20_000 {
		var c cell
		var ready, wg sync.WaitGroup
		ready.Add(2)
		for _, code := range []int{200, 504} {
			wg.Go(func() {
				ready.Done()
				ready.Wait()
				c.answered(statusOf(code, false))
			})
		}
		wg.Wait()
		for i, s := range []*status{&c.first, &c.statuses[0]} {
			if n := s.n.Load(); n != 1 {
				t.Fatalf("place %d counts %d, want 1", i, n)
			}
		}
	}
}

func TestWhatNearlyEveryRequestTouchesIsOneLine(t *testing.T) {
	took, _ := reflect.TypeFor[cell]().FieldByName("took")
	long, _ := reflect.TypeFor[histograms]().FieldByName("long")
	if end := took.Offset + long.Offset; end != 64 {
		t.Errorf("it ends after %d bytes, want 64", end)
	}
}
