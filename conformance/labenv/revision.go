package labenv

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

const (
	// revisionRounds is how often a gateway is asked whether what it says is so.
	revisionRounds = 3
	// lateWithin is how long one waits for what was in force too early, to say by
	// how much.
	lateWithin = 2 * time.Second
)

// revision writes a marker, takes the gateways at their word that it is in force,
// and asks each of them at once; then the same for its removal.
func (w *worker) revision(ctx context.Context) spec.Result {
	for i := range revisionRounds {
		says, err := w.env.takeAtWord(ctx, fmt.Sprintf("unilb-word-%d", i))
		if err != nil {
			r := aboutGateway(revisionRow, 0, err.Error())
			r.State = spec.Broken
			return r
		}
		if len(says) > 0 {
			return aboutGateway(revisionRow, 0, says...)
		}
	}
	return aboutGateway(revisionRow, 0)
}

// takeAtWord says how the gateways were wrong about a marker; an error is not
// theirs.
func (e *Env) takeAtWord(ctx context.Context, name string) (says []string, err error) {
	bs, err := e.Start(ctx, spec.Want{N: 1})
	for _, b := range bs {
		defer func() { _ = b.Server.Close() }()
	}
	if err != nil {
		return nil, fmt.Errorf("marker: %w", err)
	}
	path, host := "/routes/"+name, name+".example"
	body := fmt.Sprintf(`{"host":%q,"uri":"/*","upstream":{"type":"roundrobin","nodes":{%q:1}}}`, host, bs[0].Addr)
	put, remove := spec.Call{Method: http.MethodPut, Path: path, Body: body}, spec.Call{Method: http.MethodDelete, Path: path}
	if slices.Contains(e.fleet.manifest.Claims, spec.AdminStandalone) { // it takes nothing else
		put = spec.Call{Method: http.MethodPut, Path: "/configs", Body: `{"routes":[` + body + `]}`, Header: map[string]string{"X-Digest": name}}
		remove = spec.Call{Method: http.MethodPut, Path: "/configs", Body: `{}`, Header: map[string]string{"X-Digest": "without " + name}}
	}
	for _, step := range []struct {
		call   spec.Call
		what   string
		serves func(traffic.Result) bool
	}{
		{put, "a new route", func(r traffic.Result) bool { return r.Backend() == bs[0].Ref }},
		{remove, "that a route is gone", func(r traffic.Result) bool { return r.Reply != nil && !r.Reply.FromBackend() }},
	} {
		rep, err := e.Admin().Do(ctx, step.call)
		if err != nil {
			return nil, fmt.Errorf("marker: %w", err)
		}
		if rep.Status/100 != 2 {
			return nil, fmt.Errorf("marker: %s %s: %s", step.call.Method, step.call.Path, rep)
		}
		if err := e.Applied(ctx, rep.Revision); err != nil {
			e.expect(lateAtMost) // it was waited for by itself
			return []string{fmt.Sprintf("revision %d is never in force: %v", rep.Revision, err)}, nil
		}
		for _, gw := range e.Gateways() {
			if late := e.lateBy(ctx, gw, host, step.serves); late != "" {
				says = append(says, fmt.Sprintf("%s says that revision %d is in force, but does not show %s: %s", gw.Ref, rep.Revision, step.what, late))
			}
		}
		if len(says) > 0 {
			return says, nil
		}
	}
	return nil, nil
}

// lateBy says how long after its word a gateway did what it had said; "" when it did
// so at once.
func (e *Env) lateBy(ctx context.Context, gw spec.Gateway, host string, serves func(traffic.Result) bool) string {
	s := traffic.NewSession(e.Clients()[0], gw.Data, e.Recorder(), traffic.Options{Stream: "word"})
	first := s.Do(ctx, traffic.Request{Host: host})
	if serves(first) {
		return ""
	}
	begin := time.Now()
	ctx, cancel := context.WithTimeout(ctx, lateWithin)
	defer cancel()
	pace := time.NewTicker(pollPace)
	defer pace.Stop()
	for {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return fmt.Sprintf("not within %s (op %s)", lateWithin, first.Op.ID)
		}
		if serves(s.Do(ctx, traffic.Request{Host: host})) {
			return fmt.Sprintf("it did %s later (op %s)", time.Since(begin).Round(time.Millisecond), first.Op.ID)
		}
	}
}
