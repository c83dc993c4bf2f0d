package lbc

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/vpc"
)

// reservedNets are networks that hold no tenant's server and no public address,
// wherever this runs.
var reservedNets = []struct {
	net  netip.Prefix
	what string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "is an address of no host"},
	{netip.MustParsePrefix("100.64.0.0/10"), "lies among the unique IPs or member addresses"},
	{netip.MustParsePrefix("127.0.0.0/8"), "is a loopback address"},
	{netip.MustParsePrefix("169.254.0.0/16"), "is a link-local address"},
	{netip.MustParsePrefix("224.0.0.0/4"), "is a multicast address"},
	{netip.MustParsePrefix("240.0.0.0/4"), "is a broadcast or reserved address"},
}

// A policy is what bounds the addresses that tenants may name: as an EIP, which
// gateways then own, and as a server in the IDC, to which they send. An address
// of our own machines as an EIP cuts every gateway off from that machine, and as
// a server it opens that machine to the internet.
type policy struct {
	adminVIP netip.Addr
	eips     []netip.Prefix        // where EIPs may lie; empty: anywhere
	networks []netip.Prefix        // infrastructure, by configuration
	hosts    map[netip.Addr]string // addresses of our machines, and what they are
	drain    time.Duration         // of a unique IP
}

// policy returns the policy as of now: nodes come and go.
func (s *Service) policy() policy {
	p := policy{
		adminVIP: s.o.AdminVIP.Addr(), eips: s.o.EIPRanges, networks: s.o.Protect,
		hosts: make(map[netip.Addr]string), drain: s.o.Drain,
	}
	add := func(a netip.Addr, what string) {
		if a.IsValid() && p.hosts[a] == "" {
			p.hosts[a] = what
		}
	}
	for _, a := range s.o.Infrastructure {
		add(a, "an address of etcd or the Admin API")
	}
	for _, c := range s.replicas.in("*") {
		var rec replicaRecord
		if json.Unmarshal(c.value, &rec) != nil {
			continue
		}
		for _, a := range rec.Addresses {
			add(a, "an address of "+rec.Node+" (lbc-api)")
		}
	}
	// Also nodes that drain: they are still there.
	for _, c := range s.nodes.in(bucketRegistry) {
		reg, err := node.ParseRegistration(c.value)
		if err != nil {
			continue
		}
		what := "the address of node " + reg.Name + " (" + reg.Kind + ")"
		for _, a := range []netip.Addr{reg.Underlay, reg.Member, reg.StatusHost()} {
			add(a, what)
		}
	}
	return p
}

// refuses says why no tenant may name an address; "" when one may.
func (p policy) refuses(pool vpc.Pool, a netip.Addr) string {
	for _, r := range reservedNets {
		if r.net.Contains(a) {
			return fmt.Sprintf("%s %s", a, r.what)
		}
	}
	if pool.Reserved(a) {
		return fmt.Sprintf("%s lies among the unique IPs or member addresses", a)
	}
	if a == p.adminVIP {
		return fmt.Sprintf("%s is the address of the Admin API", a)
	}
	if what := p.hosts[a]; what != "" {
		return fmt.Sprintf("%s is %s", a, what)
	}
	for _, n := range p.networks {
		if n.Contains(a) {
			return fmt.Sprintf("%s lies in %s, a protected network", a, n)
		}
	}
	return ""
}

// checkEIP refuses an address that no load balancer may have.
func (p policy) checkEIP(pool vpc.Pool, a netip.Addr) error {
	if a == p.adminVIP {
		return conflict("address", "%s is the address of the Admin API", a)
	}
	if reason := p.refuses(pool, a); reason != "" {
		return invalid("address", "%s", reason)
	}
	if len(p.eips) > 0 && !slices.ContainsFunc(p.eips, func(n netip.Prefix) bool { return n.Contains(a) }) {
		return invalid("address", "%s lies in no range of public addresses: %s", a, joinPrefixes(p.eips))
	}
	return nil
}

func joinPrefixes(all []netip.Prefix) string {
	words := make([]string, len(all))
	for i, n := range all {
		words[i] = n.String()
	}
	return strings.Join(words, ", ")
}

// leaves says what an address that nobody uses any more waits for. Nobody can
// delete it, and nobody needs to.
func (p policy) leaves(a vpc.Address) string {
	switch {
	case a.State == vpc.Active:
		return "is being withdrawn: try again when the operation of its target group has ended, and a drain of " + p.drain.String() + " after it"
	case a.Until.IsZero():
		return "is draining, for " + p.drain.String() + " from when all gateways have stopped using it: try again then"
	}
	return "is draining until " + a.Until.UTC().Format(time.RFC3339) + ": try again then"
}
