package l4

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/l4/bpf"
)

// DatapathOptions say where the data path is built.
type DatapathOptions struct {
	PinDir   string     // directory on a bpffs, of this node alone; made when missing
	Uplink   string     // device that packets for VIPs arrive on
	Underlay netip.Addr // own address: outer source of the tunnel, source of probes
	// Connections is the size of the connection table; zero means 262144. A pinned
	// table keeps its size.
	Connections uint32
	Log         *slog.Logger // nil discards
}

// A Datapath is the tunnel device, the eBPF programs and their maps on one node.
// What it attached and pinned outlives it. Safe for concurrent use, by one
// process at a time.
type Datapath struct {
	o       DatapathOptions
	log     *slog.Logger
	nl      *netlink.Handle
	lock    *os.File
	uplink  netlink.Link
	tunnel  netlink.Link
	objs    bpf.L4Objects
	inner   *ebpf.MapSpec // of a ring
	adopted Adopted

	mu    sync.Mutex
	have  kernelState
	links map[string]attachment // by role
}

// OpenDatapath makes or adopts the tunnel device and the pinned maps, in the
// network namespace of the calling thread. The uplink is left to Attach, so that
// a new node does not drop what it has no rings for yet; a program that an earlier
// process pinned there keeps forwarding. It needs CAP_NET_ADMIN and CAP_BPF.
func OpenDatapath(o DatapathOptions) (_ *Datapath, err error) {
	d := &Datapath{o: o, log: o.Log, links: map[string]attachment{}}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
		}
	}()
	if d.lock, err = lockDir(o.PinDir); err != nil {
		return nil, err
	}
	if d.nl, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		return nil, fmt.Errorf("open netlink: %w", err)
	}
	if err := d.openDevices(); err != nil {
		return nil, err
	}
	if err := d.load(); err != nil {
		return nil, err
	}
	if err := d.attach(roleTunnelIn, d.tunnel, d.objs.L4TunnelIn, ebpf.AttachTCXIngress); err != nil {
		return nil, err
	}
	if err := d.attach(roleTunnelOut, d.tunnel, d.objs.L4TunnelOut, ebpf.AttachTCXEgress); err != nil {
		return nil, err
	}
	if d.have, err = d.readKernel(); err != nil {
		return nil, err
	}
	d.adopted = d.have.adopted()
	return d, nil
}

// Adopted returns what was forwarded before this process began.
func (d *Datapath) Adopted() Adopted { return d.adopted }

// Attach puts the forwarding program on the uplink, in place of one that an
// earlier process left there, without a packet in between.
func (d *Datapath) Attach() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.attach(roleUplink, d.uplink, d.objs.L4Uplink, ebpf.AttachTCXIngress); err != nil {
		return err
	}
	return d.removeOldLayouts()
}

// Close gives up the handles of this process. Everything keeps forwarding.
func (d *Datapath) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for _, a := range d.links {
		errs = append(errs, a.link.Close())
	}
	clear(d.links)
	errs = append(errs, d.objs.Close())
	if d.nl != nil {
		d.nl.Close()
		d.nl = nil
	}
	if d.lock != nil {
		d.lock.Close()
		d.lock = nil
	}
	return errors.Join(errs...)
}

// Remove ends forwarding: it detaches the programs and removes the pins. The
// tunnel device stays. Close afterwards.
func (d *Datapath) Remove() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for role, a := range d.links {
		delete(d.links, role)
		if err := a.link.Close(); err != nil {
			return fmt.Errorf("detach %s: %w", role, err)
		}
	}
	entries, err := os.ReadDir(d.o.PinDir)
	if err != nil {
		return fmt.Errorf("remove pins: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "link-") || strings.HasPrefix(e.Name(), "maps-") {
			if err := os.RemoveAll(filepath.Join(d.o.PinDir, e.Name())); err != nil {
				return fmt.Errorf("remove pins: %w", err)
			}
		}
	}
	return nil
}

var _ Plane = (*Datapath)(nil)
