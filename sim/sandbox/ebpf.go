package sandbox

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// probeEBPF loads the smallest traffic program and attaches it with a TCX link to
// the loopback device of a network namespace of its own. It speaks bpf(2) itself:
// two calls do not justify a dependency in the package everything else needs.
func probeEBPF() error {
	errs := make(chan error)
	go func() {
		// The thread is thrown away with its namespace: it is never unlocked.
		runtime.LockOSThread()
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			errs <- fmt.Errorf("make network namespace: %w", err)
			return
		}
		errs <- tryTCX()
	}()
	return <-errs
}

func tryTCX() error {
	const loopback = 1 // index of lo in every namespace
	prog, err := loadNop()
	if err != nil {
		return fmt.Errorf("load eBPF program: %w", err)
	}
	defer func() { _ = unix.Close(prog) }()
	attr := struct{ prog, ifindex, attach, flags, _, _, _, _ uint32 }{
		prog: uint32(prog), ifindex: loopback, attach: unix.BPF_TCX_INGRESS,
	}
	link, err := bpf(unix.BPF_LINK_CREATE, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	if err != nil {
		return fmt.Errorf("attach by TCX: %w", err)
	}
	return unix.Close(link)
}

// The program "return -1" (TCX_NEXT) and its licence. They are not on a stack,
// which could move while the kernel is being told where they are.
var (
	nop     = [2]uint64{0xffffffff_0000_00_b7, 0x95} // r0 = -1; exit
	license = [4]byte{'G', 'P', 'L', 0}
)

func loadNop() (int, error) {
	attr := struct {
		progType, insnCount uint32
		insns, license      uint64
		_                   [4]uint64
		_                   [8]uint64
	}{
		progType: unix.BPF_PROG_TYPE_SCHED_CLS, insnCount: uint32(len(nop)),
		insns: uint64(uintptr(unsafe.Pointer(&nop))), license: uint64(uintptr(unsafe.Pointer(&license))),
	}
	return bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
}

// interruptions is how often a call may be interrupted. The verifier gives up with
// EAGAIN when a signal is pending, and the Go runtime sends itself many.
const interruptions = 100

func bpf(cmd int, attr unsafe.Pointer, size uintptr) (int, error) {
	var errno unix.Errno
	for range interruptions {
		var fd uintptr
		fd, _, errno = unix.Syscall(unix.SYS_BPF, uintptr(cmd), uintptr(attr), size)
		if errno == 0 {
			return int(fd), nil
		}
		if errno != unix.EAGAIN && errno != unix.EINTR {
			break
		}
	}
	return -1, errno
}
