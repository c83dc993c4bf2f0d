//go:build netns

package sandbox

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// roleVar makes the test binary play the outer process of a sandbox, and its
// inner process what the test wants.
const roleVar = "SANDBOX_TEST_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVar)
	switch role {
	case "":
		Main(m)
	case "main":
		Main(lingerer{})
	case "go test":
		beGoTest()
	}
	if Init() {
		os.Exit(playInner(role))
	}
	box, err := Start(Options{Detach: strings.HasPrefix(role, "detached")})
	if err != nil {
		die(err)
	}
	if role == "detached" {
		os.Exit(0)
	}
	code, err := box.Wait()
	if err != nil {
		die(err)
	}
	os.Exit(code)
}

// lingerer is a set of tests that does not end.
type lingerer struct{}

func (lingerer) Run() int { return linger() }

// beGoTest plays the parent of a test binary.
func beGoTest() {
	cmd := outer("main")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	_ = cmd.Run()
	os.Exit(1)
}

func playInner(role string) int {
	switch role {
	case "exit7":
		fmt.Println("out of the box")
		fmt.Fprintln(os.Stderr, "err of the box")
		return 7
	case "killself":
		_ = unix.Kill(os.Getpid(), unix.SIGKILL)
		select {}
	case "linger", "detached":
		return linger()
	}
	return 99
}

// linger leaves as much behind as a program can: a daemon in its own session, a
// mount, a pinned program; then tells the id of that program and waits.
func linger() int {
	daemon := exec.Command("sleep", "1000")
	daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: unix.CLONE_NEWNET}
	if err := daemon.Start(); err != nil {
		die(err)
	}
	if err := unix.Mount("tmpfs", "/mnt", "tmpfs", 0, ""); err != nil {
		die(err)
	}
	id, err := pinNop(BPF + "/left-behind")
	if err != nil {
		die(err)
	}
	fmt.Println("pinned", id)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

func pinNop(path string) (uint32, error) {
	fd, err := loadNop()
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	name := append([]byte(path), 0)
	heap := &name[0]
	pin := struct {
		path  uint64
		fd, _ uint32
		_     [4]uint64
	}{path: uint64(uintptr(unsafe.Pointer(heap))), fd: uint32(fd)}
	if _, err := bpf(unix.BPF_OBJ_PIN, unsafe.Pointer(&pin), unsafe.Sizeof(pin)); err != nil {
		return 0, err
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "prog_id:"); ok {
			id, err := strconv.Atoi(strings.TrimSpace(v))
			return uint32(id), err
		}
	}
	return 0, fmt.Errorf("kernel tells no prog_id")
}

// programExists asks the kernel for the eBPF program with this id.
func programExists(id uint32) bool {
	attr := struct {
		id uint32
		_  [7]uint32
	}{id: id}
	fd, err := bpf(unix.BPF_PROG_GET_FD_BY_ID, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}

func outer(role string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVar+"="+role)
	return cmd
}

func TestExitCodeAndOutputComeOut(t *testing.T) {
	Require(t, CapNetNS)
	var stdout, stderr strings.Builder
	cmd := outer("exit7")
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != 7 {
		t.Errorf("exit code: got %d, want 7", got)
	}
	if stdout.String() != "out of the box\n" || stderr.String() != "err of the box\n" {
		t.Errorf("output: got %q and %q", stdout.String(), stderr.String())
	}
}

func TestDeathBySignalShowsInExitCode(t *testing.T) {
	Require(t, CapNetNS)
	cmd := outer("killself")
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != 137 {
		t.Errorf("exit code: got %d, want 137", got)
	}
}

func TestInsideIsFresh(t *testing.T) {
	Require(t, CapNetNS)
	devices, err := os.ReadDir("/sys/class/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		if d.Name() == "eth0" {
			t.Errorf("/sys shows a device of the host: %s", d.Name())
		}
	}
	if got := os.Getppid(); got != 1 {
		t.Errorf("parent of the inner process: got %d, want 1", got)
	}
	if flags, err := os.ReadFile("/sys/class/net/lo/flags"); err != nil || strings.TrimSpace(string(flags)) != "0x9" {
		t.Errorf("loopback flags: got %q (%v), want 0x9 (up)", flags, err)
	}
	if entries, err := os.ReadDir("/run"); err != nil || len(entries) != 2 {
		t.Errorf("/run: got %v (%v), want the work directory and the marker", entries, err)
	}
}

func TestOrphansAreReaped(t *testing.T) {
	Require(t, CapNetNS)
	// The shell leaves a child behind that ends by itself: pid 1 is its parent then.
	out, err := exec.Command("sh", "-c", "sleep 0.05 & echo $!").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := "/proc/" + strings.TrimSpace(string(out))
	eventually(t, "orphan reaped", func() bool { _, err := os.Stat(path); return os.IsNotExist(err) })
}

func TestSignalsArePassedOn(t *testing.T) {
	Require(t, CapNetNS, CapRoot, CapEBPF)
	cmd, _, _ := startLingering(t, "linger")
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	// The outer process has no handler for SIGTERM in this role and dies by it.
	if st := cmd.ProcessState.Sys().(syscall.WaitStatus); !st.Signaled() || st.Signal() != unix.SIGTERM {
		t.Errorf("outer process ended by %v", st)
	}
}

func TestKilledOuterProcessLeavesNothing(t *testing.T) {
	Require(t, CapNetNS, CapRoot, CapEBPF)
	mountsBefore := mounts(t)
	cmd, prog, inside := startLingering(t, "linger")
	if len(inside) < 3 {
		t.Fatalf("processes inside: got %v, want pid 1, the inner process and its daemon", inside)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	wantNothing(t, inside, prog)
	if got := mounts(t); got != mountsBefore {
		t.Errorf("mounts differ:\n%s\nbefore:\n%s", got, mountsBefore)
	}
}

// SIGKILL of `go test` leaves the test binary alone.
func TestTestsEndWithTheirParent(t *testing.T) {
	Require(t, CapNetNS, CapRoot, CapEBPF)
	cmd, prog, inside := startLingering(t, "go test")
	if len(inside) < 4 {
		t.Fatalf("processes: got %v, want the test binary, pid 1, the inner process and its daemon", inside)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	wantNothing(t, inside, prog)
}

func TestDetachedSandboxLivesUntilPid1IsKilled(t *testing.T) {
	Require(t, CapNetNS, CapRoot, CapEBPF)
	cmd, prog, inside := startLingering(t, "detached")
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := living(inside); len(got) != len(inside) {
		t.Fatalf("after the outer process ended: %v of %v live", got, inside)
	}
	if err := unix.Kill(inside[0], unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	wantNothing(t, inside, prog)
}

func wantNothing(t *testing.T, inside []int, prog uint32) {
	t.Helper()
	start := time.Now()
	eventually(t, "every process inside is gone", func() bool { return len(living(inside)) == 0 })
	eventually(t, "the pinned program is gone", func() bool { return !programExists(prog) })
	t.Logf("gone after %v", time.Since(start))
}

// startLingering starts an outer process in the role and returns the id of the
// program it pinned and the processes inside, pid 1 first.
func startLingering(t *testing.T, role string) (*exec.Cmd, uint32, []int) {
	t.Helper()
	before := processes(t)
	cmd := outer(role)
	stdin, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { feed.Close(); r.Close() })
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, w, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stdin.Close()
	w.Close()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var id uint32
	if _, err := fmt.Sscanf(line, "pinned %d", &id); err != nil {
		t.Fatal(err)
	}
	if !programExists(id) {
		t.Fatalf("program %d does not exist while it is pinned", id)
	}
	var inside []int
	for _, pid := range processes(t) {
		if !contains(before, pid) && pid != cmd.Process.Pid {
			inside = append(inside, pid)
		}
	}
	return cmd, id, inside
}

func processes(t *testing.T) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// living returns the processes that exist and are no zombies.
func living(pids []int) []int {
	var out []int
	for _, pid := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		if _, rest, ok := strings.Cut(string(b), ") "); ok && rest[0] != 'Z' {
			out = append(out, pid)
		}
	}
	return out
}

func mounts(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func contains(pids []int, pid int) bool {
	for _, p := range pids {
		if p == pid {
			return true
		}
	}
	return false
}

// eventually polls a condition that no event announces.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(5 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 5s: %s", what)
		}
	}
}
