package fnat

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"

	"github.com/cilium/ebpf"

	"github.com/unilb/unilb/impl/fnat/bpf"
	"github.com/unilb/unilb/impl/vpc"
)

// A Role says what a device does in the forwarding plane.
type Role string

// The roles of devices.
const (
	RoleGateway Role = "gateway"
	RoleVswitch Role = "vswitch"
	RoleTunnel  Role = "tunnel"
)

// A View reads what is pinned for one device. It needs neither the agent nor
// the device's namespace, and changes nothing.
type View struct {
	Interface Interface
	Role      Role
	main      *ebpf.Map // forward, places or sources
	reverse   *ebpf.Map // gateways only
	counters  *ebpf.Map
}

// OpenViews returns a view of each device that has pins of this layout in
// pinDir. Close each of them.
func OpenViews(pinDir string) ([]*View, error) {
	all, err := pinnedInterfaces(pinDir)
	if err != nil {
		return nil, err
	}
	var views []*View
	for _, i := range all {
		v, err := openView(pinDir, i)
		if err != nil {
			for _, v := range views {
				v.Close()
			}
			return nil, err
		}
		if v != nil {
			views = append(views, v)
		}
	}
	return views, nil
}

func openView(pinDir string, i Interface) (*View, error) {
	dir := mapDir(pinDir, i)
	mainMaps := []struct {
		role Role
		name string
	}{
		{RoleGateway, bpf.GatewayMapForward},
		{RoleVswitch, bpf.VswitchMapPlaces},
		{RoleTunnel, bpf.TunnelMapSources},
	}
	v := &View{Interface: i}
	for _, m := range mainMaps {
		opened, err := openPinnedMap(dir, m.name)
		if err != nil {
			return nil, err
		}
		if opened != nil {
			v.Role, v.main = m.role, opened
			break
		}
	}
	if v.main == nil {
		return nil, nil
	}
	var err error
	if v.counters, err = openPinnedMap(dir, bpf.GatewayMapCounters); err == nil && v.Role == RoleGateway {
		v.reverse, err = openPinnedMap(dir, bpf.GatewayMapReverse)
	}
	if err == nil && (v.counters == nil || v.Role == RoleGateway && v.reverse == nil) {
		err = fmt.Errorf("pins of %s are incomplete", i)
	}
	if err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

// openPinnedMap opens a map for reading; nil when it is not pinned.
func openPinnedMap(dir, name string) (*ebpf.Map, error) {
	m, err := ebpf.LoadPinnedMap(filepath.Join(dir, name), &ebpf.LoadPinOptions{ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open pinned map: %w", err)
	}
	return m, nil
}

// Close releases the view.
func (v *View) Close() {
	for _, m := range []*ebpf.Map{v.main, v.reverse, v.counters} {
		if m != nil {
			release(m)
		}
	}
}

// Mappings lists the mappings of a gateway; none for other roles.
func (v *View) Mappings() ([]vpc.Mapping, error) {
	if v.Role != RoleGateway {
		return nil, nil
	}
	return listMappings(entries[uint32, bpf.GatewayMapping]{v.main})
}

// Places lists the places of a vswitch in no order; none for other roles.
func (v *View) Places() ([]Place, error) {
	if v.Role != RoleVswitch {
		return nil, nil
	}
	all, err := entries[bpf.VswitchGuest, bpf.VswitchPlace]{v.main}.all()
	if err != nil {
		return nil, fmt.Errorf("list places: %w", err)
	}
	out := make([]Place, 0, len(all))
	for k, e := range all {
		out = append(out, placeOf(k, e))
	}
	return out, nil
}

// Sources lists the L4 nodes that a tunnel accepts; none for other roles.
func (v *View) Sources() ([]netip.Addr, error) {
	if v.Role != RoleTunnel {
		return nil, nil
	}
	all, err := entries[uint32, uint8]{v.main}.all()
	if err != nil {
		return nil, fmt.Errorf("list L4 nodes: %w", err)
	}
	out := make([]netip.Addr, 0, len(all))
	for k := range all {
		out = append(out, unwire(k))
	}
	return out, nil
}

// Counters returns the counters of each direction by its name.
func (v *View) Counters() (map[string]Counters, error) {
	names := map[Role][]string{
		RoleGateway: {"egress", "ingress"},
		RoleVswitch: {"from-guest", "to-guest"},
		RoleTunnel:  {"ingress"},
	}[v.Role]
	out := make(map[string]Counters, len(names))
	for i, name := range names {
		c, err := readCounters(v.counters, uint32(i))
		if err != nil {
			return nil, err
		}
		out[name] = c
	}
	return out, nil
}

// A Trace is what a gateway does with packets to a unique IP and with the
// answers to them.
type Trace struct {
	Mapping vpc.Mapping `json:"mapping"`
	// Back is the unique IP as which the guest's packets appear. It is the
	// mapping's own unless an agent was stopped in the middle of a change.
	Back netip.Addr `json:"back,omitzero"`
	// BackVTEP is where the guest's packets must come from.
	BackVTEP netip.Addr `json:"back_vtep,omitzero"`
}

// Consistent reports whether an answer comes back as what was asked.
func (t Trace) Consistent() bool {
	return t.Back == t.Mapping.UniqueIP && t.BackVTEP == t.Mapping.VTEP
}

// Trace looks a unique IP up as the programs do; ok is false when packets to it
// are dropped.
func (v *View) Trace(unique netip.Addr) (t Trace, ok bool, err error) {
	if v.Role != RoleGateway {
		return t, false, nil
	}
	to, ok, err := entries[uint32, bpf.GatewayMapping]{v.main}.get(wire(unique))
	if err != nil || !ok {
		return t, false, err
	}
	t.Mapping = mappingOf(wire(unique), to)
	guest := bpf.GatewayGuest{Vni: to.Vni, Ip: to.VpcIp}
	back, found, err := entries[bpf.GatewayGuest, bpf.GatewayIdentity]{v.reverse}.get(guest)
	if err != nil {
		return t, false, err
	}
	if found {
		t.Back, t.BackVTEP = unwire(back.UniqueIp), unwire(back.Vtep)
	}
	return t, true, nil
}
