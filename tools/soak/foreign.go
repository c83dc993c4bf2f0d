package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/sandbox"
)

// What belongs to others. Some names are those that labs use: whoever ends or
// removes things by name meets them.
const (
	foreignNS     = "/run/netns/l7-1"
	foreignMount  = "/mnt"
	foreignPin    = sandbox.BPF + "/l4lb/flows"
	foreignSocket = "@lbsim/0/foreign"
	partIdle      = "idle"
)

func init() {
	sandbox.RegisterPart(partIdle, func() int {
		_, _ = io.Copy(io.Discard, os.Stdin) // until whoever started it is gone
		return 0
	})
}

// foreign is what lbsim has not made, and must not touch.
type foreign struct {
	files  []string
	idle   []*exec.Cmd
	socket *net.UnixListener
	pinned bool
	undo   []func() error
}

// newForeign sets it all up. Below tmp and run lbsim keeps files of its own.
func newForeign(tmp, run string) (*foreign, error) {
	f := &foreign{}
	for _, set := range []func() error{f.namespace, f.links, f.processes, f.pin, f.mount, f.listen, func() error { return f.write(tmp, run) }} {
		if err := set(); err != nil {
			return nil, errors.Join(fmt.Errorf("set up what belongs to others: %w", err), f.close())
		}
	}
	return f, nil
}

func (f *foreign) close() error {
	var errs []error
	for _, undo := range slices.Backward(f.undo) {
		errs = append(errs, undo())
	}
	return errors.Join(errs...)
}

// namespace makes a named one, as "ip netns add" does.
func (f *foreign) namespace() error {
	ns, err := netns.New()
	if err != nil {
		return err
	}
	defer func() { _ = ns.Close() }()
	if err := os.MkdirAll(filepath.Dir(foreignNS), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(foreignNS, nil, 0o444); err != nil {
		return err
	}
	if err := unix.Mount(ns.Path(), foreignNS, "", unix.MS_BIND, ""); err != nil {
		return err
	}
	f.undo = append(f.undo, func() error { return errors.Join(unix.Unmount(foreignNS, 0), os.Remove(foreignNS)) })
	return nil
}

// links makes a bridge with a port, and a pair that is called like a node's.
func (f *foreign) links() error {
	bridge := &netlink.Bridge{LinkAttrs: named("br0")}
	if err := netlink.LinkAdd(bridge); err != nil {
		return err
	}
	for _, pair := range [][2]string{{"port0", "port1"}, {"eth0", "g0"}} {
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: named(pair[0]), PeerName: pair[1]}); err != nil {
			return err
		}
	}
	f.undo = append(f.undo, func() error {
		return errors.Join(netlink.LinkDel(bridge), netlink.LinkDel(&netlink.Dummy{LinkAttrs: named("port0")}), netlink.LinkDel(&netlink.Dummy{LinkAttrs: named("eth0")}))
	})
	port, err := netlink.LinkByName("port0")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetMaster(port, bridge); err != nil {
		return err
	}
	for _, name := range []string{"br0", "port0", "port1", "eth0", "g0"} {
		l, err := netlink.LinkByName(name)
		if err == nil {
			err = netlink.LinkSetUp(l)
		}
		if err != nil {
			return fmt.Errorf("set %s up: %w", name, err)
		}
	}
	return nil
}

func named(name string) netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name = name
	return a
}

// processes starts some whose command lines are those of a lab.
func (f *foreign) processes() error {
	for _, line := range [][]string{{"l7gw", "--node", "bj/az1/l7-1"}, {"unilb-etcd"}, {"lbsim", "supervise"}} {
		cmd := sandbox.Part(partIdle)
		cmd.Args = line
		cmd.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Setpgid: true}
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		f.idle = append(f.idle, cmd)
		f.undo = append(f.undo, func() error { _ = in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait(); return nil })
	}
	return nil
}

// pin pins a map in the bpffs; without one there is none.
func (f *foreign) pin() error {
	if sandbox.Probe(sandbox.CapEBPF) != nil {
		return nil
	}
	if err := os.Mkdir(filepath.Dir(foreignPin), 0o700); err != nil {
		return err
	}
	m, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Hash, KeySize: 16, ValueSize: 8, MaxEntries: 8, Name: "flows"})
	if err != nil {
		return err
	}
	defer func() { _ = m.Close() }()
	f.pinned = true
	f.undo = append(f.undo, func() error { return os.RemoveAll(filepath.Dir(foreignPin)) })
	return m.Pin(foreignPin)
}

func (f *foreign) mount() error {
	if err := unix.Mount("foreign", foreignMount, "tmpfs", 0, ""); err != nil {
		return err
	}
	f.files = append(f.files, filepath.Join(foreignMount, "file"))
	f.undo = append(f.undo, func() error { return unix.Unmount(foreignMount, 0) })
	return os.WriteFile(f.files[0], []byte("foreign"), 0o600)
}

// listen answers at an abstract address that looks like a lab's.
func (f *foreign) listen() error {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: foreignSocket})
	if err != nil {
		return err
	}
	f.socket = l
	f.undo = append(f.undo, l.Close)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("foreign"))
			_ = c.Close()
		}
	}()
	return nil
}

// write leaves files where lbsim has its own.
func (f *foreign) write(tmp, run string) error {
	for _, path := range []string{filepath.Join(tmp, "foreign"), filepath.Join(tmp, fmt.Sprintf("lbsim-%d", os.Getuid()), "notes"), filepath.Join(run, "foreign"), filepath.Join(run, "lbsim", "notes")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte("foreign"), 0o600); err != nil {
			return err
		}
		f.files = append(f.files, path)
	}
	return nil
}
