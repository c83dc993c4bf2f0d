package traffic

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that leaves connecting to the kernel, which tries for minutes,
// or gives up although another target would take the request.
var timeoutConnect = spec.Case{
	ID: "TIME-CONNECT", Level: spec.Must, Needs: []spec.Feature{spec.ProxyTimeouts},
	Title:    "A target that lets SYNs unanswered costs timeout.connect: the request then goes to another target, a POST too, or an error of the gateway's own.",
	Refs:     []string{"APISIX 3.18 upstream.timeout.connect", "RFC 9110 15.6.5"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		hole := blackHole(ctx, t)
		const limits = `"timeout": {"connect": 1, "send": 5, "read": 1}`
		t.Put(ctx, "routes/"+t.Name("alone"), fmt.Sprintf(`{"host": %q, "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {%q: 1}, %s}}`, t.Host(), hole.Addr, limits))
		t.Put(ctx, "routes/"+t.Name("beside"), fmt.Sprintf(`{"host": %q, "uri": "/beside", "upstream": {"type": "roundrobin", "nodes": {%q: 100, %q: 1}, %s}}`, t.Host(), hole.Addr, t.Backend(0).Addr, limits))
		t.Wait(ctx)
		t.Step("fill the backlog")
		first := one(t).Do(ctx, traffic.Request{Host: t.Host()}) // the one that is let in, and never served
		t.Check(unserved(first), "the target that never answers: got %s, want an error of the gateway's own (op %s)", ask.Said(first), first.Op.ID)
		t.Step("connect in vain")
		var running sync.WaitGroup
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			for _, target := range []string{"/", "/beside"} {
				s := one(t)
				running.Go(func() {
					r := s.Do(ctx, traffic.Request{Method: method, Host: t.Host(), Target: target})
					right := own(r, http.StatusGatewayTimeout, http.StatusServiceUnavailable, http.StatusBadGateway)
					if target == "/beside" {
						right = r.Backend() == t.Backend(0).Ref && len(arrivalsOf(t, r.Op.ID)) == 1
					}
					t.Check(right, "%s %s: got %s, want an error of the gateway's own for / and the other target's answer for /beside (op %s)", method, target, ask.Said(r), r.Op.ID)
					t.Check(r.Op.Latency() < lateBound, "%s %s: took %s, want less than %s (op %s)", method, target, r.Op.Latency(), lateBound, r.Op.ID)
				})
			}
		}
		running.Wait()
	},
}

// blackHole is a target that lets one connection into its backlog, never serves
// it, and lets every SYN after that unanswered.
func blackHole(ctx context.Context, t *spec.T) spec.Backend {
	l, b, err := t.Env().Listen(ctx, "")
	if err != nil {
		t.Brokenf("listen: %v", err)
	}
	t.Cleanup(func(context.Context) error { return l.Close() })
	raw, err := l.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Brokenf("socket of the listener: %v", err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = unix.Listen(int(fd), 0) }) // room for one
	if err != nil || failed != nil {
		t.Brokenf("shorten the backlog: %v, %v", err, failed)
	}
	return b
}
