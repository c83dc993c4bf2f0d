package traffic

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// chashNodes are four targets of equal weight.
const chashNodes = `"nodes": {"{{index .Backends 0}}": 1, "{{index .Backends 1}}": 1, "{{index .Backends 2}}": 1, "{{index .Backends 3}}": 1}`

// chashKeys is how many keys a case tries. That a hash puts so many on fewer than
// three of four targets has a probability below 1e-10.
const chashKeys = 40

// chashCase is a case about requests that hash to targets by what members of the
// upstream say; keyed makes the request with the i-th key.
func chashCase(c spec.Case, members string, keyed func(t *spec.T, i int) traffic.Request) spec.Case {
	c.Level, c.Needs, c.Backends = spec.Must, []spec.Feature{spec.UpstreamChash}, 4
	c.Objects = `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "chash", ` + members + `, ` + chashNodes + `}}
`
	c.Run = func(ctx context.Context, t *spec.T) {
		first := map[int]topology.Ref{}
		for _, gw := range t.Env().Gateways() { // a key belongs to the same target on all of them
			s := ask.Session(t, gw.Data, traffic.Options{})
			for i := range chashKeys {
				for range 2 {
					p := picks(ctx, t, s, 1, keyed(t, i))[0]
					if first[i] == "" {
						first[i] = p
					}
					t.Check(p == first[i], "%s: key %d went to %s, before to %s", gw.Ref, i, p, first[i])
				}
			}
		}
		used := map[topology.Ref]bool{}
		for _, p := range first {
			used[p] = true
		}
		t.Check(len(used) >= 3, "%d keys are spread over %d of 4 targets, want at least 3", chashKeys, len(used))
	}
	return c
}

// userOf is the i-th key of a case.
func userOf(i int) string { return fmt.Sprintf("user-%d", i) }
