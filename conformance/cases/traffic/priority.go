package traffic

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// ranked are targets of one priority.
type ranked struct {
	priority int
	targets  []netip.AddrPort
}

// routeRanked sends everything of the case's host to targets with priorities.
func routeRanked(ctx context.Context, t *spec.T, groups ...ranked) {
	var nodes []string
	for _, g := range groups {
		for _, a := range g.targets {
			nodes = append(nodes, fmt.Sprintf(`{"host": %q, "port": %d, "weight": 1, "priority": %d}`, a.Addr(), a.Port(), g.priority))
		}
	}
	t.Put(ctx, "routes/"+t.ID(), fmt.Sprintf(`{"host": %q, "uri": "/*", "upstream": {"type": "roundrobin", "nodes": [%s]}}`, t.Host(), strings.Join(nodes, ", ")))
	t.Wait(ctx)
}
