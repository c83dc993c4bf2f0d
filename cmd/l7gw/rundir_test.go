package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
)

// killed makes what a run leaves behind that was killed: the kernel has given
// back its lock.
func killed(t *testing.T, tmp string) string {
	dir, err := os.MkdirTemp(tmp, runPrefix)
	if err != nil {
		t.Fatal(err)
	}
	lock, err := lockRunDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	lock.Close()
	if err := os.MkdirAll(filepath.Join(dir, "etcd", "member"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOnlyDirectoriesOfDeadRunsAreSwept(t *testing.T) {
	tmp := t.TempDir()
	dead, kept := killed(t, tmp), killed(t, tmp)
	alive, release, err := makeRunDir(tmp)
	if err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(tmp, runPrefix+"foreign") // no lock
	starting := filepath.Join(tmp, runPrefix+"starting")
	for _, dir := range []string{foreign, starting} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(starting, runLock), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	outside := killed(t, other)
	link := filepath.Join(tmp, runPrefix+"link")
	if err := os.Symlink(outside, link); err != nil {
		t.Fatal(err)
	}
	sweepRunDirs(tmp, filepath.Join(kept, "etcd"), slog.New(slog.DiscardHandler))
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("directory of a dead run: %v, want it gone", err)
	}
	for name, dir := range map[string]string{"of a run under way": alive, "with the data directory": kept,
		"without a lock": foreign, "of a run that begins": starting, "behind a link": outside, "that is a link": link} {
		if _, err := os.Lstat(dir); err != nil {
			t.Errorf("directory %s: %v", name, err)
		}
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(alive); !os.IsNotExist(err) {
		t.Errorf("released directory: %v, want it gone", err)
	}
}
