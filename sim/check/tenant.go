package check

import (
	"fmt"
	"slices"

	"github.com/unilb/unilb/sim/history"
)

// MinPerNetwork is the fewest arrivals in each of at least two networks that
// prove their isolation.
const MinPerNetwork = 10

// TenantIsolation says that no request meant for one network arrived in
// another, whatever the addresses inside; nor, where it is known which backends
// were ever targets of the network, at any other one. Traffic of one network only,
// or too little of it, gives Unknown.
func TenantIsolation() Checker { return tenantIsolation{} }

type tenantIsolation struct{}

func (tenantIsolation) Name() string { return "TenantIsolation" }

func (c tenantIsolation) Check(h *history.History, facts Facts) Verdict {
	f := finding{Verdict: Verdict{Check: c.Name()}}
	meant := make(map[string]Network, len(h.Ops))
	for _, o := range h.Ops {
		if n, ok := facts.networkOf(o); ok {
			meant[o.ID] = n
		}
	}
	count := map[string]int{}
	stray := 0
	for _, a := range h.Arrivals {
		n, ok := meant[a.ID]
		if !ok {
			stray++
			continue
		}
		f.Examined++
		count[n.apart()]++
		if !n.mayReach(a) {
			f.violation(a.ID, a.At, "request for %s (VNI %d) arrived at %s in VNI %d, from %s", n.Name, n.VNI, a.Backend, a.VNI, a.From)
		}
	}
	f.Summary = fmt.Sprintf("%d of %d arrivals in a foreign network", f.bad, f.Examined)
	enough := 0
	for _, n := range count {
		if n >= MinPerNetwork {
			enough++
		}
	}
	if enough < 2 {
		f.doubt("want at least %d arrivals in each of two networks, got %s", MinPerNetwork, perNetwork(count))
	}
	return f.verdict(h, fmt.Sprintf("%d arrivals, %d networks, %d arrivals of nobody's requests", f.Examined, len(count), stray))
}

// apart is what tells a network from others: its VNI, and the names of its
// backends where they are known.
func (n Network) apart() string {
	if len(n.Backends) == 0 {
		return fmt.Sprintf("VNI %d", n.VNI)
	}
	return fmt.Sprintf("VNI %d %v", n.VNI, slices.Sorted(slices.Values(n.Backends)))
}

func perNetwork(count map[string]int) string {
	if len(count) == 0 {
		return "none"
	}
	var parts []string
	for network, n := range count {
		parts = append(parts, fmt.Sprintf("%s: %d", network, n))
	}
	slices.Sort(parts)
	return fmt.Sprint(parts)
}
