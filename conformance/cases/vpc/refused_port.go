package vpc

import (
	"context"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a forwarding plane that drops what guests send when they refuse a
// connection: each request to a guest whose program has ended waits for a time-out.
var refusedPort = spec.Case{
	ID: "VPC-REFUSED-PORT", Level: spec.Must, Needs: []spec.Feature{spec.VPCTargets}, Env: []spec.Capability{spec.Region, spec.VPC, spec.EBPF},
	Title:   "When nobody listens on a guest's port its clients get 502 at once, within 3 s, and not 504 after a time-out.",
	Refs:    []string{"RFC 9110 15.6.3", "RFC 9293 3.5.2: reset for a connection that does not exist"},
	Timeout: time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		const soon = 3 * time.Second // a connection that is not answered times out after far more
		eip, _ := site.TwoVPCs(t)
		lb, guests := site.Guests(ctx, t, eip, 1)
		sessions := site.Fresh(t, lb, "refused", 0)
		for _, s := range sessions {
			r := s.Do(ctx, traffic.Request{Host: lb.Host})
			t.Check(r.Backend() == guests[0].Ref, "while it listens: got %s, want %s", ask.Said(r), guests[0].Ref)
		}
		if err := guests[0].Server.Close(); err != nil {
			t.Brokenf("close the guest's port: %v", err)
		}
		for i := range 3 * len(sessions) {
			r := sessions[i%len(sessions)].Do(ctx, traffic.Request{Host: lb.Host})
			took := r.Op.Returned - r.Op.Sent
			t.Check(r.Reply != nil && r.Reply.Status == http.StatusBadGateway && !r.Reply.FromBackend(), "got %s, want the gateway's 502 (op %s)", ask.Said(r), r.Op.ID)
			t.Check(took < soon, "the answer took %s, want less than %s (op %s)", took, soon, r.Op.ID)
		}
	},
}
