package lbc

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/node"
)

// The states of a node in an answer, beside being in force.
const (
	nodeBehind  = "behind"  // it answers, with an older revision
	nodeUnknown = "unknown" // it does not answer
	nodeRefused = "refused" // it has the revision, and refuses an object of it
)

// A verdict is what is known of a node and a want.
type verdict struct {
	want    want
	state   string // "" when in force
	prefix  string // the first that is not in force
	applied int64
	rev     int64
	at      time.Time // when it was seen in force
	err     string    // why the node refuses
}

// ask finds out which nodes have in force what they should, waiting until they
// do or the time is over; without wait it asks once. It calls done for each node
// as soon as its verdict is known, one at a time. Nodes are asked side by side, so
// that one that does not answer delays no other.
func (s *Service) ask(ctx context.Context, ws []want, wait time.Duration, done func(verdict)) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxProbesAtOnce)
	for _, w := range ws {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			v := s.askNode(ctx, w, wait)
			mu.Lock()
			defer mu.Unlock()
			done(v)
		})
	}
	wg.Wait()
}

// askNode asks one node until it has everything in force or wait is over. A node
// that refuses connections may be starting, and one that refuses an object may
// get what it lacks: both are asked again.
func (s *Service) askNode(ctx context.Context, w want, wait time.Duration) verdict {
	const againAfter, againAtLast = 200 * time.Millisecond, 2 * time.Second
	deadline := time.Now().Add(max(wait, probeTimeout))
	if wait > 0 {
		deadline = time.Now().Add(wait)
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	said := answer{applied: make(map[string]int64)}
	again := againAfter
	for {
		p, _, behind := w.behind(said.applied)
		if !behind {
			p = w.prefixes[0] // it refused something when it was last asked
		}
		asked := time.Now()
		err := s.askApplied(ctx, w, p, patience(wait, deadline), &said)
		v := s.judge(w, p, said, err)
		switch v.state {
		case "":
			return v
		case nodeRefused:
			again = min(2*again, againAtLast)
		case nodeBehind:
			if said.applied[p.prefix] >= p.rev {
				continue // the next prefix
			}
		}
		if wait == 0 || time.Until(deadline) <= againAfter {
			return v
		}
		// A node that waited for us may be asked again at once.
		if took := time.Since(asked); took < again && !sleep(ctx, min(again, time.Until(deadline)-againAfter)) {
			return v
		}
	}
}

// judge says what an answer, or the lack of one, to a question about p means.
func (s *Service) judge(w want, p prefixWant, said answer, err error) verdict {
	v := verdict{want: w, prefix: p.prefix, applied: said.applied[p.prefix], rev: p.rev}
	if err != nil {
		v.state = nodeUnknown
		return v
	}
	if first, at, behind := w.behind(said.applied); behind {
		v.state, v.prefix, v.applied, v.rev = nodeBehind, first.prefix, at, first.rev
		return v
	}
	if !said.listed {
		said.errors = s.reportedErrors(w)
	}
	e, refused := w.refusal(said.errors)
	if !refused {
		return verdict{want: w, at: time.Now()}
	}
	v.state, v.err = nodeRefused, e.Key+": "+e.Error
	for _, p := range w.prefixes {
		if node.Covers(p.prefix, e.Key) {
			v.prefix, v.applied, v.rev = p.prefix, said.applied[p.prefix], p.rev
		}
	}
	return v
}

// reportedErrors is what a node refuses by its report in etcd, for nodes whose
// status listener does not tell. A report from before the wanted revisions says
// nothing about them.
func (s *Service) reportedErrors(w want) []node.ObjectError {
	r, err := node.ParseReport(s.nodes.get(node.ReportKey(w.node.Kind, w.node.Name)).value)
	if err != nil {
		return nil
	}
	if _, _, behind := w.behind(r.Applied); behind {
		return nil
	}
	return r.Errors
}

// An answer is what a status listener says: what is in force, and what of it is
// refused.
type answer struct {
	applied map[string]int64
	errors  []node.ObjectError
	listed  bool // the node tells errors
}

// patience is how long a node may wait before it answers that it is behind:
// less than until the deadline, so that a node that answers is told from one
// that does not.
func patience(wait time.Duration, deadline time.Time) time.Duration {
	if wait == 0 {
		return 0
	}
	left := time.Until(deadline)
	return max(0, left-min(300*time.Millisecond, left/4))
}

// askApplied asks a status listener once and notes what it says.
func (s *Service) askApplied(ctx context.Context, w want, p prefixWant, timeout time.Duration, said *answer) error {
	got, err := s.status.Applied(ctx, w.node, node.Question{Prefix: p.prefix, Revision: p.rev, Timeout: timeout})
	if err != nil {
		return err
	}
	maps.Copy(said.applied, got.Applied)
	said.errors, said.listed = got.Errors, got.Errors != nil
	return nil
}

// A frontier is the highest revision that was waited for. Everything at or below
// it need not be waited for again, whether the wait succeeded or ran out.
type frontier struct {
	mu  sync.Mutex
	rev int64
}

func (f *frontier) passed(rev int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return rev <= f.rev
}

func (f *frontier) pass(rev int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rev = max(f.rev, rev)
}

// awaitMappings waits until the agents have mappings in force, but no longer
// than the mapping wait: an agent that is away must not stop the region. Its
// node then answers for a moment without knowing the guest, if it serves at all.
func (s *Service) awaitMappings(ctx context.Context, rev int64) {
	if rev == 0 || s.agents.passed(rev) {
		return
	}
	s.ask(ctx, wants(s.mappers(), map[string]int64{dirMappings: rev}), s.o.MappingWait, func(v verdict) {
		if v.state != "" && !errors.Is(ctx.Err(), context.Canceled) {
			s.log.Warn("goes on without an agent", "agent", v.want.id(), "state", v.state, "rev", v.rev)
		}
	})
	if ctx.Err() == nil {
		s.agents.pass(rev)
	}
}
