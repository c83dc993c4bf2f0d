package fnat

import (
	"fmt"
	"net/netip"
	"path/filepath"

	"github.com/cilium/ebpf"

	"github.com/unilb/unilb/impl/fnat/bpf"
)

// GatewayOptions say where a Gateway is. All fields are required.
type GatewayOptions struct {
	Interface Interface  // external-mode vxlan device to which the unique range is routed
	Member    netip.Addr // this gateway's address towards guests; packets to any other are dropped
	VTEP      netip.Addr // this gateway's underlay address, the outer source of what it sends
	PinDir    string     // in a bpffs; several devices may share it
}

// A Gateway translates between unique IPs and guests on one device. Its
// entries outlive the process.
type Gateway struct {
	on      Interface
	pinDir  string
	objects bpf.GatewayObjects
	forward entries[uint32, bpf.GatewayMapping]
	reverse entries[bpf.GatewayGuest, bpf.GatewayIdentity]
}

// OpenGateway loads the programs and adopts the entries that are pinned for the
// device. Where no program is attached yet it attaches: without entries that
// drops everything. Programs in force stay until Attach, which is to be called
// once the entries are right.
func OpenGateway(o GatewayOptions) (*Gateway, error) {
	spec, err := bpf.LoadGateway()
	if err != nil {
		return nil, fmt.Errorf("read gateway programs: %w", err)
	}
	if err := spec.Variables["member"].Set(wire(o.Member)); err != nil {
		return nil, fmt.Errorf("set member address: %w", err)
	}
	if err := spec.Variables["vtep"].Set(hostOrder(o.VTEP)); err != nil {
		return nil, fmt.Errorf("set VTEP: %w", err)
	}
	g := &Gateway{on: o.Interface, pinDir: o.PinDir}
	if err := load(spec, &g.objects, o.PinDir, o.Interface); err != nil {
		return nil, err
	}
	g.forward.m, g.reverse.m = g.objects.Forward, g.objects.Reverse
	if err := attachMissing(g.hooks()); err != nil {
		return nil, closing(g, err)
	}
	return g, nil
}

func (g *Gateway) hooks() []hook {
	dir := filepath.Join(g.pinDir, g.on.pinName())
	return []hook{
		{filepath.Join(dir, "egress"), g.on, g.objects.FnatEgress, ebpf.AttachTCXEgress},
		{filepath.Join(dir, "ingress"), g.on, g.objects.FnatIngress, ebpf.AttachTCXIngress},
	}
}

// Attach puts this version of the programs in force, in place of an earlier one
// if there is one, and forgets devices that had the same name before.
func (g *Gateway) Attach() error {
	for _, h := range g.hooks() {
		if err := h.attach(); err != nil {
			return err
		}
	}
	return removeStale(g.pinDir, g.on)
}

// Counters returns what the programs counted towards guests (egress) and from
// them (ingress).
func (g *Gateway) Counters() (egress, ingress Counters, err error) {
	if egress, err = readCounters(g.objects.Counters, 0); err != nil {
		return egress, ingress, err
	}
	ingress, err = readCounters(g.objects.Counters, 1)
	return egress, ingress, err
}

// Close releases what the process holds. Forwarding goes on by the pins.
func (g *Gateway) Close() error { return g.objects.Close() }
