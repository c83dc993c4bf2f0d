package l4

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
)

// The roles of links.
const (
	roleUplink    = "uplink"
	roleTunnelOut = "tunnelout"
	roleTunnelIn  = "tunnelin"
)

// An attachment is a program on a device.
type attachment struct {
	link    link.Link
	prog    ebpf.ProgramID
	ifindex int
}

// pinName carries the identity of the device: a link that was pinned to a device
// which is gone must not be taken for one to its successor of the same name.
// bpffs refuses dots.
func pinName(role string, dev *netlink.LinkAttrs) string {
	return fmt.Sprintf("link-%s-%s-%d", role, strings.ReplaceAll(dev.Name, ".", "_"), dev.Index)
}

// attach puts prog on dev: by updating the pinned link if there is one, which
// replaces the old program between two packets, else by a new link.
func (d *Datapath) attach(role string, dev netlink.Link, prog *ebpf.Program, hook ebpf.AttachType) error {
	if _, ok := d.links[role]; ok {
		return nil
	}
	attrs := dev.Attrs()
	id, err := programID(prog)
	if err != nil {
		return fmt.Errorf("attach %s to %s: %w", role, attrs.Name, err)
	}
	path := filepath.Join(d.o.PinDir, pinName(role, attrs))
	l, err := adoptLink(path, attrs.Index, prog)
	if err != nil {
		return fmt.Errorf("adopt %s on %s: %w", role, attrs.Name, err)
	}
	if l == nil {
		if l, err = link.AttachTCX(link.TCXOptions{Interface: attrs.Index, Program: prog, Attach: hook}); err != nil {
			return fmt.Errorf("attach %s to %s: %w", role, attrs.Name, err)
		}
		if err := l.Pin(path); err != nil {
			return fmt.Errorf("pin %s of %s: %w", role, attrs.Name, errors.Join(err, l.Close()))
		}
	}
	d.links[role] = attachment{link: l, prog: id, ifindex: attrs.Index}
	return d.removeStale(role, path)
}

// adoptLink updates the link pinned at path. It returns nil when there is none,
// or one whose device is gone, which it removes.
func adoptLink(path string, ifindex int, prog *ebpf.Program) (link.Link, error) {
	l, err := link.LoadPinnedLink(path, nil)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	at, err := linkedTo(l)
	if err == nil && at == ifindex {
		if err := l.Update(prog); err != nil {
			return nil, errors.Join(err, l.Close())
		}
		return l, nil
	}
	return nil, errors.Join(l.Close(), os.Remove(path))
}

// removeStale detaches what an earlier process attached in the same role to
// another device.
func (d *Datapath) removeStale(role, current string) error {
	pins, err := filepath.Glob(filepath.Join(d.o.PinDir, "link-"+role+"-*"))
	if err != nil {
		return err
	}
	for _, p := range pins {
		if p == current {
			continue
		}
		if err := os.Remove(p); err != nil {
			return fmt.Errorf("remove stale pin: %w", err)
		}
	}
	return nil
}

// linkedTo returns the index of the device a link is attached to, 0 when the
// device is gone.
func linkedTo(l link.Link) (int, error) {
	info, err := l.Info()
	if err != nil {
		return 0, err
	}
	tcx := info.TCX()
	if tcx == nil {
		return 0, fmt.Errorf("link is of type %v, not TCX", info.Type)
	}
	return int(tcx.Ifindex), nil
}

func programID(p *ebpf.Program) (ebpf.ProgramID, error) {
	info, err := p.Info()
	if err != nil {
		return 0, err
	}
	id, ok := info.ID()
	if !ok {
		return 0, errors.New("the kernel gives programs no ids")
	}
	return id, nil
}

// Check reports whether the programs are still attached where they were put and
// the tunnel device is still there: somebody may have deleted or recreated one.
func (d *Datapath) Check() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for role, a := range d.links {
		info, err := a.link.Info()
		if err != nil {
			return fmt.Errorf("look at %s: %w", role, err)
		}
		tcx := info.TCX()
		if tcx == nil || int(tcx.Ifindex) != a.ifindex {
			return fmt.Errorf("program of %s is detached: its device is gone; restart to attach it again", role)
		}
		if info.Program != a.prog {
			return fmt.Errorf("program of %s was replaced by somebody else; restart to take it back", role)
		}
	}
	for _, dev := range []netlink.Link{d.uplink, d.tunnel} {
		now, err := d.nl.LinkByName(dev.Attrs().Name)
		if err != nil {
			return fmt.Errorf("look at %s: %w", dev.Attrs().Name, err)
		}
		if now.Attrs().Index != dev.Attrs().Index || now.Attrs().RawFlags&ifUp == 0 {
			return fmt.Errorf("device %s is down or was replaced", dev.Attrs().Name)
		}
	}
	return nil
}
