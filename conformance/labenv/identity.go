package labenv

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
)

// identifyTimeout is how long a gateway may take to say its version.
const identifyTimeout = 10 * time.Second

// gatewayIdentity measures the build: the digest of its file, and what it says
// about itself.
func gatewayIdentity(ctx context.Context, o Options, m *driver.Manifest) report.Gateway {
	g := report.Gateway{Name: m.Name, Driver: o.Gateway, Claims: "asserted"}
	v := driver.Sample()
	v.Bin, v.Dir = o.BinDir, o.Out
	v.Binary, _ = m.Locate(o.BinDir, o.Binary) // found before
	p, err := m.Render(v)
	if err != nil {
		return g // a manifest that renders for nodes only; there is nothing to measure
	}
	g.Binary = digestOf(cmp.Or(v.Binary, p.Binary))
	if len(p.IdentifyArgv) == 0 {
		return g
	}
	// An interrupted run says, too, what it judged.
	if g.Version, err = askVersion(context.WithoutCancel(ctx), p.IdentifyArgv, m.Identify.Match); err != nil {
		g.Version = "unknown (" + err.Error() + ")"
	}
	return g
}

// askVersion runs a program that says who it is, on either stream.
func askVersion(ctx context.Context, argv []string, match string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, identifyTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return "", err
	}
	return version(match, strings.TrimSpace(string(out))), nil
}

// digestOf measures a file; "" when there is none.
func digestOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return fmt.Sprintf("sha256:%x", h.Sum(nil))
}

// version takes what the pattern finds: its first group, if it has one.
func version(pattern, said string) string {
	found := regexp.MustCompile(pattern).FindStringSubmatch(said) // the manifest was checked
	switch len(found) {
	case 0:
		return "unknown (said something else)"
	case 1:
		return found[0]
	}
	return found[1]
}

func machine(e *Env) report.Machine {
	m := report.Machine{Arch: runtime.GOARCH, CPUs: runtime.NumCPU(), Has: []spec.Capability{}, Lacks: []spec.Capability{}}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	if e == nil {
		return m // there was no lab in which to look
	}
	for _, c := range []spec.Capability{spec.NetNS, spec.EBPF, spec.Region, spec.VPC} {
		if e.Has(c) {
			m.Has = append(m.Has, c)
		} else {
			m.Lacks = append(m.Lacks, c)
		}
	}
	return m
}

// commit is the commit of this program, as far as the build knows it.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
