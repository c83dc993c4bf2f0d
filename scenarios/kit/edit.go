//go:build scenarios

package kit

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/unilb/unilb/sim/tenant"
	"github.com/unilb/unilb/topology"
)

// Applied waits until a change is in force on every registered node.
func Applied(ctx context.Context, r *Region, op tenant.Operation) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	last, err := r.tenant().Await(ctx, op)
	Expect(err).NotTo(HaveOccurred())
	AddReportEntry("in force", fmt.Sprintf("%s on %d nodes, the slowest after %d ms (limit %s)", last.Resource, last.Nodes, last.SlowestMS, Bound))
}

// Edit gives a service the targets of the selectors in turn, n times, each when
// the one before is in force everywhere: edits that follow each other faster may
// be published as one.
func Edit(ctx context.Context, r *Region, s *Service, n int, to ...topology.Selector) {
	GinkgoHelper()
	begin := time.Now()
	for i := range n {
		Change(ctx, r, s, to[i%len(to)])
	}
	AddReportEntry("edits", fmt.Sprintf("%d in force one after the other in %s", n, time.Since(begin).Round(time.Millisecond)))
}

// Editing is a background series of edits.
type Editing struct {
	stop   func() // after the edit under way; an edit that was cut may or may not be in force
	done   sync.WaitGroup
	count  atomic.Int64
	failed atomic.Int64

	mu   sync.Mutex
	last tenant.Operation
	err  error
}

// EditInBackground edits one after the other until StopEdits. An edit that
// fails is repeated, as a careful client would.
func EditInBackground(ctx context.Context, r *Region, s *Service, to ...topology.Selector) *Editing {
	stopping := make(chan struct{})
	e := &Editing{stop: sync.OnceFunc(func() { close(stopping) })}
	e.done.Go(func() {
		defer GinkgoRecover()
		for i := 0; ctx.Err() == nil; {
			select {
			case <-stopping:
				return
			default:
			}
			op, err := r.Retarget(ctx, s, false, to[i%len(to)])
			e.mu.Lock()
			e.err = err
			if err == nil {
				e.last = op
				i++
				e.count.Add(1)
			} else {
				e.failed.Add(1)
			}
			e.mu.Unlock()
		}
	})
	DeferCleanup(func() { e.stop(); e.done.Wait() })
	return e
}

// Edits waits until n further edits have been accepted.
func Edits(ctx context.Context, e *Editing, n int64) {
	GinkgoHelper()
	begin, want := time.Now(), e.count.Load()+n
	Eventually(ctx, func(g Gomega) {
		e.mu.Lock()
		defer e.mu.Unlock()
		g.Expect(e.count.Load()).To(BeNumerically(">=", want), "last error: %v", e.err)
	}).WithTimeout(Bound).WithPolling(20 * time.Millisecond).Should(Succeed())
	AddReportEntry("edits", fmt.Sprintf("%d accepted in %s, %d refused so far (limit %s)", n, time.Since(begin).Round(time.Millisecond), e.failed.Load(), Bound))
}

// StopEdits ends the series and returns the last accepted edit.
func StopEdits(_ context.Context, e *Editing) tenant.Operation {
	e.stop()
	e.done.Wait()
	return e.last
}

// InForceOnAllBut waits until a change is in force on all nodes but one, which
// the operation names.
func InForceOnAllBut(ctx context.Context, r *Region, op tenant.Operation, node topology.Ref) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		now, err := r.tenant().Operation(ctx, op.ID, 0)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(now.State).To(Equal(tenant.Published), "%s", now)
		g.Expect(now.InForce).To(Equal(now.Nodes-1), "%s", now)
		g.Expect(now.Behind).NotTo(BeEmpty(), "%s", now)
		for _, b := range now.Behind {
			g.Expect(b.Node).To(Equal(string(node)), "%s", now)
			g.Expect(b.State).To(Equal("unknown"), "%s", now)
		}
	}).WithTimeout(Bound).WithPolling(100 * time.Millisecond).Should(Succeed())
}
