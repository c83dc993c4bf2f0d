package vpc

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a tunnel whose 50 bytes nobody has left room for: small requests pass,
// and every large one hangs, in one direction or in both.
var largeBodies = spec.Case{
	ID: "VPC-LARGE-BODIES", Level: spec.Must, Needs: []spec.Feature{spec.VPCTargets}, Env: []spec.Capability{spec.Region, spec.VPC, spec.EBPF},
	Title:   "Bodies of 1 MiB come through the tunnel unchanged, to guests and from them, several at a time.",
	Refs:    []string{"docs/wire.md 5: MTU", "RFC 7348 4.3", "RFC 1191 3"},
	Timeout: time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		const size, requests = 1 << 20, 24
		eip, _ := site.TwoVPCs(t)
		lb, _ := site.Guests(ctx, t, eip, 3)
		body := make([]byte, size)
		seed := uint64(1)
		noise := rand.New(rand.NewPCG(seed, seed))
		for i := range body {
			body[i] = byte(noise.Uint32())
		}
		reply := []history.Field{{Name: echo.HeaderSize, Value: strconv.Itoa(size)}}
		s, err := traffic.Start(ctx, t.Env().Clients(), t.Env().Recorder(), traffic.New(t.Name("large"), lb.To(), traffic.Closed(6), traffic.Keepalive(6), traffic.Sending(
			traffic.Weighted{Request: traffic.Request{Host: lb.Host, Method: "POST", Body: body}},
			traffic.Weighted{Request: traffic.Request{Host: lb.Host, Header: reply}},
			traffic.Weighted{Request: traffic.Request{Host: lb.Host, Method: "POST", Body: body, Header: reply, Chunked: true}},
		)))
		if err != nil {
			t.Brokenf("start load: %v", err)
		}
		t.Cleanup(func(ctx context.Context) error { _, _ = s.Stop(ctx); return nil }) // judged below
		ask.Ended(ctx, t, requests, s)
		t.Verdicts(check.Judge(site.Stop(ctx, t, s), t.Env().Facts(), check.NoRequestLost())...)
	},
}
