package reload

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// convergeBound is how long a change may take to be in force. It is a bound for
// any machine, not a figure; the case also holds the gateway to its own word.
const convergeBound = 15 * time.Second

// Catches a gateway that drops requests at a reload, cuts slow ones, serves the
// old configuration after it said that the new one is in force, goes back to an
// older one, or lets a refused edit through.
var reloadEditUnderLoad = spec.Case{
	ID: "RELOAD-EDIT-UNDER-LOAD", Level: spec.Must, Needs: []spec.Feature{spec.HotConfig},
	Title: "Twenty edits under load, refused ones among them, lose no request, fast or slow, repeat none, and each is followed everywhere once it is in force.",
	Refs:  []string{"APISIX 3.18 hot reload", "docs/wire.md 1, applied"},
	After: []string{"RELOAD-KEEPALIVE-OVER-EDIT"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream_id": "{{.ID}}"}
`,
	Backends: 2,
	Timeout:  90 * time.Second,
	Run: func(ctx context.Context, t *spec.T) {
		path, rec := "upstreams/"+t.ID(), t.Env().Recorder()
		nodes := func(i int) string { return fmt.Sprintf(`{"type":"roundrobin","nodes":{%q:1}}`, t.Backend(i%2).Addr) }
		serves := func(i int) history.Serves {
			return history.Serves{Host: t.Host(), Backends: []topology.Ref{t.Backend(i % 2).Ref}}
		}
		t.Publish(ctx, path, nodes(0), serves(0))
		var streams []*traffic.Stream
		for i, gw := range t.Env().Gateways() {
			mix := traffic.Sending(
				traffic.Weighted{Weight: 3, Request: traffic.Request{Host: t.Host()}},
				traffic.Weighted{Weight: 1, Request: traffic.Request{Host: t.Host(), Method: http.MethodPost, Body: []byte("order")}},
			)
			for _, l := range []traffic.Load{
				traffic.New(fmt.Sprintf("%s-fast-%d", t.ID(), i), gw.Data, traffic.PerSecond(60), traffic.Keepalive(6), mix),
				traffic.New(fmt.Sprintf("%s-slow-%d", t.ID(), i), gw.Data, traffic.PerSecond(4), traffic.Keepalive(8), mix, traffic.TakingAbout(time.Second)),
			} {
				s, err := traffic.Start(ctx, t.Env().Clients()[:1], rec, l)
				if err != nil {
					t.Brokenf("start load: %v", err)
				}
				streams = append(streams, s)
				t.Cleanup(func(ctx context.Context) error { _, _ = s.Stop(ctx); return nil }) // judged below
			}
		}
		for _, s := range streams {
			if err := s.Steady(ctx, 300*time.Millisecond); err != nil {
				t.Fatalf("before the edits: %v", err)
			}
		}
		t.Step("20 edits")
		for i := 1; i <= 20; i++ {
			t.Publish(ctx, path, nodes(i), serves(i))
			if i%5 == 0 {
				ask.Refused(ctx, t, spec.Call{Method: http.MethodPut, Path: "/" + path, Body: `{"type":"roundrobin","nodes":{"192.0.2.1:80":-1}}`}, http.StatusBadRequest, "")
			}
			// Every version is given the time to be seen, or the check has nothing to judge.
			if err := streams[0].Steady(ctx, 50*time.Millisecond); err != nil {
				t.Fatalf("after edit %d: %v", i, err)
			}
		}
		ask.Ended(ctx, t, 10*check.MinOps, streams...)
		h := ask.Stop(ctx, t, streams...)
		h.Writes = mine(h.Writes, path)
		t.Verdicts(check.Judge(h, t.Env().Facts(), check.NoRequestLost(), check.AtMostOnce(), check.ConfigConverges(convergeBound))...)
	},
}

func mine(ws []history.Write, key string) []history.Write {
	var out []history.Write
	for _, w := range ws {
		if w.Key == key {
			out = append(out, w)
		}
	}
	return out
}
