package bpf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/pin"
)

// A Kind is what kind of object is pinned. The zero value is none.
type Kind string

// The kinds of objects.
const (
	Map     Kind = "map"
	Program Kind = "program"
	Link    Kind = "link"
)

// A Pin is one pinned object as it was when it was looked at.
type Pin struct {
	Path string `json:"path"`
	Kind Kind   `json:"kind"`
	ID   uint32 `json:"id"`             // unique among the live objects of its kind
	Type string `json:"type"`           // e.g. "LRUHash", "SchedCLS", "TCX"
	Name string `json:"name,omitempty"` // as the kernel keeps it, at most 15 bytes; links have none

	// Of maps, in bytes and entries.
	KeySize    uint32 `json:"key_size,omitempty"`
	ValueSize  uint32 `json:"value_size,omitempty"`
	MaxEntries uint32 `json:"max_entries,omitempty"`

	// Ifindex is the device that a link of type TCX is attached to, 0 when that
	// device is gone.
	Ifindex uint32 `json:"ifindex,omitempty"`
}

// List returns what is pinned below a directory, in the order of paths. A
// directory that is not there has nothing; one that is on no bpffs is an error.
func List(dir string) ([]Pin, error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []Pin
	for p, err := range pin.WalkDir(dir, nil) {
		if err != nil {
			return nil, fmt.Errorf("list pins below %s: %w", dir, err)
		}
		one, err := describe(p)
		if err != nil {
			return nil, fmt.Errorf("look at %s: %w", p.Path, err)
		}
		out = append(out, one)
	}
	return out, nil
}

func describe(p *pin.Pin) (Pin, error) {
	out := Pin{Path: p.Path}
	switch o := p.Object.(type) {
	case *ebpf.Map:
		info, err := o.Info()
		if err != nil {
			return Pin{}, err
		}
		id, _ := info.ID()
		out.Kind, out.ID, out.Type, out.Name = Map, uint32(id), info.Type.String(), info.Name
		out.KeySize, out.ValueSize, out.MaxEntries = info.KeySize, info.ValueSize, info.MaxEntries
	case *ebpf.Program:
		info, err := o.Info()
		if err != nil {
			return Pin{}, err
		}
		id, _ := info.ID()
		out.Kind, out.ID, out.Type, out.Name = Program, uint32(id), info.Type.String(), info.Name
	case link.Link:
		info, err := o.Info()
		if err != nil {
			return Pin{}, err
		}
		out.Kind, out.ID, out.Type = Link, uint32(info.ID), typeName(info)
		if tcx := info.TCX(); tcx != nil {
			out.Ifindex = tcx.Ifindex
		}
	default:
		return Pin{}, fmt.Errorf("unknown kind of object %T", o)
	}
	return out, nil
}

func typeName(info *link.Info) string {
	if info.Type == link.TCXType {
		return "TCX"
	}
	return fmt.Sprintf("link type %d", info.Type)
}

// LinkExists reports whether a link lives, pinned or held by a process: while it
// does, its program is attached. Links that nobody holds end a moment after the
// last holder let go.
func LinkExists(id uint32) (bool, error) {
	l, err := link.NewFromID(link.ID(id))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for link %d: %w", id, err)
	}
	return true, l.Close()
}
