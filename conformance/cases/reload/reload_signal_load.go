package reload

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/traffic"
)

// reloads is how often the gateways are told to reload under load.
const reloads = 3

// Catches a gateway that stops accepting for a moment while it reloads, or that
// cuts the connections of the process which it replaces.
var reloadSignalLoad = spec.Case{
	ID: "RELOAD-SIGNAL-LOAD", Level: spec.Must, Needs: []spec.Feature{spec.GatewayReload}, Env: []spec.Capability{spec.Control},
	Title: "Three reloads of every gateway under load, on kept and fresh connections, lose no request and repeat none.",
	Refs:  []string{"nginx control: HUP starts new workers and lets old ones finish, which APISIX 3.18 reloads by", "RFC 9112 9.3.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Timeout:  60 * time.Second,
	Run: func(ctx context.Context, t *spec.T) {
		mix := traffic.Sending(
			traffic.Weighted{Weight: 1, Request: traffic.Request{Host: t.Host()}},
			traffic.Weighted{Weight: 1, Request: traffic.Request{Host: t.Host(), Method: http.MethodPost, Body: []byte("order")}},
		)
		var streams []*traffic.Stream
		for i, gw := range t.Env().Gateways() {
			for _, l := range []traffic.Load{
				traffic.New(fmt.Sprintf("%s-kept-%d", t.ID(), i), gw.Data, traffic.PerSecond(20), traffic.Keepalive(4), mix),
				traffic.New(fmt.Sprintf("%s-fresh-%d", t.ID(), i), gw.Data, traffic.PerSecond(15), mix),
				traffic.New(fmt.Sprintf("%s-slow-%d", t.ID(), i), gw.Data, traffic.PerSecond(5), traffic.Keepalive(8), mix, traffic.TakingAbout(500*time.Millisecond)),
			} {
				s, err := traffic.Start(ctx, t.Env().Clients()[:1], t.Env().Recorder(), l)
				if err != nil {
					t.Brokenf("start load: %v", err)
				}
				t.Cleanup(func(ctx context.Context) error { _, _ = s.Stop(ctx); return nil }) // judged below
				streams = append(streams, s)
			}
		}
		steady := func(when string) {
			for _, s := range streams {
				if err := s.Steady(ctx, 300*time.Millisecond); err != nil {
					t.Fatalf("%s: %v", when, err)
				}
			}
		}
		steady("before the reloads")
		for i := range reloads {
			reloadAll(ctx, t)
			steady(fmt.Sprintf("after reload %d", i+1))
		}
		ask.Ended(ctx, t, 4*check.MinOps, streams...)
		h := ask.WithoutCrossings(t, ask.Stop(ctx, t, streams...), reloads*len(t.Env().Gateways()))
		t.Verdicts(check.Judge(h, t.Env().Facts(), check.NoRequestLost(), check.AtMostOnce())...)
	},
}
