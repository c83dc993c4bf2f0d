package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/disk"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/topology"
)

// makeDirs mounts the node's disk, with what the process needs to find there, and makes
// the directory for its eBPF pins.
func (n *Node) makeDirs(p topology.Process) error {
	if pins := pinDir(p); pins != "" {
		if err := os.MkdirAll(pins, 0o700); err != nil {
			return fmt.Errorf("make directory: %w", err)
		}
	}
	if err := n.disk.mount(); err != nil || p.Name != topology.ProcAdmin {
		return err
	}
	return n.lab.keys.write(n)
}

// diskSize is how much fits on a node's disk, in bytes. It is memory, used as it is
// written to.
const diskSize = 2 << 30

// A nodeDisk is what a node's processes keep their files on: a tmpfs of its own,
// so that it can be full, and before it, if the plan says so, a file system that
// can be slow. It outlives a loss of power, but not the lab: another lab of the
// same sandbox would begin with the etcd of this one.
type nodeDisk struct {
	dir  string // where the processes have their files
	room string // where the tmpfs is mounted: dir, or behind the FUSE
	slow bool   // the plan wants the FUSE

	mu      sync.Mutex
	mounted bool
	fuse    *disk.Disk // nil without one
	why     error      // why there is none although the plan wants it
}

// newDisk is the disk of a node of the lab with that name.
func newDisk(lab string, n *topology.Node) *nodeDisk {
	d := &nodeDisk{dir: filepath.Join(diskDir, lab, string(n.Ref)), slow: n.Disk == topology.DiskFUSE}
	d.room = d.dir
	if d.slow {
		d.room = filepath.Join(sandbox.Dir, "disk", lab, string(n.Ref))
	}
	return d
}

// mount makes the disk. It does nothing when it is there. A machine without FUSE
// gets a disk that cannot be slow: the fault that needs it says so.
func (d *nodeDisk) mount() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mounted {
		return nil
	}
	if err := sandbox.Probe(sandbox.CapFUSE); d.slow && err != nil {
		d.room, d.why = d.dir, err
	}
	for _, dir := range []string{d.dir, d.room} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make directory of disk: %w", err)
		}
	}
	if err := unix.Mount("disk", d.room, "tmpfs", roomFlags, roomOptions(diskSize)); err != nil {
		return fmt.Errorf("mount disk on %s: %w", d.room, err)
	}
	d.mounted = true
	if d.room == d.dir {
		return nil
	}
	var err error
	d.fuse, err = disk.Mount(d.dir, d.room)
	return err
}

// served is the FUSE of the disk; nil without one.
func (d *nodeDisk) served() *disk.Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fuse
}

const roomFlags = unix.MS_NOSUID | unix.MS_NODEV

func roomOptions(size int64) string { return fmt.Sprintf("mode=0700,size=%d", size) }

// hurry lets whoever waits for the disk go on: a process that waits cannot end.
func (d *nodeDisk) hurry() {
	if f := d.served(); f != nil {
		_ = f.Slow(disk.Slowness{}) // it is closed next
	}
}

// remove unmounts the disk and forgets what is on it. Nobody uses it any more.
func (d *nodeDisk) remove() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	if d.fuse != nil {
		errs = append(errs, d.fuse.Close())
	}
	if d.mounted {
		errs = append(errs, unix.Unmount(d.room, unix.MNT_DETACH))
	}
	d.mounted, d.fuse = false, nil
	errs = append(errs, os.RemoveAll(d.dir), os.RemoveAll(d.room), os.RemoveAll(d.copyDir()))
	return errors.Join(errs...)
}

func removeDisks(nodes []*Node) error {
	var errs []error
	for _, n := range nodes {
		errs = append(errs, n.disk.remove())
	}
	return errors.Join(errs...)
}
