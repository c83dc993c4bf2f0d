package sandbox

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// Capabilities that a test can require.
const (
	CapNetNS = "netns" // a sandbox: namespaces may be made
	CapRoot  = "root"  // real root, not root of a user namespace
	CapEBPF  = "ebpf"  // programs load and attach by TCX
	CapTUN   = "tun"   // TAP devices, for wires
	CapFUSE  = "fuse"  // file systems of our own, for disks that can be slowed
)

// T is the part of *testing.T that Require uses; GinkgoT has it, too.
type T interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Require skips the test when this process lacks one of the capabilities, and fails
// it where that is demanded.
func Require(t T, caps ...string) {
	t.Helper()
	for _, c := range caps {
		Need(t, c, Probe(c))
	}
}

// Need is Require for what this package cannot probe, under a name of the caller's
// ("netem", "nginx"): err says why the machine lacks it, nil that it does not.
func Need(t T, name string, err error) {
	t.Helper()
	switch {
	case err == nil:
	case slices.Contains(Demanded(), name):
		t.Fatalf("machine lacks %s, which %s demands: %v", name, demandVar, err)
	default:
		t.Skipf("machine lacks %s: %v", name, err)
	}
}

// demandVar is the environment variable that names capabilities, separated by commas.
const demandVar = "LBSIM_REQUIRE"

// Demanded are the capabilities whose lack is a failure: a machine that lost one must
// not turn everything green by skipping it.
func Demanded() []string {
	return strings.FieldsFunc(os.Getenv(demandVar), func(r rune) bool { return r == ',' })
}

// Probe tries one capability from where the caller is; nil means it works. An
// unknown name is an error.
func Probe(capability string) error {
	switch capability {
	case CapNetNS:
		if !Inside() {
			return fmt.Errorf("not inside a sandbox (does TestMain call sandbox.Main, and may this user make namespaces?)")
		}
		return nil
	case CapRoot:
		return probeRoot()
	case CapEBPF:
		return probeEBPF()
	case CapTUN:
		return probeDevice("/dev/net/tun")
	case CapFUSE:
		return probeDevice("/dev/fuse")
	default:
		return fmt.Errorf("unknown capability %q", capability)
	}
}

func probeDevice(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

func probeRoot() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("user id is %d", os.Geteuid())
	}
	b, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		return err
	}
	if f := strings.Fields(string(b)); len(f) != 3 || f[2] != "4294967295" {
		return fmt.Errorf("root of a user namespace only")
	}
	return nil
}
