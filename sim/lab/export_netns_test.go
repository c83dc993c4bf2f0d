//go:build netns

package lab

import (
	"context"
	"net/netip"

	"github.com/unilb/unilb/topology"
)

// LeaksWithoutDrop looks for leaks through a drop that was never put in force.
func LeaksWithoutDrop(l *Lab, from topology.Ref, to string) ([]netip.Addr, error) {
	m := machine{l.nodes[from]}
	if err := m.Drop("none", []netip.Addr{netip.MustParseAddr("192.0.2.1")}); err != nil {
		return nil, err
	}
	return m.Leaks(context.Background(), "none", []netip.Addr{netip.MustParseAddr(to)})
}
