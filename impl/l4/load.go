package l4

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/l4/bpf"
)

// layout names the shape of the pinned maps. Raise it with every change of a key
// or a value in l4.c: a map of another shape cannot be adopted. The connection
// table does not survive that; drain the node first.
const layout = 2

// lockDir makes the directory and holds it for this process. The kernel lets go
// when the process ends, however it ends.
func lockDir(dir string) (*os.File, error) {
	if dir == "" {
		return nil, errors.New("no pin directory given")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make pin directory: %w", err)
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open pin directory: %w", err)
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &fs); err != nil || fs.Type != unix.BPF_FS_MAGIC {
		f.Close()
		return nil, fmt.Errorf("pin directory %s is not on a bpffs: mount one with `mount -t bpf bpf /sys/fs/bpf`", dir)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("pin directory %s is used by another process: %w", dir, err)
	}
	return f, nil
}

func (d *Datapath) mapsDir() string { return filepath.Join(d.o.PinDir, fmt.Sprintf("maps-%d", layout)) }

// load loads the programs and makes or adopts the maps.
func (d *Datapath) load() error {
	spec, err := bpf.LoadL4()
	if err != nil {
		return fmt.Errorf("read eBPF object: %w", err)
	}
	d.inner = spec.Maps[bpf.L4MapRings].InnerMap
	for name, value := range map[string]any{
		bpf.L4VarTunnelIfindex: uint32(d.tunnel.Attrs().Index),
		bpf.L4VarTunnelMtu:     uint32(d.tunnel.Attrs().MTU),
		bpf.L4VarUnderlay:      be32(d.o.Underlay),
	} {
		if err := spec.Variables[name].Set(value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	if err := os.MkdirAll(d.mapsDir(), 0o700); err != nil {
		return fmt.Errorf("make pin directory: %w", err)
	}
	conns := spec.Maps[bpf.L4MapConns]
	if d.o.Connections > 0 {
		conns.MaxEntries = d.o.Connections
	}
	if old, err := ebpf.LoadPinnedMap(filepath.Join(d.mapsDir(), bpf.L4MapConns), nil); err == nil {
		conns.MaxEntries = old.MaxEntries()
		if err := old.Close(); err != nil {
			return fmt.Errorf("look at pinned %s: %w", bpf.L4MapConns, err)
		}
	}
	err = spec.LoadAndAssign(&d.objs, &ebpf.CollectionOptions{Maps: ebpf.MapOptions{PinPath: d.mapsDir()}})
	if errors.Is(err, ebpf.ErrMapIncompatible) {
		return fmt.Errorf("adopt maps of %s (drain the node and remove the directory): %w", d.mapsDir(), err)
	}
	if err != nil {
		return fmt.Errorf("load eBPF programs: %w", err)
	}
	return nil
}

// removeOldLayouts forgets maps that only the program which was just replaced
// has used.
func (d *Datapath) removeOldLayouts() error {
	old, err := filepath.Glob(filepath.Join(d.o.PinDir, "maps-*"))
	if err != nil {
		return err
	}
	for _, dir := range slices.DeleteFunc(old, func(dir string) bool { return dir == d.mapsDir() }) {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove maps of an older layout: %w", err)
		}
	}
	return nil
}
