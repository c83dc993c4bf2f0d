package traffic

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that goes on working for clients that are gone: whoever asks
// and leaves again and again fills its targets with work that nobody wants.
var errorClientGone = spec.Case{
	ID: "ERR-CLIENT-GONE", Level: spec.Should, Needs: []spec.Feature{spec.ProxyKeepalive},
	Title: "When the client closes its connection while the backend is still at work the gateway ends the connection to the backend within 5 s.",
	Refs:  []string{"APISIX 3.18 proxy_ignore_client_abort off, the default of nginx"},
	Run: func(ctx context.Context, t *spec.T) {
		const bound = 5 * time.Second
		begun, ended := make(chan struct{}, 1), make(chan struct{})
		var once sync.Once // of several connections: a gateway may ask again
		b := play(ctx, t, func(a *actor) {
			if _, ok := a.take(); !ok {
				return
			}
			select {
			case begun <- struct{}{}:
			default: // it has been told
			}
			_, _ = a.r.Head() // no more comes: it returns when the connection ends
			once.Do(func() { close(ended) })
		})
		routeTo(ctx, t, "", b.Addr)
		w := begin(ctx, t, http.MethodGet)
		select {
		case <-begun:
		case <-ctx.Done():
			t.Fatalf("the request does not arrive (op %s)", w.op.ID)
		}
		_ = w.Close()
		select {
		case <-ended:
		case <-time.After(bound):
			t.Check(false, "the backend still had its connection %s after the client had left (op %s)", bound, w.op.ID)
		}
	},
}
