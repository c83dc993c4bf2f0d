package reload

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/traffic"
)

// replacements is how often a gateway is replaced under load.
const replacements = 2

// Catches a gateway whose new process opens sockets of its own: connections that wait
// in the queue of the old one are reset when it closes, and between the two nobody
// listens.
var restartLoad = spec.Case{
	ID: "RESTART-LOAD", Level: spec.Must, Needs: []spec.Feature{spec.GatewayRestart, spec.TLSSNI}, Env: []spec.Capability{spec.Control, spec.TLS},
	Title:    fmt.Sprintf("A gateway that is replaced by a new process of itself %d times under load, on kept and fresh connections, with TLS and without, loses no request and repeats none.", replacements),
	Refs:     []string{"nginx control: upgrading an executable on the fly", "haproxy management guide 4: seamless reloads", "RFC 9112 9.3.1"},
	Backends: 1,
	Timeout:  45 * time.Second,
	Run: func(ctx context.Context, t *spec.T) {
		framed.Certify(ctx, t)
		t.Put(ctx, "routes/"+t.ID(), fmt.Sprintf(`{"host":%q,"uri":"/*","upstream":%s}`, t.Host(), upstreamOf(t.Backend(0))))
		t.Wait(ctx)
		gw := drained(t)
		mix := traffic.Sending(
			traffic.Weighted{Weight: 1, Request: traffic.Request{Host: t.Host()}},
			traffic.Weighted{Weight: 1, Request: traffic.Request{Host: t.Host(), Method: http.MethodPost, Body: []byte("order")}},
		)
		plain := t.Env().Clients()[0]
		secure := plain
		secure.Dialer = traffic.Secure{Dialer: plain.Dialer, Config: &tls.Config{ServerName: t.Host(), InsecureSkipVerify: true}}
		var streams []*traffic.Stream
		for _, x := range []struct {
			from traffic.Client
			load traffic.Load
		}{
			{plain, traffic.New(t.Name("kept"), gw.Data, traffic.PerSecond(50), traffic.Keepalive(4), mix)},
			{plain, traffic.New(t.Name("fresh"), gw.Data, traffic.PerSecond(60), mix)},
			{plain, traffic.New(t.Name("slow"), gw.Data, traffic.PerSecond(5), traffic.Keepalive(8), mix, traffic.TakingAbout(500*time.Millisecond))},
			{secure, traffic.New(t.Name("tls-kept"), gw.TLS, traffic.PerSecond(30), traffic.Keepalive(4), mix)},
			{secure, traffic.New(t.Name("tls-fresh"), gw.TLS, traffic.PerSecond(30), mix)},
		} {
			s, err := traffic.Start(ctx, []traffic.Client{x.from}, t.Env().Recorder(), x.load)
			if err != nil {
				t.Brokenf("start load: %v", err)
			}
			t.Cleanup(func(ctx context.Context) error { _, _ = s.Stop(ctx); return nil }) // judged below
			streams = append(streams, s)
		}
		steady := func(when string) {
			for _, s := range streams {
				if err := s.Steady(ctx, 200*time.Millisecond); err != nil {
					t.Fatalf("%s: %v", when, err)
				}
			}
		}
		steady("before the first new process")
		for i := range replacements {
			replace(ctx, t, gw)
			steady(fmt.Sprintf("after new process %d", i+1))
		}
		ask.Ended(ctx, t, 4*check.MinOps, streams...)
		h := ask.WithoutCrossings(t, ask.Stop(ctx, t, streams...), 2*replacements)
		t.Verdicts(check.Judge(h, t.Env().Facts(), check.NoRequestLost(), check.AtMostOnce())...)
	},
}
