package wire

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/link"
)

// maxFrame is the longest frame in bytes: the offload header, an Ethernet header
// with two VLAN tags and the longest segment a kernel hands over in one piece.
const maxFrame = 10 + 22 + 65536

// tapQueue is how many frames an end holds for this process to read. The kernel's
// 500 overflow when a node sends a burst while this process waits for a CPU.
const tapQueue = 4096

// openTap makes a TAP interface in the end's namespace and raises it. It lives as
// long as the file.
func openTap(e link.End) (*os.File, error) {
	var f *os.File
	err := e.Stack.NS().Do(func() error {
		// The device is born in the namespace of the thread that opens this file.
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open /dev/net/tun: %w", err)
		}
		if err := setUpTap(fd, e.Name); err != nil {
			_ = unix.Close(fd)
			return err
		}
		// Only now: the poller refuses a descriptor that is no device yet.
		f = os.NewFile(uintptr(fd), "tap "+e.Name)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("make wire end %s (%s): %w", e.Name, e.Alias, err)
	}
	if err := e.Raise(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func setUpTap(fd int, name string) error {
	req, err := unix.NewIfreq(name)
	if err != nil {
		return fmt.Errorf("name %q: %w", name, err)
	}
	req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, req); err != nil {
		return fmt.Errorf("make interface: %w", err)
	}
	const offload = unix.TUN_F_CSUM | unix.TUN_F_TSO4 | unix.TUN_F_TSO6 | unix.TUN_F_TSO_ECN
	if err := ioctl(fd, unix.TUNSETOFFLOAD, offload); err != nil {
		return fmt.Errorf("switch offload on: %w", err)
	}
	return setQueueLength(name, tapQueue)
}

// setQueueLength is for an interface of the namespace of the thread.
func setQueueLength(name string, frames uint32) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open socket: %w", err)
	}
	defer func() { _ = unix.Close(s) }()
	req, err := unix.NewIfreq(name)
	if err != nil {
		return fmt.Errorf("name %q: %w", name, err)
	}
	req.SetUint32(frames)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFTXQLEN, req); err != nil {
		return fmt.Errorf("set queue of %d frames: %w", frames, err)
	}
	return nil
}

// ioctl passes a plain number.
func ioctl(fd int, req uint, value uintptr) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(req), value)
	if errno != 0 {
		return errno
	}
	return nil
}
