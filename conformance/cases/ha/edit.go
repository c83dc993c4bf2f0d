package ha

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// newEditor makes one whose route goes away with the case.
func newEditor(t *spec.T) *editor {
	e := &editor{path: "/routes/" + t.Name("edited")}
	t.Track(e.path[1:])
	return e
}

// An editor changes one route again and again.
type editor struct {
	path string
	next int // number of the last try
}

func (e *editor) body(t *spec.T, to netip.AddrPort) string {
	return fmt.Sprintf(`{"host":"edited.%s","uri":"/*","desc":%q,"upstream":{"type":"roundrobin","nodes":{%q:1}}}`, t.Host(), e.last(), to)
}

// last is what the last try wrote.
func (e *editor) last() string { return fmt.Sprintf("edit %d", e.next) }

// edit writes the route once; the answer is the caller's to judge.
func (e *editor) edit(ctx context.Context, t *spec.T, at spec.Endpoint, to netip.AddrPort) (spec.Reply, error) {
	e.next++
	return at.Do(ctx, spec.Call{Method: http.MethodPut, Path: e.path, Body: e.body(t, to)})
}

// succeeds edits until an edit is answered with success, waits until that is in
// force on every gateway, and asks each of them.
func (e *editor) succeeds(ctx context.Context, t *spec.T, at spec.Endpoint, to spec.Backend, when string) {
	e.inARow(ctx, t, at, to, 1, when)
}

// inARow is succeeds with so many edits that succeed one after the other.
func (e *editor) inARow(ctx context.Context, t *spec.T, at spec.Endpoint, to spec.Backend, edits int, when string) {
	begin := time.Now()
	tries := 0
	var rev int64
	ask.Within(ctx, t, site.Bound, fmt.Sprintf("%d edits in a row succeed %s", edits, when), edits, func() bool {
		tries++
		try, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		r, err := e.edit(try, t, at, to.Addr)
		rev = max(rev, r.Revision)
		return err == nil && r.Status/100 == 2
	})
	t.Logf("%s: edits succeed after %s, at try %d", when, time.Since(begin).Round(time.Millisecond), tries)
	if err := t.Env().Applied(ctx, rev); err != nil {
		t.Fatalf("%s: an edit does not come into force: %v", when, err)
	}
	for _, g := range t.Env().Gateways() {
		s := ask.Session(t, g.Data, traffic.Options{})
		r := s.Do(ctx, traffic.Request{Host: "edited." + t.Host()})
		t.Check(r.Backend() == to.Ref, "%s: %s: got %s, want %s, to which the edit points (op %s)", when, g.Ref, ask.Said(r), to.Ref, r.Op.ID)
	}
}
