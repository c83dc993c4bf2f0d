// Package proxied owns the cases of the profile BEHIND-PROXY: what gateways believe of
// proxies before them, and of nobody else. It knows no lab and no gateway.
package proxied

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Cases returns them in the order of a report.
func Cases() []spec.Case {
	return []spec.Case{
		proxiedClient,
		proxiedClientSpoofed,
		proxiedRoute,
		proxiedForwarded,
		proxiedForwardedSpoofed,
		proxiedVars,
	}
}

// oneTarget has one backend, which tells what it saw.
const oneTarget = `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`

// with are the header lines of a request: a name, its value, and so on.
func with(words ...string) []history.Field {
	var out []history.Field
	for pair := range slices.Chunk(words, 2) {
		out = append(out, history.Field{Name: pair[0], Value: pair[1]})
	}
	return out
}

// told is a request and what the backend must be told. In values, PEER stands for the
// address from which the client dialled, and PORT for the port to which it did.
type told struct {
	sent []history.Field
	want map[string]string // by name; "": no such field
	why  string
}

const (
	peer = "PEER"
	port = "PORT"
)

// tell sends the requests to each gateway over one connection and compares what the
// backend saw.
func tell(ctx context.Context, t *spec.T, from traffic.Client, all ...told) {
	for _, gw := range t.Env().Gateways() {
		s := ask.SessionFrom(t, from, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
		for _, a := range all {
			r := s.Do(ctx, traffic.Request{Host: t.Host(), Target: "/x", Header: a.sent})
			seen := ask.Seen(t, r)
			words := strings.NewReplacer(peer, ask.ClientAddr(t, r), port, strconv.Itoa(int(gw.Data.Port())))
			for name, want := range a.want {
				got := slices.DeleteFunc(seen.Values(name), func(v string) bool { return v == "" })
				wants := []string{words.Replace(want)}
				if want == "" {
					wants = nil
				}
				t.Check(slices.Equal(got, wants), "%s: from %s with %v: %s: the backend saw %q, want %q (%s)", gw.Ref, from.Ref, a.sent, name, got, wants, a.why)
			}
		}
	}
}
