package fnat

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// load loads a collection into objects, with the maps pinned for the device.
func load(spec *ebpf.CollectionSpec, objects any, pinDir string, on Interface) error {
	dir := mapDir(pinDir, on)
	if err := makePinDir(dir); err != nil {
		return err
	}
	pinMaps(spec)
	err := spec.LoadAndAssign(objects, &ebpf.CollectionOptions{Maps: ebpf.MapOptions{PinPath: dir}})
	if err != nil {
		return fmt.Errorf("load programs for %s: %w", on, err)
	}
	return nil
}

// pinMaps marks all maps of a collection to be pinned by their names. The
// read-only data of a program belongs to that program alone.
func pinMaps(spec *ebpf.CollectionSpec) {
	for name, m := range spec.Maps {
		if name != ".rodata" {
			m.Pinning = ebpf.PinByName
		}
	}
}

// A hook is a program's place on an interface.
type hook struct {
	path    string // of the pinned link
	on      Interface
	program *ebpf.Program
	at      ebpf.AttachType
}

func (h hook) attach() error { return attach(h.path, h.on, h.program, h.at) }

// attached reports whether the pinned link holds some program on the interface.
func (h hook) attached() (bool, error) {
	l, err := link.LoadPinnedLink(h.path, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open pinned link: %w", err)
	}
	defer release(l)
	return attachedTo(l, h.on.Index)
}

// attachMissing attaches the programs of hooks that have none.
func attachMissing(hooks []hook) error {
	for _, h := range hooks {
		has, err := h.attached()
		if err != nil {
			return err
		}
		if has {
			continue
		}
		if err := h.attach(); err != nil {
			return err
		}
	}
	return nil
}

// release gives up a descriptor of something that its pin holds.
func release(c io.Closer) { _ = c.Close() }

// closing closes c after err.
func closing(c io.Closer, err error) error { return errors.Join(err, c.Close()) }
