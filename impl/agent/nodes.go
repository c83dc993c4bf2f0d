package agent

import (
	"log/slog"
	"net/netip"

	"github.com/unilb/unilb/impl/fnat"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
)

// nodes keeps what a node must know of other nodes in the kernel. A node counts
// whether it is active or draining: a draining one still has traffic.
type nodes struct {
	rep reporter
	log *slog.Logger
	all mirror[node.Registration]
	// sync puts all registrations, by key, into the kernel.
	sync     func(map[string]node.Registration) (fnat.Diff, error)
	programs attach
}

func newNodes(rep reporter, log *slog.Logger, sync func(map[string]node.Registration) (fnat.Diff, error), programs attach) *nodes {
	return &nodes{
		rep: rep, log: log, sync: sync, programs: programs,
		all: mirror[node.Registration]{parse: parseNode, mine: under(node.RegistryPrefix)},
	}
}

func (n *nodes) apply(b store.Batch) error {
	if s, _ := n.all.take(b, n.rep); s.empty() && !b.Reset {
		return nil
	}
	if _, err := n.sync(n.all.objects); err != nil {
		return err
	}
	return n.programs.once()
}

func (n *nodes) audit() error {
	diff, err := n.sync(n.all.objects)
	if err != nil {
		return err
	}
	logDrift(n.log, "nodes", diff)
	return n.programs.once()
}

// l4Nodes returns who may send through the tunnel from L4.
func l4Nodes(all map[string]node.Registration) []netip.Addr {
	var out []netip.Addr
	for _, r := range all {
		if r.Kind == kindL4 && r.Underlay.Is4() {
			out = append(out, r.Underlay)
		}
	}
	return out
}

// gatewayNodes returns the gateways: member address to VTEP.
func gatewayNodes(all map[string]node.Registration) map[netip.Addr]netip.Addr {
	out := make(map[netip.Addr]netip.Addr)
	for _, r := range all {
		if isGateway(r) {
			out[r.Member] = r.Underlay
		}
	}
	return out
}

// attach puts programs in force once, when their entries are right for the
// first time. Until then the programs of an earlier process do the work.
type attach struct {
	f    func() error
	done bool
}

func (a *attach) once() error {
	if a.done || a.f == nil {
		return nil
	}
	if err := a.f(); err != nil {
		return err
	}
	a.done = true
	return nil
}

// logDrift tells that an audit found something else than this agent had put
// there.
func logDrift(log *slog.Logger, what string, d fnat.Diff) {
	if !d.Empty() {
		log.Warn("audit put kernel entries right", "entries", what, "added", d.Added, "changed", d.Changed, "removed", d.Removed)
	}
}
