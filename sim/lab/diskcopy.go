package lab

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// copyDir is where the copy of a disk is kept: beside it, so that it goes with it.
func (d *nodeDisk) copyDir() string { return d.dir + ".copy" }

// SaveDisk implements fault.Disk.
func (m machine) SaveDisk() error {
	d := m.n.disk
	if err := os.RemoveAll(d.copyDir()); err != nil {
		return fmt.Errorf("copy disk of %s: %w", m.Ref(), err)
	}
	if err := copyTree(d.copyDir(), d.dir); err != nil {
		return fmt.Errorf("copy disk of %s: %w", m.Ref(), err)
	}
	return nil
}

// DiskSaved implements fault.Disk.
func (m machine) DiskSaved() bool {
	_, err := os.Stat(m.n.disk.copyDir())
	return err == nil
}

// RestoreDisk implements fault.Disk.
func (m machine) RestoreDisk() error {
	if err := m.EmptyDisk(); err != nil {
		return err
	}
	if err := copyTree(m.n.disk.dir, m.n.disk.copyDir()); err != nil {
		return fmt.Errorf("restore disk of %s: %w", m.Ref(), err)
	}
	return nil
}

// EmptyDisk implements fault.Disk. The disk itself stays mounted.
func (m machine) EmptyDisk() error {
	entries, err := os.ReadDir(m.n.disk.dir)
	if err != nil {
		return fmt.Errorf("empty disk of %s: %w", m.Ref(), err)
	}
	var errs []error
	for _, e := range entries {
		errs = append(errs, os.RemoveAll(filepath.Join(m.n.disk.dir, e.Name())))
	}
	return errors.Join(errs...)
}

// copyTree copies directories and plain files; nodes keep nothing else on disk.
func copyTree(to, from string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		return copyFile(filepath.Join(to, rel), path)
	})
}

// copyBlock is the size of the holes that copyFile leaves, in bytes. etcd reserves
// 64 MiB for each segment of its log: copied as they are, they would be as much
// memory again.
const copyBlock = 64 << 10

// copyFile copies a file and leaves holes where it is empty.
func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	block, empty, size := make([]byte, copyBlock), make([]byte, copyBlock), int64(0)
	for {
		n, err := io.ReadFull(in, block)
		if n > 0 && !bytes.Equal(block[:n], empty[:n]) {
			if _, err := out.WriteAt(block[:n], size); err != nil {
				return err
			}
		}
		size += int64(n)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.Join(out.Truncate(size), out.Close())
		}
		if err != nil {
			return err
		}
	}
}
