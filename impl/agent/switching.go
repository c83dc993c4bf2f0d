package agent

import (
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/unilb/unilb/impl/fnat"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
)

// vswitch is the part of a fnat.Vswitch that ports decide on.
type vswitch interface {
	PutPlace(fnat.Place) error
	DeletePlace(vni uint32, ip netip.Addr) error
	PrunePlaces([]fnat.Place) (fnat.Diff, error)
	PrunePorts(map[int]fnat.GuestPort) (fnat.Diff, error)
	GuardGuest(fnat.Interface) error
	AttachGuest(fnat.Interface) error
	PruneGuests(exists func(fnat.Interface) bool) error
}

// switching keeps a host's vswitch in step with ports, networks and the
// interfaces of the host.
type switching struct {
	v        vswitch
	host     string
	links    func() (map[string]netlink.Link, error) // all interfaces, by name
	rep      reporter
	log      *slog.Logger
	ports    mirror[vpc.Port]
	networks mirror[vpc.Network]
	plan     guestPlan // as last put into the kernel
	seen     bool      // the first batch came: before it, nothing may be pruned
	programs attach
}

func newSwitching(v vswitch, host string, links func() (map[string]netlink.Link, error), rep reporter, log *slog.Logger, programs attach) *switching {
	parse := func(b []byte) (vpc.Port, error) {
		p, err := vpc.ParsePort(b)
		if err == nil {
			err = checkPort(p)
		}
		return p, err
	}
	return &switching{
		v: v, host: host, links: links, rep: rep, log: log, programs: programs,
		ports:    mirror[vpc.Port]{parse: parseKeyed(parse), mine: under(vpc.PortPrefix)},
		networks: mirror[vpc.Network]{parse: parseKeyed(vpc.ParseNetwork), mine: under(vpc.NetworkPrefix)},
	}
}

func (s *switching) apply(b store.Batch) error {
	ports, old := s.ports.take(b, s.rep)
	networks, _ := s.networks.take(b, s.rep)
	s.seen = true
	if b.Reset {
		_, err := s.prune()
		return err
	}
	local := !networks.empty()
	for _, key := range ports.gone {
		p := old[key]
		local = local || p.Host == s.host
		if err := s.v.DeletePlace(p.VNI, p.IP); err != nil {
			return err
		}
	}
	for _, key := range ports.put {
		p := s.ports.objects[key]
		if prev, ok := old[key]; p.Host == s.host || ok && prev.Host == s.host {
			local = true
		}
		if p.Host != s.host {
			if err := s.v.PutPlace(remotePlace(p)); err != nil {
				return err
			}
		}
	}
	if !local {
		return nil
	}
	return s.relink()
}

func remotePlace(p vpc.Port) fnat.Place {
	return fnat.Place{VNI: p.VNI, IP: p.IP, MAC: p.MAC, VTEP: p.VTEP}
}

// relink puts the guests of this host into the kernel by the interfaces that
// exist now. It leaves guests of other hosts alone.
func (s *switching) relink() error {
	if !s.seen {
		return nil
	}
	plan, exists, err := s.replan()
	if err != nil {
		return err
	}
	// The program comes before the address is known to others: no answer of
	// the guest may meet the host's own network stack.
	for _, i := range plan.guests {
		if err := s.v.GuardGuest(i); err != nil {
			return err
		}
	}
	for key := range plan.refused {
		p := s.ports.objects[key]
		if err := s.v.DeletePlace(p.VNI, p.IP); err != nil {
			return err
		}
	}
	for _, p := range plan.places {
		if err := s.v.PutPlace(p); err != nil {
			return err
		}
	}
	if _, err := s.v.PrunePorts(plan.ports); err != nil {
		return err
	}
	s.commit(plan)
	return s.v.PruneGuests(exists)
}

func (s *switching) audit() error {
	diff, err := s.prune()
	if err == nil {
		logDrift(s.log, "places", diff)
	}
	return err
}

// prune makes the vswitch hold exactly what is wanted.
func (s *switching) prune() (fnat.Diff, error) {
	plan, exists, err := s.replan()
	if err != nil {
		return fnat.Diff{}, err
	}
	for _, i := range plan.guests {
		if err := s.v.GuardGuest(i); err != nil {
			return fnat.Diff{}, err
		}
	}
	places := plan.places
	for _, p := range s.ports.objects {
		if p.Host != s.host {
			places = append(places, remotePlace(p))
		}
	}
	diff, err := s.v.PrunePlaces(places)
	if err != nil {
		return diff, err
	}
	if _, err := s.v.PrunePorts(plan.ports); err != nil {
		return diff, err
	}
	for _, i := range plan.guests {
		if err := s.v.AttachGuest(i); err != nil {
			return diff, err
		}
	}
	s.commit(plan)
	if err := s.programs.once(); err != nil {
		return diff, err
	}
	return diff, s.v.PruneGuests(exists)
}

func (s *switching) replan() (guestPlan, func(fnat.Interface) bool, error) {
	links, err := s.links()
	if err != nil {
		return guestPlan{}, nil, err
	}
	exists := func(i fnat.Interface) bool {
		l, ok := links[i.Name]
		return ok && l.Attrs().Index == i.Index
	}
	return planGuests(s.host, s.ports.keys(), s.ports.objects, s.networks.objects, links), exists, nil
}

// commit remembers a plan that is in the kernel and reports what it refuses.
func (s *switching) commit(plan guestPlan) {
	for key, err := range plan.refused {
		s.rep.Refuse(key, err)
		if s.plan.refused[key] == nil {
			s.log.Warn("port not in force", "key", key, "err", err)
		}
	}
	for key := range s.plan.refused {
		if _, ok := s.ports.objects[key]; ok && plan.refused[key] == nil {
			s.rep.Accept(key)
		}
	}
	s.plan = plan
}

// concerns reports whether a change of an interface may matter.
func (s *switching) concerns(name string, index int) bool {
	_, known := s.plan.indices[index]
	return known || s.plan.names[name]
}

// linksByName lists all interfaces of the namespace.
func linksByName(nl *netlink.Handle) (map[string]netlink.Link, error) {
	all, err := nl.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	out := make(map[string]netlink.Link, len(all))
	for _, l := range all {
		out[l.Attrs().Name] = l
	}
	return out, nil
}
