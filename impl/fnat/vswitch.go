package fnat

import (
	"fmt"
	"net/netip"
	"path/filepath"

	"github.com/cilium/ebpf"

	"github.com/unilb/unilb/impl/fnat/bpf"
)

// guestDir is where the links of guests' interfaces are pinned. They do not
// lie below the tunnel device: when that is made anew, the guests' programs are
// replaced in place.
const guestDir = "guests"

// A Vswitch switches packets between the guests of one host, and between them
// and a tunnel to other hosts and to gateways. Its entries outlive the process.
type Vswitch struct {
	on       Interface
	pinDir   string
	objects  bpf.VswitchObjects
	ports    entries[uint32, bpf.VswitchPort]
	places   entries[bpf.VswitchGuest, bpf.VswitchPlace]
	gateways entries[uint32, uint32]
}

// VswitchOptions say where a Vswitch is. All fields are required.
type VswitchOptions struct {
	Interface Interface  // external-mode vxlan device to other hosts and to gateways
	VTEP      netip.Addr // this host's underlay address, the outer source of what it sends
	PinDir    string     // in a bpffs; several devices may share it
}

// OpenVswitch loads the programs and adopts what is pinned for the tunnel
// device, as OpenGateway does.
func OpenVswitch(o VswitchOptions) (*Vswitch, error) {
	spec, err := bpf.LoadVswitch()
	if err != nil {
		return nil, fmt.Errorf("read vswitch programs: %w", err)
	}
	if err := spec.Variables["tunnel_ifindex"].Set(uint32(o.Interface.Index)); err != nil {
		return nil, fmt.Errorf("set tunnel device: %w", err)
	}
	if err := spec.Variables["vtep"].Set(hostOrder(o.VTEP)); err != nil {
		return nil, fmt.Errorf("set VTEP: %w", err)
	}
	v := &Vswitch{on: o.Interface, pinDir: o.PinDir}
	if err := load(spec, &v.objects, o.PinDir, o.Interface); err != nil {
		return nil, err
	}
	v.ports.m, v.places.m, v.gateways.m = v.objects.Ports, v.objects.Places, v.objects.Gateways
	if err := attachMissing([]hook{v.tunnelHook()}); err != nil {
		return nil, closing(v, err)
	}
	return v, nil
}

func (v *Vswitch) tunnelHook() hook {
	path := filepath.Join(v.pinDir, v.on.pinName(), "to-guest")
	return hook{path, v.on, v.objects.VswToGuest, ebpf.AttachTCXIngress}
}

func (v *Vswitch) guestHook(i Interface) hook {
	path := filepath.Join(v.pinDir, guestDir, i.pinName())
	return hook{path, i, v.objects.VswFromGuest, ebpf.AttachTCXIngress}
}

// Attach puts this version of the program on the tunnel device in force, and
// forgets devices that had the same name before. Guests have AttachGuest.
func (v *Vswitch) Attach() error {
	if err := v.tunnelHook().attach(); err != nil {
		return err
	}
	return removeStale(v.pinDir, v.on)
}

// AttachGuest puts the program on the host's end of a guest's link, or replaces
// the one that is there. Until the interface has a port it drops everything.
func (v *Vswitch) AttachGuest(i Interface) error { return v.guestHook(i).attach() }

// GuardGuest is AttachGuest for an interface that has no program yet; where one
// is in force it stays.
func (v *Vswitch) GuardGuest(i Interface) error { return attachMissing([]hook{v.guestHook(i)}) }

// PruneGuests forgets guests' interfaces that no longer exist. A guest that
// merely lost its port keeps the program: it stays cut off, rather than meeting
// the host's own network stack.
func (v *Vswitch) PruneGuests(exists func(Interface) bool) error {
	all, err := pinnedInterfaces(filepath.Join(v.pinDir, guestDir))
	if err != nil {
		return err
	}
	for _, i := range all {
		if exists(i) {
			continue
		}
		if err := detach(v.guestHook(i).path); err != nil {
			return err
		}
	}
	return nil
}

// Counters returns what the programs counted in packets from guests of this
// host and in packets that came to them through the tunnel.
func (v *Vswitch) Counters() (fromGuest, toGuest Counters, err error) {
	if fromGuest, err = readCounters(v.objects.Counters, 0); err != nil {
		return fromGuest, toGuest, err
	}
	toGuest, err = readCounters(v.objects.Counters, 1)
	return fromGuest, toGuest, err
}

// Close releases what the process holds. Switching goes on by the pins.
func (v *Vswitch) Close() error { return v.objects.Close() }
