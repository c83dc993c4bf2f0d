package fnat

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// layoutVersion is part of the name of every directory of maps. It is raised
// when a key or value changes, so that programs never meet maps of another
// layout: the new maps start empty and are filled before programs change over.
const layoutVersion = 1

// An Interface names a device beyond doubt: a device that was deleted and made
// again has the same name and another index.
type Interface struct {
	Name  string
	Index int
}

func (i Interface) String() string { return i.Name + "-" + strconv.Itoa(i.Index) }

// pinName is the interface as a file name. bpffs refuses dots.
func (i Interface) pinName() string {
	return strings.NewReplacer("%", "%25", ".", "%2e").Replace(i.Name) + "-" + strconv.Itoa(i.Index)
}

// parsePinName is the inverse of pinName.
func parsePinName(s string) (Interface, bool) {
	at := strings.LastIndexByte(s, '-')
	if at < 1 {
		return Interface{}, false
	}
	index, err := strconv.Atoi(s[at+1:])
	if err != nil || index <= 0 {
		return Interface{}, false
	}
	name := strings.NewReplacer("%2e", ".", "%25", "%").Replace(s[:at])
	return Interface{Name: name, Index: index}, true
}

// mapDir is the directory of the maps of one device.
func mapDir(pinDir string, i Interface) string {
	return filepath.Join(pinDir, i.pinName(), "maps-v"+strconv.Itoa(layoutVersion))
}

// makePinDir creates dir, which must be inside a bpffs.
func makePinDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make pin directory: %w", err)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return fmt.Errorf("stat pin directory %s: %w", dir, err)
	}
	if st.Type != unix.BPF_FS_MAGIC {
		return fmt.Errorf("pin directory %s is not in a bpffs: mount one, for example on /sys/fs/bpf", dir)
	}
	return nil
}

// removePins removes a directory of pins with everything in it. Links that
// nobody else holds are detached by that.
func removePins(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove pins: %w", err)
	}
	return nil
}

// pinnedInterfaces lists the interfaces that have pins in dir.
func pinnedInterfaces(dir string) ([]Interface, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list pins: %w", err)
	}
	var all []Interface
	for _, e := range entries {
		if i, ok := parsePinName(e.Name()); ok {
			all = append(all, i)
		}
	}
	return all, nil
}

// removeStale removes the pins of earlier devices of the same name, and maps
// of other layouts.
func removeStale(pinDir string, current Interface) error {
	all, err := pinnedInterfaces(pinDir)
	if err != nil {
		return err
	}
	for _, i := range all {
		if i.Name != current.Name || i.Index == current.Index {
			continue
		}
		if err := removePins(filepath.Join(pinDir, i.pinName())); err != nil {
			return err
		}
	}
	own := filepath.Join(pinDir, current.pinName())
	entries, err := os.ReadDir(own)
	if err != nil {
		return fmt.Errorf("list pins: %w", err)
	}
	for _, e := range entries {
		keep := filepath.Base(mapDir(pinDir, current))
		if strings.HasPrefix(e.Name(), "maps-v") && e.Name() != keep {
			if err := removePins(filepath.Join(own, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// RemovePins removes the pins of all devices that have or had a name: entries,
// and programs where the device still exists. It is for a node that gives the
// device up.
func RemovePins(pinDir, device string) error {
	all, err := pinnedInterfaces(pinDir)
	if err != nil {
		return err
	}
	for _, i := range all {
		if i.Name != device {
			continue
		}
		if err := removePins(filepath.Join(pinDir, i.pinName())); err != nil {
			return err
		}
	}
	return nil
}

// RemoveGuestPins takes the programs off all guests' interfaces.
func RemoveGuestPins(pinDir string) error { return removePins(filepath.Join(pinDir, guestDir)) }
