package l4

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// answers is a region whose members answer what the test says.
type answers struct {
	mu      sync.Mutex
	by      map[string]Outcome
	takes   time.Duration // of each answer
	asked   map[string]int
	now     int
	highest int // most probes at one time
}

func (a *answers) probe(ctx context.Context, url string) (Outcome, string) {
	a.mu.Lock()
	if a.asked == nil {
		a.asked = map[string]int{}
	}
	a.asked[url]++
	a.now++
	a.highest = max(a.highest, a.now)
	o, takes := a.by[url], a.takes
	a.mu.Unlock()
	defer func() { a.mu.Lock(); a.now--; a.mu.Unlock() }()
	t := time.NewTimer(takes)
	defer t.Stop()
	select {
	case <-t.C:
		return o, "said no"
	case <-ctx.Done():
		return Missed, "no answer in time"
	}
}

func (a *answers) set(url string, o Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.by == nil {
		a.by = map[string]Outcome{}
	}
	a.by[url] = o
}

func memberAddr(i int) netip.Addr { return netip.AddrFrom4([4]byte{100, 127, byte(i >> 8), byte(i)}) }

// elapse lets time pass inside a bubble, and everything come to rest.
func elapse(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// running runs a prober inside a bubble for as long as f does.
func running(t *testing.T, o ProberOptions, f func(*Prober)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := NewProber(o)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Run(ctx) }()
		f(p)
		cancel()
		<-done
	})
}

func TestProberFindsOutWithinItsTimes(t *testing.T) {
	a := &answers{}
	a.set("u", IsReady)
	key := memberKey{PoolGateway, memberAddr(1)}
	changes := 0
	var mu sync.Mutex
	running(t, ProberOptions{Probe: a.probe, Changed: func() { mu.Lock(); changes++; mu.Unlock() }}, func(p *Prober) {
		start := time.Now()
		state := func(after time.Duration, want State) {
			t.Helper()
			elapse(time.Until(start.Add(after)))
			if got := p.health(key.pool, key.addr).State; got != want {
				t.Errorf("after %v: got %s, want %s", after, got, want)
			}
		}
		p.set(map[memberKey]target{key: {url: "u"}})
		state(0, Unknown)
		state(100*time.Millisecond, Up) // it never failed: the second answer is asked for soon
		state(500*time.Millisecond, Up)
		a.set("u", Missed)
		state(1900*time.Millisecond, Up)
		state(2000*time.Millisecond, Down)
		a.set("u", IsDraining)
		state(2500*time.Millisecond, Draining)
		a.set("u", IsReady)
		state(3400*time.Millisecond, Draining) // one that left proves itself at leisure
		state(3500*time.Millisecond, Up)
	})
	if changes != 5 { // the first answer, up, down, draining, up
		t.Errorf("told of %d changes, want 5", changes)
	}
}

func TestSilentMemberCostsOneTimeoutEach(t *testing.T) {
	a := &answers{takes: time.Hour}
	key := memberKey{PoolGateway, memberAddr(1)}
	running(t, ProberOptions{Probe: a.probe}, func(p *Prober) {
		p.set(map[memberKey]target{key: {url: "u", seed: Up}})
		elapse(1299 * time.Millisecond)
		if got := p.health(key.pool, key.addr).State; got != Up {
			t.Errorf("before the third timeout: got %s, want up", got)
		}
		elapse(time.Millisecond)
		h := p.health(key.pool, key.addr)
		if h.State != Down || h.Reason != "no answer in time" {
			t.Errorf("after the third timeout: got %s (%s), want down", h.State, h.Reason)
		}
	})
}

func TestProbesAtOneTimeAreBounded(t *testing.T) {
	a := &answers{takes: 10 * time.Millisecond}
	running(t, ProberOptions{Probe: a.probe}, func(p *Prober) {
		targets := map[memberKey]target{}
		for i := range 5 * maxProbes {
			targets[memberKey{PoolGateway, memberAddr(i)}] = target{url: fmt.Sprint(i)}
		}
		p.set(targets)
		elapse(499 * time.Millisecond)
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.highest != maxProbes || len(a.asked) != len(targets) {
			t.Errorf("%d probes at one time of %d members, want %d of %d", a.highest, len(a.asked), maxProbes, len(targets))
		}
	})
}

func TestMemberKeepsItsHealthWhileItIsATarget(t *testing.T) {
	a := &answers{}
	key := memberKey{PoolGateway, memberAddr(1)}
	running(t, ProberOptions{Probe: a.probe}, func(p *Prober) {
		health := func(what string, want State) {
			t.Helper()
			if got := p.health(key.pool, key.addr).State; got != want {
				t.Errorf("%s: got %s, want %s", what, got, want)
			}
		}
		p.set(map[memberKey]target{key: {url: "u", seed: Up}})
		health("adopted", Up)
		p.set(map[memberKey]target{key: {url: "v", seed: Down}})
		health("with another URL", Up)
		p.set(nil)
		health("gone", Unknown)
		elapse(time.Minute)
		a.mu.Lock()
		if a.asked["u"] > 1 || a.asked["v"] > 1 {
			t.Errorf("asked after it was gone: %v", a.asked)
		}
		a.mu.Unlock()
		p.set(map[memberKey]target{key: {url: "v"}})
		health("back", Unknown)
	})
}
