package agent

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/unilb/unilb/impl/fnat"
	"github.com/unilb/unilb/impl/vpc"
)

// A guestPlan is what the ports of one host mean for its vswitch, given the
// interfaces that exist.
type guestPlan struct {
	places  []fnat.Place           // addresses of guests of this host
	ports   map[int]fnat.GuestPort // interfaces that may send, by index
	guests  []fnat.Interface       // interfaces that get the program
	refused map[string]error       // keys of ports that cannot be in force
	missing map[string]netip.Addr  // keys of those whose interface does not exist
	names   map[string]bool        // names of interfaces that matter
	indices map[int]fnat.Interface // the same by index, of those that exist
}

// planGuests works the plan out. Ports are taken in the order of keys: an
// interface belongs to the network of the first.
func planGuests(host string, keys []string, ports map[string]vpc.Port, networks map[string]vpc.Network, links map[string]netlink.Link) guestPlan {
	p := guestPlan{
		ports: make(map[int]fnat.GuestPort), refused: make(map[string]error),
		missing: make(map[string]netip.Addr), names: make(map[string]bool), indices: make(map[int]fnat.Interface),
	}
	routers := make(map[uint32]netip.Addr, len(networks))
	for _, n := range networks {
		routers[n.VNI] = n.CIDR.Addr().Next()
	}
	for _, key := range keys {
		port := ports[key]
		if port.Host != host {
			continue
		}
		p.names[port.Ifname] = true
		l, ok := links[port.Ifname]
		if !ok {
			p.refused[key] = fmt.Errorf("ifname: %s does not exist on this host yet", port.Ifname)
			p.missing[key] = port.IP
			continue
		}
		i := fnat.Interface{Name: port.Ifname, Index: l.Attrs().Index}
		if first, ok := p.ports[i.Index]; ok && first.VNI != port.VNI {
			p.refused[key] = fmt.Errorf("ifname: %s is in VNI %d already", port.Ifname, first.VNI)
			continue
		} else if !ok {
			p.ports[i.Index] = fnat.GuestPort{VNI: port.VNI, Router: routers[port.VNI]}
			p.guests = append(p.guests, i)
			p.indices[i.Index] = i
		}
		_, veth := l.(*netlink.Veth)
		p.places = append(p.places, fnat.Place{VNI: port.VNI, IP: port.IP, MAC: port.MAC, Index: i.Index, Veth: veth})
	}
	return p
}

// checkPort refuses what would make a guest a gateway's or another guest's
// double.
func checkPort(p vpc.Port) error {
	if uniquePrefix.Contains(p.IP) {
		return fmt.Errorf("ip: %s lies in %s, which no VPC may use", p.IP, uniquePrefix)
	}
	return nil
}
