package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/bpf"
	"github.com/unilb/unilb/sim/sandbox"
)

// look describes all of it, a line a thing, so that two looks can be compared.
func (f *foreign) look() ([]string, error) {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, path := range append([]string{foreignNS}, f.files...) {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			say("%s: %v", path, err)
			continue
		}
		say("%s: device %d inode %d size %d changed %d", path, st.Dev, st.Ino, st.Size, st.Ctim.Nano())
	}
	for _, cmd := range f.idle {
		say("%s: %s", strings.Join(cmd.Args, " "), identity(cmd.Process.Pid))
	}
	links, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("look at links: %w", err)
	}
	for _, l := range links {
		a := l.Attrs()
		say("link %d %s: %s %s master %d flags %s names %v alias %q", a.Index, a.Name, l.Type(), a.HardwareAddr, a.MasterIndex, a.Flags&^net.FlagRunning, a.AltNames, a.Alias)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mounts)) {
		say("mount %s", strings.TrimSpace(line))
	}
	if f.pinned {
		pins, err := bpf.List(sandbox.BPF)
		say("pins: %v %v", pins, err)
	}
	say("socket %s says %q", foreignSocket, ask())
	return out, nil
}

// identity is what makes a process this one: its id and start, that it runs, and
// where.
func identity(pid int) string {
	p, err := processOf(pid)
	if err != nil {
		return err.Error()
	}
	ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("pid %d started %d %s, stopped %t", pid, p.started, ns, p.state == "T")
}

func ask() string {
	c, err := net.Dial("unix", foreignSocket)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = c.Close() }()
	b, err := io.ReadAll(c)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
