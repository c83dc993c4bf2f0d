package routing

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that believes clients who they are.
var routeRemoteAddrClaimed = spec.Case{
	ID: "ROUTE-REMOTE-ADDR-CLAIMED", Level: spec.Must, Needs: []spec.Feature{spec.RouteRemoteAddr},
	Title:    "Fields in which a client claims another address change nothing.",
	Refs:     []string{"APISIX 3.18 remote_addr is the peer of the connection; X-Real-IP is believed from the loopback address only"},
	After:    []string{"ROUTE-REMOTE-ADDR"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		me := clientAddr(ctx, t)
		const claimed = "192.0.2.66"
		t.Put(ctx, "routes/"+t.Name("claimed"), t.Render(`{"host": "{{.Host}}", "uri": "/x", "remote_addr": "`+claimed+`", "priority": 9, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}`))
		t.Put(ctx, "routes/"+t.Name("me"), t.Render(fmt.Sprintf(`{"host": "{{.Host}}", "uri": "/x", "remote_addr": "%s", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}`, me)))
		t.Wait(ctx)
		fields := []string{"X-Forwarded-For", "X-Client-IP", "True-Client-IP", "X-Cluster-Client-IP", "X-Original-Forwarded-For"}
		if !me.IsLoopback() {
			fields = append(fields, "X-Real-IP")
		}
		asks := []ask.Expect{{Host: t.Host(), Target: "/x", Header: with("Forwarded", "for="+claimed), Want: 1, Why: "the peer counts, not Forwarded"}}
		for _, f := range fields {
			asks = append(asks, ask.Expect{Host: t.Host(), Target: "/x", Header: with(f, claimed), Want: 1, Why: "the peer counts, not " + f})
		}
		ask.Route(ctx, t, asks...)
	},
}
