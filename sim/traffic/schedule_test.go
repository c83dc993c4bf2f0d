package traffic

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
)

func mixed(w *world, seed uint64, opts ...Option) Load {
	l := New("shop", w.to, append([]Option{PerSecond(500), Keepalive(8), TakingAbout(4 * time.Millisecond), Sending(
		Weighted{3, Request{Host: "a"}}, Weighted{1, Request{Host: "b", Method: "POST", Body: []byte("order")}}, Weighted{0, Request{Host: "c", Target: "/x"}},
	)}, opts...)...)
	l.Seed, l.Headers, l.NoFinalProbe = seed, true, true
	return l
}

// sent runs a load until enough requests have ended and returns what the backend
// saw, in order of sequence.
func sent(t *testing.T, seed uint64, opts ...Option) []string {
	t.Helper()
	w := newWorld(t)
	clients := []Client{{"client/inet-1", Here{}}, {"client/inet-2", Here{}}, {"client/inet-3", Here{}}}
	l := mixed(w, seed, opts...)
	s, err := Start(t.Context(), clients, w.rec, l)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for s.Total() < 100 {
		select {
		case <-s.health.now().changed:
		case <-ctx.Done():
			t.Fatalf("only %d requests ended", s.Total())
		}
	}
	h, err := s.Stop(ctx)
	if err != nil {
		t.Fatal(err)
	}
	arrived := h.ByID()
	slices.SortFunc(h.Ops, func(a, b history.Op) int { return int(number(t, a.ID)) - int(number(t, b.ID)) })
	var out []string
	for i, o := range h.Ops {
		if n := number(t, o.ID); n != uint64(i) {
			t.Fatalf("request %d has the id %s", i, o.ID)
		}
		a := arrived[o.ID]
		if len(a) != 1 {
			t.Fatalf("%s arrived %d times", o.ID, len(a))
		}
		var delay string
		for _, f := range a[0].Seen.Header {
			if f.Name == echo.HeaderDelay {
				delay = f.Value
			}
		}
		out = append(out, fmt.Sprintf("%s %s %s %s %s %s %s", o.ID, o.Client, a[0].Seen.Method, a[0].Seen.Host, a[0].Seen.Target, a[0].Seen.BodySum, delay))
	}
	return out[:100]
}

func number(t *testing.T, id string) (n uint64) {
	t.Helper()
	if _, err := fmt.Sscanf(id[strings.LastIndexByte(id, '-')+1:], "%d", &n); err != nil {
		t.Fatalf("id %q: %v", id, err)
	}
	return n
}

func TestEqualSeedsSendTheSameRequestsInTheSameOrder(t *testing.T) {
	for name, o := range map[string][]Option{"paced": nil, "poisson": {Paced(Poisson)}, "closed": {Closed(5)}, "fresh": {FreshConnections()}} {
		t.Run(name, func(t *testing.T) {
			a, b, other := sent(t, 42, o...), sent(t, 42, o...), sent(t, 43, o...)
			if !slices.Equal(a, b) {
				for i := range a {
					if a[i] != b[i] {
						t.Fatalf("seed 42, request %d:\n%s, and again\n%s", i, a[i], b[i])
					}
				}
			}
			if slices.Equal(a, other) {
				t.Error("seeds 42 and 43 send the same")
			}
		})
	}
}

// What is recorded is what Shot says, including the moments.
func TestAStreamSendsItsShots(t *testing.T) {
	w := newWorld(t)
	for _, pace := range []Pace{Constant, Poisson} {
		l := mixed(w, 7, Paced(pace))
		l.Name += string(pace)
		s, err := Start(t.Context(), []Client{{"c0", Here{}}, {"c1", Here{}}}, w.rec, l)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Steady(t.Context(), 100*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		h, err := s.Stop(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var start time.Duration
		for _, o := range h.Ops {
			if number(t, o.ID) == 0 {
				start = o.Intended - l.Shot(0, 2).At
			}
		}
		for _, o := range h.Ops {
			shot := l.Shot(number(t, o.ID), 2)
			if string(o.Client) != fmt.Sprintf("c%d", shot.Client) || o.Request.Host != l.Mix[shot.Pick].Host || o.Intended-start != shot.At ||
				o.Request.Header[0].Value != shot.Slow.String() {
				t.Fatalf("%s: sent %+v, intended %s after the start, shot %+v", o.ID, o.Request, o.Intended-start, shot)
			}
		}
	}
}

func TestShotsAreWhatShotSays(t *testing.T) {
	for _, l := range []Load{
		{Name: "a", Rate: 300}, {Name: "a", Rate: 300, Pace: Poisson}, {Name: "b", Workers: 3, Slow: time.Second, Mix: []Weighted{{}, {Weight: 2}}},
	} {
		for s := range l.Shots(3) {
			if want := l.Shot(s.N, 3); s != want {
				t.Fatalf("%+v: got %+v, want %+v", l, s, want)
			}
			if s.N == 50 {
				break
			}
		}
	}
}

func TestPoissonHasTheRateAndTheSpreadOfOne(t *testing.T) {
	const rate, seconds = 100, 2000
	l := Load{Name: "p", Rate: rate, Pace: Poisson, Seed: 1}
	counts := make([]float64, seconds)
	for s := range l.Shots(1) {
		if s.At >= seconds*time.Second {
			break
		}
		counts[int(s.At/time.Second)]++
	}
	var sum, squares float64
	for _, c := range counts {
		sum += c
	}
	mean := sum / seconds
	for _, c := range counts {
		squares += (c - mean) * (c - mean)
	}
	// Four standard deviations of what chance does to the figures.
	if math.Abs(mean-rate) > 4*math.Sqrt(rate)/math.Sqrt(seconds) {
		t.Errorf("seed 1: got %.2f requests a second, want %d", mean, rate)
	}
	if ratio := squares / seconds / mean; math.Abs(ratio-1) > 4*math.Sqrt(2.0/seconds) {
		t.Errorf("seed 1: variance by mean is %.3f, want 1", ratio)
	}
}

func TestTheMixHasItsSharesAndSlowItsSpread(t *testing.T) {
	l := Load{Name: "m", Rate: 1, Seed: 5, Slow: time.Second, Mix: []Weighted{{Weight: 3}, {Weight: 0}, {Weight: 6}}}
	const n = 10_000
	var picks [3]float64
	var fastest, slowest time.Duration = time.Hour, 0
	for i := range uint64(n) {
		s := l.Shot(i, 4)
		picks[s.Pick]++
		fastest, slowest = min(fastest, s.Slow), max(slowest, s.Slow)
	}
	for i, share := range []float64{0.3, 0.1, 0.6} {
		if sigma := math.Sqrt(n * share * (1 - share)); math.Abs(picks[i]-n*share) > 4*sigma {
			t.Errorf("seed 5: request %d was picked %.0f times of %d, want %.0f", i, picks[i], n, n*share)
		}
	}
	if fastest < 800*time.Millisecond || fastest > 810*time.Millisecond || slowest > 1200*time.Millisecond || slowest < 1190*time.Millisecond {
		t.Errorf("slow: got %s to %s, want 0.8s to 1.2s", fastest, slowest)
	}
}

func TestDigestTellsLoadsApart(t *testing.T) {
	base := func() Load {
		return Load{Name: "a", Rate: 10, Seed: 1, Mix: []Weighted{{1, Request{Host: "h", Body: []byte("x")}}, {1, Request{Host: "g"}}}}
	}
	want := base().Digest(2, 50)
	if again := base().Digest(2, 50); again != want || len(want) != 64 {
		t.Errorf("got %s and %s", want, again)
	}
	for name, change := range map[string]func(*Load){
		"seed": func(l *Load) { l.Seed++ }, "name": func(l *Load) { l.Name = "b" }, "rate": func(l *Load) { l.Rate = 11 }, "pace": func(l *Load) { l.Pace = Poisson },
		"body": func(l *Load) { l.Mix[0].Body = []byte("y") }, "weight": func(l *Load) { l.Mix[1].Weight = 2 }, "slow": func(l *Load) { l.Slow = time.Second },
		"connections": func(l *Load) { l.Conns.Keep = 1 }, "header": func(l *Load) { l.Mix[0].Request = l.Mix[0].With("A", "b") },
	} {
		l := base()
		change(&l)
		if l.Digest(2, 50) == want {
			t.Errorf("another %s, the same digest", name)
		}
	}
	if base().Digest(3, 50) == want || base().Digest(2, 51) == want {
		t.Error("another number of clients or shots, the same digest")
	}
}

func TestStreamsOfOneNameAreToldApart(t *testing.T) {
	w := newWorld(t)
	c := []Client{{"c", Here{}}}
	start := func() *Stream {
		s, err := Start(t.Context(), c, w.rec, New("shop", w.to, Closed(1), Keepalive(1)))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	a, b := start(), start()
	for i, s := range []*Stream{a, b} {
		<-s.health.now().changed
		h, err := s.Stop(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"shop", "shop.2"}[i]
		if s.Load().Name != want || len(h.Ops) != s.Total()+1 {
			t.Errorf("%s: got %d operations of %d, name %s", want, len(h.Ops), s.Total()+1, s.Load().Name)
		}
		for _, o := range h.Ops {
			if o.Stream != want {
				t.Fatalf("%s is of stream %s, want %s", o.ID, o.Stream, want)
			}
		}
	}
}

func TestIdsAreUniqueInARun(t *testing.T) {
	w := newWorld(t)
	c := Client{"client/inet-1", Here{}}
	seen := map[string]bool{}
	add := func(o history.Op) {
		if seen[o.ID] {
			t.Errorf("%s comes twice", o.ID)
		}
		seen[o.ID] = true
		if strings.ContainsAny(o.ID, " \r\n") {
			t.Errorf("%q does not fit into a header", o.ID)
		}
	}
	conns := map[uint64]string{}
	for range 2 {
		for _, name := range []string{"", "a", "a.2", "a-1", "a b\r\nc", strings.Repeat("n", 100)} {
			s := NewSession(c, w.to, w.rec, Options{Stream: name})
			for range 2 {
				o := s.Do(t.Context(), Request{}).Op
				add(o)
				if before, ok := conns[o.Conn]; ok || o.Conn == 0 {
					t.Errorf("%s and %s have the connection %d", before, o.ID, o.Conn)
				}
				conns[o.Conn] = o.ID
			}
		}
		s, err := Start(t.Context(), []Client{c}, w.rec, New("a", w.to, Closed(1)))
		if err != nil {
			t.Fatal(err)
		}
		<-s.health.now().changed
		if _, err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]bool{}
	for _, o := range w.rec.Snapshot().Ops {
		if all[o.ID] {
			t.Errorf("%s is twice on record", o.ID)
		}
		all[o.ID] = true
	}
	if !all["a-1"] || !all["a.2-1"] || !all["a-1-1"] || !all["client/inet-1-1"] {
		t.Errorf("ids do not tell whose they are: %v", all)
	}
}
