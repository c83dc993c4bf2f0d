// Package doctor finds out what this machine can do for a lab, and says what
// follows from what it cannot. It tries everything in namespaces of its own and
// changes nothing on the machine. Its functions are safe for concurrent use.
package doctor

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/sandbox"
)

// A Finding is one capability, tried.
type Finding struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Means is what follows: what it is for, or what does not work without it.
	Means string `json:"means"`
	Why   string `json:"why,omitempty"` // what the kernel said
	// Needed says that labs with L4 and VPCs do not come up without it.
	Needed bool `json:"needed"`
}

// A check is one line of the doctor's.
type check struct {
	name          string
	have, without string
	needed        bool
	try           func() error
}

// Outside tries what is tried on the machine itself.
func Outside() []Finding {
	return run([]check{
		{"root", "everything may be tried", "user namespaces are used; eBPF and wires usually fail", true,
			func() error { return sandbox.Probe(sandbox.CapRoot) }},
		{"user namespaces", "ordinary users can run topologies without L4 and hosts", "labs need root", false, tryUserNamespace},
		{"curl", "the examples of the README work in labs", "use another client with lbsim exec", false,
			func() error { _, err := exec.LookPath("curl"); return err }},
	})
}

// Inside tries what is tried inside a sandbox.
func Inside() []Finding {
	kernel := func(feature string) func() error { return func() error { return link.Probe(feature) } }
	capability := func(name string) func() error { return func() error { return sandbox.Probe(name) } }
	return run([]check{
		{"netns", "labs are built of network namespaces", "no lab; l7gw --standalone and make test work", true, capability(sandbox.CapNetNS)},
		{"eBPF and TCX", "L4, FNAT and vswitch run", "no L4, gateways for VPCs or hosts: only lbsim up hello", true, capability(sandbox.CapEBPF)},
		{"bpffs", "programs outlive their agents", "no L4, gateways for VPCs or hosts: only lbsim up hello", true, tryBPFFS},
		{"tun", "wires: cables that delay, lose and damage frames", "topologies with wires need netem: use one-az instead of two-az", true, capability(sandbox.CapTUN)},
		{"FUSE", "disks of stores can be slow or broken", "etcd-slow-disk is not available (ok)", false, capability(sandbox.CapFUSE)},
		{"vxlan external", "tunnels to gateways and hosts", "no L4, gateways for VPCs or hosts: only lbsim up hello", true, kernel(link.FeatureVXLAN)},
		{"nexthop resilient", "edges spread VIPs over L4 nodes", "topologies with VIPs fail", true, kernel(link.FeatureNexthop)},
		{"nftables", "partitions, and the edge's filters", "topologies with clients or IDC fail", true, kernel(link.FeatureNFTables)},
		{"netem", "wires work without tun, but for positions and the longest packet", "wires need tun (ok)", false, kernel(link.FeatureNetem)},
	})
}

// NoSandbox is what Inside would find where there is no sandbox.
func NoSandbox(err error) []Finding {
	return []Finding{{Name: "netns", Needed: true, Why: err.Error(), Means: "no lab; l7gw --standalone and make test work"}}
}

func run(checks []check) []Finding {
	var out []Finding
	for _, c := range checks {
		f := Finding{Name: c.name, OK: true, Means: c.have, Needed: c.needed}
		if err := c.try(); err != nil {
			f.OK, f.Means, f.Why = false, c.without, err.Error()
		}
		out = append(out, f)
	}
	return out
}

// tryUserNamespace starts a process in one. A process with several threads, as
// this one, cannot enter one itself.
func tryUserNamespace() error {
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	return cmd.Run()
}

func tryBPFFS() error {
	var st unix.Statfs_t
	if err := unix.Statfs(sandbox.BPF, &st); err != nil {
		return err
	}
	if st.Type != unix.BPF_FS_MAGIC {
		return fmt.Errorf("%s is not a bpffs", sandbox.BPF)
	}
	return nil
}

// Kernel names the running kernel.
func Kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	text := func(b [65]byte) string { return strings.TrimRight(string(b[:]), "\x00") }
	return text(u.Sysname) + " " + text(u.Release) + " " + text(u.Machine)
}
