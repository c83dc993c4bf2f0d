package traffic

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// oneTarget sends everything of a host to one backend.
const oneTarget = `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`

// routeTo sends everything of the case's host to targets of equal weight, with
// more members of the upstream such as `"retries": 0`, and waits until that is in
// force.
func routeTo(ctx context.Context, t *spec.T, members string, targets ...netip.AddrPort) {
	var nodes []string
	for _, a := range targets {
		nodes = append(nodes, fmt.Sprintf("%q: 1", a))
	}
	if members != "" {
		members = ", " + members
	}
	t.Put(ctx, "routes/"+t.ID(), fmt.Sprintf(`{"host": %q, "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {%s}%s}}`, t.Host(), strings.Join(nodes, ", "), members))
	t.Wait(ctx)
}

// closed is an address where connecting is refused.
func closed(ctx context.Context, t *spec.T) netip.AddrPort {
	a, err := t.Env().Closed(ctx)
	if err != nil {
		t.Brokenf("find a closed port: %v", err)
	}
	return a
}

// answerBound is when an answer must be there to a request that nothing holds up, on
// any machine.
const answerBound = 4 * time.Second

// one is a session of one connection with the first gateway.
func one(t *spec.T) *traffic.Session {
	return ask.Session(t, t.Env().Gateways()[0].Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
}

// own says whether the gateway itself answered with one of the statuses.
func own(r traffic.Result, statuses ...int) bool {
	if r.Reply == nil || r.Reply.FromBackend() {
		return false
	}
	for _, s := range statuses {
		if r.Reply.Status == s {
			return true
		}
	}
	return false
}

// unserved says whether the client learnt that its request failed: by the gateway's
// own 502, 503 or 504, or by the end of the connection, which some gateways choose
// on connections that have carried a request before.
func unserved(r traffic.Result) bool {
	cut := r.Reply == nil && (r.Op.Class == history.ClassEOF || r.Op.Class == history.ClassReset)
	return cut || own(r, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout)
}

// length is how many bytes of body came, when an answer came.
func length(r traffic.Result) int64 {
	if r.Reply == nil {
		return 0
	}
	return r.Reply.Length
}
