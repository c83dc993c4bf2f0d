package l4

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// patience is how long a first request may take: a lost SYN is sent again after a
// second (RFC 6298 2.1).
const patience = 900 * time.Millisecond

// Catches an L4 node that says that an address is in force before it has anybody
// to forward its packets to: the first visitors of a new site wait for a packet to
// be sent again.
var firstRequest = spec.Case{
	ID: "L4-FIRST-REQUEST", Level: spec.Must, Needs: []spec.Feature{spec.L4Spread}, Env: region,
	Title:   "A public address that is said to be in force answers the first connections of all clients, none of which needs a packet sent twice.",
	Refs:    []string{"docs/wire.md 1: applied, on an L4 node", "docs/wire.md 3: operations"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		server := t.Start(ctx, spec.Want{N: 1})[0]
		lb := site.LB{Name: "first", Tenant: "t1", EIP: site.EIP(t, "idc").Address, Port: 80, Host: t.Host(), Targets: []netip.AddrPort{server.Addr}}
		for range 4 {
			site.Publish(ctx, t, lb)
			var failed []traffic.Result
			if stood := longestPause(func() { failed = firstRequests(ctx, t, lb) }); stood > patience/4 {
				// Nothing can be told from requests that this machine itself held up.
				t.Logf("this machine stood still for %s: once more", stood.Round(time.Millisecond))
				if err := site.Unpublish(ctx, t, lb); err != nil {
					t.Fatalf("%v", err)
				}
				continue
			}
			for _, r := range failed {
				t.Check(false, "%s: got %s within %s of its being in force (op %s)", r.Op.Client, ask.Said(r), patience, r.Op.ID)
			}
			return
		}
		t.Undecided("this machine stood still during every try")
	},
}

// firstRequests asks from all clients at once and returns what went wrong.
func firstRequests(ctx context.Context, t *spec.T, lb site.LB) (failed []traffic.Result) {
	var asking sync.WaitGroup
	var mu sync.Mutex
	for _, s := range site.Fresh(t, lb, "first", patience) {
		for range 8 {
			asking.Go(func() {
				if r := s.Do(ctx, traffic.Request{Host: lb.Host}); site.Through(t, r) == "" {
					mu.Lock()
					defer mu.Unlock()
					failed = append(failed, r)
				}
			})
		}
	}
	asking.Wait()
	return failed
}

// longestPause is how long a clock that ticks all the time stood still at most
// while something was done.
func longestPause(do func()) (longest time.Duration) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for last := time.Now(); ; last = time.Now() {
			select {
			case <-tick.C:
			case <-stop:
				longest = max(longest, time.Since(last))
				return
			}
			longest = max(longest, time.Since(last))
		}
	}()
	do()
	close(stop)
	<-stopped
	return longest
}
