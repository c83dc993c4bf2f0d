//go:build netns

package disk

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/sandbox"
)

// roleVar makes the test binary play somebody else.
const roleVar = "DISK_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVar) {
	case "writer":
		os.Exit(beWriter(os.Args[1]))
	case "owner":
		if sandbox.Init() {
			os.Exit(beOwner())
		}
		box, err := sandbox.Start(sandbox.Options{})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		code, _ := box.Wait()
		os.Exit(code)
	}
	sandbox.Main(m)
}

func dirs(mk func(dir, pattern string) (string, error)) (dir, behind string, err error) {
	dir, err = mk("/run", "disk-")
	if err == nil {
		behind, err = mk("/run", "behind-")
	}
	return dir, behind, err
}

func mounted(t *testing.T) *Disk {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapFUSE)
	dir, behind, err := dirs(func(_, _ string) (string, error) { return t.TempDir(), nil })
	if err != nil {
		t.Fatal(err)
	}
	d, err := Mount(dir, behind)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func slow(t *testing.T, d *Disk, s Slowness) {
	t.Helper()
	if err := d.Slow(s); err != nil {
		t.Fatal(err)
	}
}

func stats(t *testing.T, d *Disk) Stats {
	t.Helper()
	s, err := d.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func create(t *testing.T, d *Disk, name string) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(d.Dir(), name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// took measures one call.
func took(f func() error) (time.Duration, error) {
	begin := time.Now()
	err := f()
	return time.Since(begin), err
}

func TestDiskIsSlowWhileItIsToldToBe(t *testing.T) {
	d := mounted(t)
	f := create(t, d, "f")
	write := func() error { _, err := f.Write([]byte("hello")); return err }
	const delay = 300 * time.Millisecond
	for _, c := range []struct {
		name         string
		slow         Slowness
		write, fsync bool // whether it is slow
	}{
		{"before", Slowness{}, false, false},
		{"fsync", Slowness{Fsync: delay}, false, true},
		{"write", Slowness{Write: delay}, true, false},
		{"after", Slowness{}, false, false},
	} {
		slow(t, d, c.slow)
		before := stats(t, d)
		for _, op := range []struct {
			name string
			do   func() error
			slow bool
		}{{"write", write, c.write}, {"fsync", f.Sync, c.fsync}} {
			// A busy machine makes fast calls slow, never slow calls fast: the
			// counter below tells that nobody delayed them.
			if got, err := took(op.do); err != nil || op.slow && got < delay {
				t.Errorf("%s: %s took %v (%v), want at least %v", c.name, op.name, got, err, delay)
			}
		}
		want := before
		want.Writes, want.Fsyncs, want.Bytes = want.Writes+1, want.Fsyncs+1, want.Bytes+5
		for _, slow := range []bool{c.write, c.fsync} {
			if slow {
				want.Delayed++
			}
		}
		if got := stats(t, d); got != want {
			t.Errorf("%s: counted %+v, want %+v", c.name, got, want)
		}
	}
}

func TestDiskFailsWhileItIsToldTo(t *testing.T) {
	d := mounted(t)
	f := create(t, d, "f")
	write := func() error { _, err := f.WriteAt([]byte("hello"), 0); return err }
	fallocate := func() error { return unix.Fallocate(int(f.Fd()), 0, 0, 4096) }
	for _, errno := range []syscall.Errno{0, unix.ENOSPC, unix.EIO, 0} {
		slow(t, d, Slowness{Err: errno})
		for name, do := range map[string]func() error{"write": write, "fsync": f.Sync, "fallocate": fallocate} {
			var got syscall.Errno
			if err := do(); err != nil && !errors.As(err, &got) || got != errno {
				t.Errorf("%s told to fail with %v: got %v", name, errno, err)
			}
		}
	}
}

func TestWaitersGoWhenTheDiskIsMended(t *testing.T) {
	d := mounted(t)
	f := create(t, d, "f")
	slow(t, d, Slowness{Fsync: MaxDelay})
	done := make(chan error, 1)
	begin := time.Now()
	go func() { done <- f.Sync() }()
	for stats(t, d).Delayed == 0 {
		if time.Since(begin) > MaxDelay/2 {
			t.Fatal("the fsync is not delayed")
		}
	}
	slow(t, d, Slowness{})
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := time.Since(begin); got > MaxDelay-time.Second {
		t.Errorf("fsync went after %v, want at once", got)
	}
}

// bbolt reads by a shared mapping what it wrote by pwrite.
func TestMappingSeesWhatIsWritten(t *testing.T) {
	d := mounted(t)
	f := create(t, d, "f")
	page := unix.Getpagesize()
	if err := f.Truncate(int64(4 * page)); err != nil {
		t.Fatal(err)
	}
	view, err := unix.Mmap(int(f.Fd()), 0, 4*page, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(view) }()
	for i := range 200 {
		want := bytes.Repeat([]byte{byte(i)}, page)
		at := i % 4 * page
		if _, err := f.WriteAt(want, int64(at)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(view[at:at+page], want) {
			t.Fatalf("write %d does not show in the mapping", i)
		}
	}
	other, err := os.ReadFile(filepath.Join(d.Dir(), "f"))
	if err != nil || !bytes.Equal(other, view) {
		t.Errorf("another reader sees something else (%v)", err)
	}
}

func TestFilesLieBehindTheDiskAndAreOrdinary(t *testing.T) {
	d := mounted(t)
	do := func(name string, f func() error) {
		t.Helper()
		if err := f(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	in := func(parts ...string) string { return filepath.Join(append([]string{d.Dir()}, parts...)...) }
	do("mkdir", func() error { return os.MkdirAll(in("wal.tmp"), 0o700) })
	do("write", func() error { return os.WriteFile(in("wal.tmp", "0"), []byte("entry"), 0o600) })
	do("rename directory", func() error { return os.Rename(in("wal.tmp"), in("wal")) })
	f, err := os.OpenFile(in("wal", "0"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	do("lock", func() error { return unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock) })
	other, err := os.OpenFile(in("wal", "0"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := unix.FcntlFlock(other.Fd(), unix.F_OFD_SETLK, &lock); err == nil {
		t.Error("a second lock was given")
	}
	do("truncate", func() error { return f.Truncate(3) })
	if b, err := os.ReadFile(in("wal", "0")); err != nil || string(b) != "ent" {
		t.Errorf("read %q (%v), want the first three bytes", b, err)
	}
	do("unlink", func() error { return os.Remove(in("wal", "0")) })
	if left, err := os.ReadDir(in("wal")); err != nil || len(left) != 0 {
		t.Errorf("left: %v (%v)", left, err)
	}
}

func TestCloseDoesNotWaitForUsers(t *testing.T) {
	d := mounted(t)
	f := create(t, d, "f")
	slow(t, d, Slowness{Fsync: MaxDelay})
	done := make(chan error, 1)
	go func() { done <- f.Sync() }()
	begin := time.Now()
	for stats(t, d).Delayed == 0 {
		if time.Since(begin) > MaxDelay/2 {
			t.Fatal("the fsync is not delayed")
		}
	}
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil {
		t.Error("fsync on a closed disk succeeded")
	}
	if got := time.Since(begin); got > MaxDelay-time.Second {
		t.Errorf("closed after %v, want at once", got)
	}
	if err := unix.Unmount(d.Dir(), 0); !errors.Is(err, unix.EINVAL) {
		t.Errorf("something is still mounted: %v", err)
	}
	if err := d.Slow(Slowness{}); err == nil {
		t.Error("a closed disk takes orders")
	}
}

func TestServerThatDiesFailsItsUsersAndClose(t *testing.T) {
	d := mounted(t)
	f := create(t, d, "f")
	if err := d.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-d.ended
	if err := f.Sync(); !errors.Is(err, unix.ENOTCONN) && !errors.Is(err, unix.ECONNABORTED) {
		t.Errorf("fsync without a server: got %v, want that it is gone", err)
	}
	if _, err := d.Stats(); err == nil {
		t.Error("a dead server answers")
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}
