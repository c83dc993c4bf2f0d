package fnat

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// attach puts a program on an interface by a link pinned at path. A link that
// is already pinned there is adopted and its program replaced in place, without
// a packet in between. A pinned link of a deleted interface is given up.
//
// No descriptor is kept: the pin alone holds the link.
func attach(path string, on Interface, p *ebpf.Program, at ebpf.AttachType) error {
	l, err := link.LoadPinnedLink(path, nil)
	switch {
	case err == nil:
		defer release(l)
		alive, err := attachedTo(l, on.Index)
		if err != nil {
			return fmt.Errorf("read link pinned at %s: %w", path, err)
		}
		if alive {
			if err := l.Update(p); err != nil {
				return fmt.Errorf("replace program on %s: %w", on, err)
			}
			return nil
		}
		if err := detach(path); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("adopt link pinned at %s: %w", path, err)
	}

	if err := makePinDir(filepath.Dir(path)); err != nil {
		return err
	}
	l, err = link.AttachTCX(link.TCXOptions{Interface: on.Index, Program: p, Attach: at})
	if err != nil {
		return fmt.Errorf("attach program to %s: %w", on, err)
	}
	defer release(l)
	if err := l.Pin(path); err != nil {
		return fmt.Errorf("pin link of %s at %s: %w", on, path, err)
	}
	return nil
}

// attachedTo reports whether a link still holds a program on an interface.
// The kernel answers index 0 when the interface is gone.
func attachedTo(l link.Link, index int) (bool, error) {
	info, err := l.Info()
	if err != nil {
		return false, err
	}
	tcx := info.TCX()
	return tcx != nil && tcx.Ifindex == uint32(index), nil
}

// detach removes a pinned link and with it the program from its interface. An
// absent one is fine.
func detach(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove pinned link: %w", err)
	}
	return nil
}
