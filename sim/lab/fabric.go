package lab

import (
	"fmt"

	"github.com/unilb/unilb/topology"
)

// checkDevices holds what was built to the plan's invariants. A device with
// another MTU than its link would show much later, as a connection that stalls at
// the first large packet; a bridge would learn addresses that tenants share.
func (n *Node) checkDevices() error {
	devices, err := n.stack.Devices()
	if err != nil {
		return err
	}
	mtu := map[string]int{}
	for _, d := range devices {
		if d.Kind == "bridge" {
			return fmt.Errorf("%s is a bridge; the fabric has none", d.Name)
		}
		mtu[d.Name] = d.MTU
	}
	for _, l := range n.links {
		for _, e := range []topology.End{l.A, l.B} {
			if e.Node == n.Ref() && mtu[e.If] != l.MTU {
				return fmt.Errorf("link %s: %s has mtu %d; want %d", l.Name, e.If, mtu[e.If], l.MTU)
			}
		}
	}
	return nil
}
