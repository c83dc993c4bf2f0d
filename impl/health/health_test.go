package health

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unilb/unilb/impl/apisix"
)

func spec(typ string) *apisix.ActiveCheck {
	return &apisix.ActiveCheck{Type: typ, Timeout: 1, Concurrency: 10, HTTPMethod: "GET", HTTPPath: "/health",
		Healthy:   apisix.ActiveHealthy{Interval: 1, Successes: 2, HTTPStatuses: []int{200, 302}},
		Unhealthy: apisix.ActiveUnhealthy{Interval: 1, HTTPFailures: 2, TCPFailures: 2, Timeouts: 3, HTTPStatuses: []int{500, 404}}}
}

var limits = Limits{Successes: 2, HTTPFailures: 2, TCPFailures: 3, Timeouts: 0}

func TestStateMachine(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []Event
		want   Status
		count  Counters
	}{
		{"starts healthy", nil, Healthy, Counters{}},
		{"success while healthy counts nothing", []Event{Success, Success}, Healthy, Counters{}},
		{"one failure is mostly healthy", []Event{HTTPFailure}, MostlyHealthy, Counters{HTTPFailure: 1}},
		{"flip keeps the counter", []Event{HTTPFailure, HTTPFailure}, Unhealthy, Counters{HTTPFailure: 2}},
		{"failure while unhealthy counts nothing", []Event{HTTPFailure, HTTPFailure, TCPFailure}, Unhealthy, Counters{HTTPFailure: 2}},
		{"kinds count apart", []Event{HTTPFailure, TCPFailure, TCPFailure}, MostlyHealthy, Counters{HTTPFailure: 1, TCPFailure: 2}},
		{"success clears failures", []Event{HTTPFailure, Success, HTTPFailure}, MostlyHealthy, Counters{HTTPFailure: 1}},
		{"one success is mostly unhealthy", []Event{HTTPFailure, HTTPFailure, Success}, MostlyUnhealthy, Counters{Success: 1}},
		{"two successes are healthy", []Event{HTTPFailure, HTTPFailure, Success, Success}, Healthy, Counters{Success: 2}},
		{"success must be in a row", []Event{HTTPFailure, HTTPFailure, Success, TCPFailure, Success}, MostlyUnhealthy, Counters{Success: 1}},
		{"limit 0 switches off", []Event{Timeout, Timeout, Timeout}, Healthy, Counters{}},
		{"ignored does nothing", []Event{HTTPFailure, Ignored, HTTPFailure}, Unhealthy, Counters{HTTPFailure: 2}},
	} {
		s := newState(time.Time{})
		for _, e := range c.events {
			s.Report(e, limits, "", time.Time{})
		}
		if v := s.View(); v.Status != c.want || v.Counters != c.count {
			t.Errorf("%s: %v %+v, want %v %+v", c.name, v.Status, v.Counters, c.want, c.count)
		}
	}
}

// advance lets the clock of the bubble run; nothing waits for real.
func advance(d time.Duration) { <-time.After(d) }

// script is a prober whose answers the test sets.
type script struct {
	mu      sync.Mutex
	answer  map[string]Event
	probes  map[string]int
	hang    map[string]bool
	current int
	most    int
}

func newScript() *script {
	return &script{answer: map[string]Event{}, probes: map[string]int{}, hang: map[string]bool{}}
}

func (s *script) set(host string, e Event) { s.mu.Lock(); s.answer[host] = e; s.mu.Unlock() }
func (s *script) count(host string) int    { s.mu.Lock(); defer s.mu.Unlock(); return s.probes[host] }

func (s *script) Probe(ctx context.Context, host string, _ int, _ *Check) Finding {
	s.mu.Lock()
	s.probes[host]++
	s.current++
	s.most = max(s.most, s.current)
	e, hang := s.answer[host], s.hang[host]
	s.mu.Unlock()
	if hang {
		<-ctx.Done()
		e = Timeout
	}
	s.mu.Lock()
	s.current--
	s.mu.Unlock()
	return Finding{Event: e, Detail: "scripted"}
}

func registry(p Prober) *Registry {
	return NewRegistry(Options{Prober: p, Rand: rand.New(rand.NewPCG(1, 1))})
}

func TestTargetGoesDownAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newScript()
		p.set("a", Success)
		r := registry(p)
		defer r.Close()
		st := r.Set("upstreams/1", []Subject{{Host: "a", Port: 80, Check: NewCheck(spec("http"), "a")}})[0]
		advance(firstDelay)
		synctest.Wait()
		if p.count("a") != 1 {
			t.Fatalf("%d probes after %v, want the first", p.count("a"), firstDelay)
		}
		p.set("a", HTTPFailure)
		advance(time.Second)
		synctest.Wait()
		if st.Status() != MostlyHealthy {
			t.Fatalf("after one failure: %v", st.Status())
		}
		advance(time.Second)
		synctest.Wait()
		if st.Usable() {
			t.Fatal("usable after two failures")
		}
		p.set("a", Success)
		advance(2 * time.Second)
		synctest.Wait()
		if st.Status() != Healthy {
			t.Fatalf("after two successes: %v", st.Status())
		}
	})
}

func TestStateSurvivesAChangeOfOtherThings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newScript()
		p.set("a", TCPFailure)
		r := registry(p)
		defer r.Close()
		check := func() *Check { return NewCheck(spec("http"), "h") }
		a := Subject{Host: "a", Port: 80, Check: check()}
		first := r.Set("upstreams/1", []Subject{a})[0]
		advance(3 * time.Second)
		synctest.Wait()
		if first.Usable() {
			t.Fatal("usable after failures")
		}
		// The same target in a changed upstream, and in another upstream.
		a.Check = check()
		again := r.Set("upstreams/1", []Subject{{Host: "b", Port: 80, Check: check()}, a})[1]
		other := r.Set("upstreams/2", []Subject{a})[0]
		if again != first || other != first {
			t.Error("state of an unchanged target was replaced")
		}
		// A new generation of the address, another port or check is another target.
		next := a
		next.Generation = 2
		port := a
		port.Port = 81
		strict := spec("http")
		strict.Unhealthy.TCPFailures = 9
		changed := a
		changed.Check = NewCheck(strict, "h")
		for i, s := range r.Set("upstreams/3", []Subject{next, port, changed}) {
			if s == first || !s.Usable() {
				t.Errorf("subject %d took over the state of another", i)
			}
		}
		r.Set("upstreams/1", nil)
		if r.Set("upstreams/2", []Subject{a})[0] != first {
			t.Error("state ended with one of two owners")
		}
		r.Set("upstreams/2", nil)
		r.Set("upstreams/3", nil)
		synctest.Wait()
		n := p.count("a")
		advance(5 * time.Second)
		synctest.Wait()
		if p.count("a") != n {
			t.Error("probes go on without an owner")
		}
	})
}

func TestProbesInFlightAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newScript()
		r := NewRegistry(Options{Prober: p, MaxProbes: 3})
		defer r.Close()
		var subjects []Subject
		c := NewCheck(spec("tcp"), "")
		for i := range 20 {
			host := strconv.Itoa(i)
			p.hang[host] = true
			subjects = append(subjects, Subject{Host: host, Port: 80, Check: c})
		}
		r.Set("upstreams/1", subjects)
		advance(20 * time.Second)
		synctest.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.most != 3 {
			t.Errorf("%d probes in flight, want 3", p.most)
		}
	})
}
