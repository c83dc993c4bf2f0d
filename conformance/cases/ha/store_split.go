package ha

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/etcd"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/topology"
)

// Catches a control plane that answers with what one member of its store has: a
// member that is cut off does not know what was written since.
var storeSplit = spec.Case{
	ID: "HA-STORE-SPLIT", Level: spec.Must, Needs: []spec.Feature{spec.HAStore}, Env: faulty,
	Title:   "While one member of the store is cut off from the others, no replica of the Admin API answers a read with less than what was written before it.",
	Refs:    []string{"etcd API guarantees, linearizable reads", "docs/faults.md: partition"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		const routes, readers, rounds = 4, 3, 4
		_, nodes := members(t)
		var ends sync.WaitGroup
		var readsDone, writesDone atomic.Int64
		stop := make(chan struct{})
		defer func() {
			close(stop)
			ends.Wait()
		}()
		for i := range routes {
			r := &written{t: t, path: fmt.Sprintf("/routes/%s-%d", t.Name("r"), i)}
			t.Track(r.path[1:])
			if !r.write(ctx, t.Env().Admins()[0]) {
				t.Fatalf("PUT %s is not answered with success while all is well", r.path)
			}
			ends.Go(func() { until(stop, func(n int) { r.write(ctx, one(t, n)); writesDone.Add(1) }) })
			for k := range readers {
				ends.Go(func() { until(stop, func(n int) { r.read(ctx, one(t, n+k)); readsDone.Add(1) }) })
			}
		}
		// Which member a replica asks is chance, and for a second only: again and again.
		for range rounds {
			before := writesDone.Load()
			heal := cutOff(ctx, t, follower(ctx, t, nodes), nodes)
			begin := time.Now()
			ask.Within(ctx, t, site.Bound, "reads and writes are answered while a member is cut off", 1, func() bool {
				return time.Since(begin) > alone && writesDone.Load() >= 10 && readsDone.Load() >= 30
			})
			heal()
			ask.Within(ctx, t, site.Bound, "writes are answered after a member is back", 1, func() bool {
				return writesDone.Load() >= before+4*routes
			})
		}
		t.Logf("%d writes, %d reads", writesDone.Load(), readsDone.Load())
	},
}

// alone is how long a member answers at most that is cut off: it notices after its
// election timeout, a second.
const alone = 1200 * time.Millisecond

// cutOff parts one member of the store from all others until heal.
func cutOff(ctx context.Context, t *spec.T, cut spec.Node, nodes []spec.Node) (heal func()) {
	var heals []func(context.Context) error
	for _, n := range nodes {
		if n.Ref == cut.Ref {
			continue
		}
		f := fault.Partition{A: topology.Selector(cut.Ref), B: topology.Selector(n.Ref)}
		t.Step("%s", f)
		h, err := t.Env().Inject(ctx, f)
		if err != nil {
			t.Brokenf("inject %q: %v", f, err)
		}
		t.Cleanup(h) // again, if the case ends before
		heals = append(heals, h)
	}
	return func() {
		for _, h := range heals {
			err := h(ctx)
			t.Check(err == nil, "the partition does not heal: %v", err)
		}
	}
}

// follower is a member that does not lead.
func follower(ctx context.Context, t *spec.T, nodes []spec.Node) spec.Node {
	var all []*etcd.Member
	for _, n := range nodes {
		all = append(all, etcd.New(n.Sockets, netip.AddrPortFrom(n.Underlay, topology.EtcdClientPort)))
	}
	var leader int
	ask.Within(ctx, t, site.Bound, "the members of the store agree on who leads", 1, func() (agreed bool) {
		var err error
		leader, err = etcd.Leader(ctx, all...)
		return err == nil
	})
	return nodes[(leader+1)%len(nodes)]
}

// one is a replica of the Admin API, another for each number.
func one(t *spec.T, n int) spec.Endpoint {
	all := t.Env().Admins()
	return all[n%len(all)]
}

// until does something again and again.
func until(stop chan struct{}, do func(n int)) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
			do(n)
		}
	}
}

// written is a route with the number of the last write that was answered with
// success. One goroutine writes it.
type written struct {
	t    *spec.T
	path string
	last atomic.Int64
	next int64
}

// write tries once to store the next number; a write whose end is not known may
// be there or not.
func (w *written) write(ctx context.Context, at spec.Endpoint) bool {
	w.next++
	body := fmt.Sprintf(`{"host":%q,"uri":"/*","priority":%d,"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`, w.t.Host(), w.next)
	r, err := at.Do(ctx, spec.Call{Method: http.MethodPut, Path: w.path, Body: body})
	if err != nil || r.Status/100 != 2 {
		return false
	}
	w.last.Store(w.next)
	return true
}

// read compares what a replica answers with what was written before it was asked.
func (w *written) read(ctx context.Context, at spec.Endpoint) {
	want := w.last.Load()
	r, err := at.Do(ctx, spec.Call{Method: http.MethodGet, Path: w.path})
	if err != nil || r.Status != http.StatusOK {
		return // it did not answer
	}
	v, _ := r.JSON()["value"].(map[string]any)
	var got int64
	_, err = fmt.Sscan(fmt.Sprint(v["priority"]), &got)
	w.t.Check(err == nil && got >= want, "%s%s: got number %v, and number %d was written before", at.URL, w.path, v["priority"], want)
}
