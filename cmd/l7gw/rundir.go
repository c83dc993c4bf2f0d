package main

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/obs"
)

// A run directory holds sockets and, unless told otherwise, etcd's data. It
// belongs to the process that holds the lock of its file runLock, and to nobody
// once that process is gone, however it went.
const (
	runPrefix = "l7gw-"
	runLock   = "lock"
	// runMark is what the file says once it is locked. A file that is still
	// empty may be of a process that is about to lock it.
	runMark = "l7gw standalone\n"
)

// makeRunDir makes a run directory under tmp. release removes it.
func makeRunDir(tmp string) (dir string, release func() error, err error) {
	if dir, err = os.MkdirTemp(tmp, runPrefix); err != nil {
		return "", nil, err
	}
	lock, err := lockRunDir(dir)
	if err != nil {
		_ = os.RemoveAll(dir) // the error that matters is the lock's
		return "", nil, err
	}
	return dir, func() error {
		defer func() { _ = lock.Close() }()
		return os.RemoveAll(dir)
	}, nil
}

func lockRunDir(dir string) (*os.File, error) {
	const mode = 0o600
	f, err := os.OpenFile(filepath.Join(dir, runLock), os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return nil, fmt.Errorf("lock run directory: %w", err)
	}
	if err = unix.Flock(int(f.Fd()), unix.LOCK_EX); err == nil { // a sweep holds it for a moment at most
		_, err = f.WriteString(runMark)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock run directory: %w", err)
	}
	return f, nil
}

// sweepRunDirs removes the run directories under tmp whose process is gone
// without having removed them. It leaves alone what it cannot prove to be such,
// what belongs to another user, and where keep lies.
func sweepRunDirs(tmp, keep string, log *slog.Logger) {
	dirs, err := filepath.Glob(filepath.Join(tmp, runPrefix+"*"))
	if err != nil {
		return // tmp is no pattern we made; nothing is lost but space
	}
	for _, dir := range dirs {
		if holds(dir, keep) {
			continue
		}
		if lock := ownerless(dir); lock != nil {
			log.Info("removing the directory of a run that was killed", "path", dir)
			if err := os.RemoveAll(dir); err != nil {
				log.Warn("directory not removed", "path", dir, obs.Err, err)
			}
			_ = lock.Close()
		}
	}
}

// holds tells whether path is dir or lies in it. A path that cannot be
// resolved might.
func holds(dir, path string) bool {
	if path == "" {
		return false
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return true
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return abs == dir || strings.HasPrefix(abs, dir+string(filepath.Separator))
}

// ownerless returns the lock of a run directory of ours that has no owner any
// more, now held by us; nil otherwise.
func ownerless(dir string) *os.File {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return nil
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Getuid() {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(dir, runLock), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	mark := make([]byte, len(runMark)+1)
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		if n, _ := f.Read(mark); string(mark[:n]) == runMark {
			return f
		}
	}
	_ = f.Close()
	return nil
}
