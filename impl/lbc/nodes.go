package lbc

import (
	"cmp"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/node"
)

// nodesPrefix is the directory of registrations and reports.
const nodesPrefix = "/unilb/nodes"

// A want is what a node must have in force: a revision for each prefix it
// watches that was touched.
type want struct {
	node     node.Registration
	prefixes []prefixWant // ordered by prefix
	keys     []string     // objects that the node must not refuse
}

type prefixWant struct {
	prefix string
	rev    int64
}

// id names a node across kinds: a gateway and its agent share their name.
func (w want) id() string { return w.node.Kind + "/" + w.node.Name }

// registered returns the nodes that count: registered and not draining,
// ordered by name and kind.
func (s *Service) registered() []node.Registration {
	var nodes []node.Registration
	for _, c := range s.nodes.in(bucketRegistry) {
		reg, err := node.ParseRegistration(c.value)
		if err == nil && reg.State != node.Draining {
			nodes = append(nodes, reg)
		}
	}
	slices.SortFunc(nodes, func(a, b node.Registration) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	return nodes
}

// wants returns the nodes that watch something of what was touched.
func wants(nodes []node.Registration, touched map[string]int64) []want {
	var all []want
	for _, reg := range nodes {
		w := want{node: reg}
		for _, watched := range reg.Watches {
			rev := int64(0)
			for dir, r := range touched {
				if node.Covers(watched, dir) {
					rev = max(rev, r)
				}
			}
			if rev > 0 {
				w.prefixes = append(w.prefixes, prefixWant{strings.TrimSuffix(watched, "/"), rev})
			}
		}
		if len(w.prefixes) > 0 {
			slices.SortFunc(w.prefixes, func(a, b prefixWant) int { return cmp.Compare(a.prefix, b.prefix) })
			all = append(all, w)
		}
	}
	return all
}

// behind returns the first prefix that is not in force according to applied.
func (w want) behind(applied map[string]int64) (p prefixWant, at int64, ok bool) {
	for _, p := range w.prefixes {
		if at := applied[p.prefix]; at < p.rev {
			return p, at, true
		}
	}
	return prefixWant{}, 0, false
}

// refusal returns the first of the wanted objects that is among those a node
// refuses.
func (w want) refusal(errors []node.ObjectError) (e node.ObjectError, ok bool) {
	i := slices.IndexFunc(errors, func(e node.ObjectError) bool { return slices.Contains(w.keys, e.Key) })
	if i < 0 {
		return node.ObjectError{}, false
	}
	return errors[i], true
}

// mappers returns the nodes that use mappings: agents of gateways. Hosts follow
// the same directory for networks and ports.
func (s *Service) mappers() []node.Registration {
	return slices.DeleteFunc(s.registered(), func(r node.Registration) bool { return r.Kind != kindAgent })
}

// kindAgent is the kind of agents beside gateways and other servers behind L4.
const kindAgent = "lbc-agent"

// reported reports whether all nodes that watch a touched directory say, in their reports in etcd, that it is in force. Reports outlive the nodes
// that wrote them: a node that is down counts by what it last said, until it is
// drained or removed.
func (s *Service) reported(nodes []node.Registration, touched map[string]int64) (bool, string) {
	reports := s.nodes.in(bucketReports)
	for _, w := range wants(nodes, touched) {
		c, ok := reports[node.ReportKey(w.node.Kind, w.node.Name)]
		if !ok {
			return false, w.id()
		}
		r, err := node.ParseReport(c.value)
		if err != nil {
			return false, w.id()
		}
		if _, _, behind := w.behind(r.Applied); behind {
			return false, w.id()
		}
	}
	return true, ""
}

// The buckets of the mirror of nodesPrefix.
const (
	bucketRegistry = "registry"
	bucketReports  = "reports"
)

func nodeBucket(key string) string {
	switch {
	case strings.HasPrefix(key, node.RegistryPrefix):
		return bucketRegistry
	case strings.HasPrefix(key, node.ReportPrefix):
		return bucketReports
	}
	return ""
}

// hostZones returns the zone of each registered hypervisor host.
func (s *Service) hostZones() map[string]string {
	zones := make(map[string]string)
	for _, c := range s.nodes.in(bucketRegistry) {
		if reg, err := node.ParseRegistration(c.value); err == nil && reg.Kind == "host" && reg.Zone != "" {
			zones[reg.Name] = reg.Zone
		}
	}
	return zones
}
