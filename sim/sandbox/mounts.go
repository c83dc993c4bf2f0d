package sandbox

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// marker exists inside a sandbox only: /run is a tmpfs of its own there.
const marker = "/run/.lbsim-sandbox"

// Dir is a directory inside the sandbox for sockets and state of the lab. It is
// in memory and vanishes with the sandbox.
const Dir = "/run/lbsim"

// BPF is where the sandbox's own bpffs is mounted.
const BPF = "/sys/fs/bpf"

// Inside reports whether this process runs in a sandbox.
func Inside() bool {
	_, err := os.Stat(marker)
	return err == nil
}

type mount struct {
	source, target, fstype string
	flags                  uintptr
	data                   string
	optional               bool
}

// build makes the inside of the sandbox. It runs in pid 1, alone.
func build() error {
	const quiet = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	mounts := []mount{
		// Without this a mount made here could show on the host.
		{target: "/", flags: unix.MS_REC | unix.MS_PRIVATE},
		{source: "proc", target: "/proc", fstype: "proc", flags: quiet},
		// A sysfs shows the devices of the namespace it was mounted in: without a
		// fresh one /sys would show the host's.
		{source: "sysfs", target: "/sys", fstype: "sysfs", flags: quiet},
		{source: "bpf", target: BPF, fstype: "bpf", flags: quiet, data: "mode=0700", optional: true},
		{source: "tmpfs", target: "/run", fstype: "tmpfs", flags: unix.MS_NOSUID | unix.MS_NODEV, data: "mode=0755"},
	}
	for _, m := range mounts {
		err := unix.Mount(m.source, m.target, m.fstype, m.flags, m.data)
		if err != nil && !m.optional {
			return fmt.Errorf("mount %s on %s: %w", m.fstype, m.target, err)
		}
	}
	if err := os.Mkdir(Dir, 0o755); err != nil {
		return fmt.Errorf("make work directory: %w", err)
	}
	if err := os.WriteFile(marker, nil, 0o444); err != nil {
		return fmt.Errorf("mark sandbox: %w", err)
	}
	return loopbackUp()
}

// loopbackUp sets lo up in the calling thread's network namespace.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open control socket: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("name loopback: %w", err)
	}
	req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req); err != nil {
		return fmt.Errorf("set loopback up: %w", err)
	}
	return nil
}
