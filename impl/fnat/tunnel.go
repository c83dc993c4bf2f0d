package fnat

import (
	"fmt"
	"net/netip"
	"path/filepath"

	"github.com/cilium/ebpf"

	"github.com/unilb/unilb/impl/fnat/bpf"
)

// A Tunnel guards the device on which L4 sends packets of clients: only
// registered L4 nodes may. Its entries outlive the process.
type Tunnel struct {
	on      Interface
	pinDir  string
	objects bpf.TunnelObjects
	sources entries[uint32, uint8]
}

// OpenTunnel loads the program and adopts what is pinned for the device, as
// OpenGateway does.
func OpenTunnel(on Interface, pinDir string) (*Tunnel, error) {
	spec, err := bpf.LoadTunnel()
	if err != nil {
		return nil, fmt.Errorf("read tunnel program: %w", err)
	}
	t := &Tunnel{on: on, pinDir: pinDir}
	if err := load(spec, &t.objects, pinDir, on); err != nil {
		return nil, err
	}
	t.sources.m = t.objects.Sources
	if err := attachMissing([]hook{t.hook()}); err != nil {
		return nil, closing(t, err)
	}
	return t, nil
}

func (t *Tunnel) hook() hook {
	return hook{filepath.Join(t.pinDir, t.on.pinName(), "ingress"), t.on, t.objects.L4tunIngress, ebpf.AttachTCXIngress}
}

// Attach puts this version of the program in force, as Gateway.Attach does.
func (t *Tunnel) Attach() error {
	if err := t.hook().attach(); err != nil {
		return err
	}
	return removeStale(t.pinDir, t.on)
}

// PruneSources makes the outer sources that are accepted exactly those of want.
func (t *Tunnel) PruneSources(want []netip.Addr) (Diff, error) {
	all := make(map[uint32]uint8, len(want))
	for _, a := range want {
		all[wire(a)] = 1
	}
	diff, err := t.sources.sync(all)
	if err != nil {
		return diff, fmt.Errorf("prune L4 nodes: %w", err)
	}
	return diff, nil
}

// Counters returns what the program counted. A source that is no registered L4
// node counts as WrongVTEP, a VNI other than L4's as UnknownSource.
func (t *Tunnel) Counters() (Counters, error) { return readCounters(t.objects.Counters, 0) }

// Close releases what the process holds. The program stays in force by its pin.
func (t *Tunnel) Close() error { return t.objects.Close() }
