package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/disk"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/topology"
)

// Files of ours on the disks of nodes.
const (
	ballastFile = ".lbsim-ballast" // what takes the room that is left
	trialFile   = ".lbsim-trial"
)

// HasDisk implements fault.Disk.
func (m machine) HasDisk() bool { return len(m.n.plan.Processes) > 0 }

// Slowable implements fault.Disk.
func (m machine) Slowable() error {
	d := m.n.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.fuse != nil:
		return nil
	case d.why != nil:
		return fmt.Errorf("this machine has no FUSE for the disk of %s: %w", m.Ref(), d.why)
	case m.n.plan.Kind != topology.KindEtcd:
		return fmt.Errorf("%s is no etcd member: only their disks can be slow", m.Ref())
	default:
		return fmt.Errorf("the disk of %s is an ordinary one; say regions.%s.etcd.disk: {impairable: true} in the topology file", m.Ref(), m.n.plan.Region)
	}
}

// diskErrno are the errors with which a disk can be told to fail.
var diskErrno = map[string]unix.Errno{"": 0, "EIO": unix.EIO, "ENOSPC": unix.ENOSPC}

// SlowDisk implements fault.Disk.
func (m machine) SlowDisk(s fault.Slowness) error {
	errno, known := diskErrno[s.Fails]
	if !known {
		return fmt.Errorf("slow disk of %s: no error %q", m.Ref(), s.Fails)
	}
	d := m.n.disk.served()
	if d == nil {
		return m.Slowable() // it says why
	}
	return d.Slow(disk.Slowness{Fsync: s.Fsync, Write: s.Write, Err: errno})
}

// DiskSize implements fault.Disk.
func (m machine) DiskSize() (int64, error) {
	size, _, err := m.n.disk.usage()
	return size, err
}

// usage is what fits on the disk and what is on it, in bytes.
func (d *nodeDisk) usage() (size, used int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(d.room, &st); err != nil {
		return 0, 0, fmt.Errorf("ask for room on %s: %w", d.room, err)
	}
	return int64(st.Blocks) * st.Bsize, int64(st.Blocks-st.Bfree) * st.Bsize, nil
}

// resize changes what fits on the disk. The kernel refuses less than is in use.
func (d *nodeDisk) resize(bytes int64) error {
	if err := unix.Mount("disk", d.room, "tmpfs", unix.MS_REMOUNT|roomFlags, roomOptions(bytes)); err != nil {
		return fmt.Errorf("give disk %s a size of %d bytes: %w", d.room, bytes, err)
	}
	return nil
}

// fillTries is how often the room is taken away: somebody may write at the same
// moment.
const fillTries = 100

// FillDisk implements fault.Disk.
func (m machine) FillDisk() error {
	d := m.n.disk
	for range fillTries {
		_, used, err := d.usage()
		if err != nil {
			return err
		}
		// A size of 0 would mean no limit at all.
		err = d.resize(max(used, int64(os.Getpagesize())))
		if errors.Is(err, unix.EINVAL) {
			continue // more is in use by now
		}
		if err != nil {
			return err
		}
		return d.ballast()
	}
	return fmt.Errorf("fill disk of %s: somebody writes faster than we can look", m.Ref())
}

// ballast writes until nothing fits any more: somebody may have removed something
// at the same moment, and an empty disk has one page.
func (d *nodeDisk) ballast() error {
	f, err := os.OpenFile(filepath.Join(d.room, ballastFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("fill disk: %w", err)
	}
	defer f.Close()
	page := make([]byte, os.Getpagesize())
	for {
		if _, err := f.Write(page); errors.Is(err, unix.ENOSPC) {
			return nil
		} else if err != nil {
			return fmt.Errorf("fill disk: %w", err)
		}
	}
}

// ResizeDisk implements fault.Disk.
func (m machine) ResizeDisk(bytes int64) error {
	d := m.n.disk
	if err := os.Remove(filepath.Join(d.room, ballastFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("give back room: %w", err)
	}
	return d.resize(bytes)
}

// TryDisk implements fault.Disk. This process may use the disk like any other: it
// is not the one that serves it. A disk that hangs is left alone when ctx is done.
func (m machine) TryDisk(ctx context.Context) (fault.DiskTrial, error) {
	trial := make(chan fault.DiskTrial, 1)
	go func() { trial <- m.n.disk.try() }()
	select {
	case t := <-trial:
		if d := m.n.disk.served(); d != nil {
			s, err := d.Stats()
			if err != nil {
				return t, err
			}
			t.Delayed = s.Delayed
		}
		return t, nil
	case <-ctx.Done():
		return fault.DiskTrial{}, fmt.Errorf("try disk of %s: %w", m.Ref(), context.Cause(ctx))
	}
}

// try writes a page to a new file and syncs it.
func (d *nodeDisk) try() (t fault.DiskTrial) {
	path := filepath.Join(d.dir, trialFile)
	f, err := os.Create(path)
	if err != nil {
		t.Err = err
		return t
	}
	defer func() { _ = os.Remove(path) }()
	defer f.Close()
	begin := time.Now()
	_, err = f.Write(make([]byte, os.Getpagesize()))
	t.Write = time.Since(begin)
	if err == nil {
		begin = time.Now()
		err = f.Sync()
		t.Fsync = time.Since(begin)
	}
	t.Err, t.Full = err, errors.Is(err, unix.ENOSPC)
	return t
}
