//go:build netns

package disk

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/sandbox"
)

// beWriter writes and syncs a file as fast as it can, and says so the first time.
func beWriter(path string) int {
	f, err := os.Create(path)
	for err == nil {
		if _, err = f.Write([]byte("x")); err == nil {
			err = f.Sync()
		}
		fmt.Println("synced")
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// beOwner is a lab process: it has a slow disk on which a child writes. It says
// which FUSE connection that is, and waits.
func beOwner() int {
	dir, behind, err := dirs(os.MkdirTemp)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	d, err := Mount(dir, behind)
	if err == nil {
		err = d.Slow(Slowness{Fsync: MaxDelay})
	}
	var st unix.Stat_t
	if err == nil {
		err = unix.Stat(dir, &st)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	cmd := exec.Command("/proc/self/exe", filepath.Join(dir, "f"))
	cmd.Env = append(os.Environ(), roleVar+"=writer")
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		return 1
	}
	for begin := time.Now(); time.Since(begin) < MaxDelay/2; {
		if s, err := d.Stats(); err != nil || s.Delayed > 0 {
			fmt.Println("connection", unix.Minor(st.Dev))
			_, _ = io.Copy(io.Discard, os.Stdin)
			return 0
		}
	}
	fmt.Println("the writer does not wait for the disk")
	return 1
}

// A lab process that is killed takes its disks along, even while somebody waits
// for them.
func TestKilledOwnerLeavesNoMount(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapRoot, sandbox.CapFUSE)
	control := t.TempDir()
	if err := unix.Mount("none", control, "fusectl", 0, ""); err != nil {
		t.Fatalf("the kernel has FUSE and does not list its connections: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(control, 0) })
	before := processes(t)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVar+"=owner")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	var id int
	if _, serr := fmt.Sscanf(line, "connection %d", &id); serr != nil {
		t.Fatalf("the owner said %q (%v)", line, err)
	}
	connection := filepath.Join(control, fmt.Sprint(id))
	if _, err := os.Stat(connection); err != nil {
		t.Fatalf("its connection is not listed: %v", err)
	}
	var inside []int
	for _, pid := range processes(t) {
		if !slices.Contains(before, pid) && pid != cmd.Process.Pid {
			inside = append(inside, pid)
		}
	}
	if len(inside) < 4 {
		t.Fatalf("processes inside: %v, want pid 1, the owner, its disk and the writer", inside)
	}
	owner := inside[1] // only pid 1 of the sandbox is older
	if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", owner)); err == nil && strings.Contains(string(b), part) {
		t.Fatalf("process %d is the disk", owner)
	}
	begin := time.Now()
	if err := unix.Kill(owner, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(MaxDelay / 2) // the writer waits longer for its disk
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		left := 0
		for _, pid := range processes(t) {
			if slices.Contains(inside, pid) {
				left++
			}
		}
		_, err := os.Stat(connection)
		if left == 0 && errors.Is(err, os.ErrNotExist) {
			break
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d processes are left; connection: %v", left, err)
		}
	}
	t.Logf("gone after %v", time.Since(begin))
	_ = cmd.Wait()
}

func processes(t *testing.T) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, e := range entries {
		var pid int
		if _, err := fmt.Sscanf(e.Name(), "%d", &pid); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}
