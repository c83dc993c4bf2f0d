package labenv

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/drivers"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

// loadDriver reads a manifest: a name of one that comes with the testbed, or a
// path to a file.
func loadDriver(name string) (*driver.Manifest, error) {
	if strings.ContainsAny(name, "/.") {
		return driver.Load(os.DirFS(filepath.Dir(name)), filepath.Base(name))
	}
	m, err := driver.Load(drivers.Files, name+".yaml")
	if errors.Is(err, fs.ErrNotExist) {
		known, _ := fs.Glob(drivers.Files, "*.yaml") // the pattern is well formed
		return nil, fmt.Errorf("no driver %q; there are %s, and paths to files", name, strings.ReplaceAll(strings.Join(known, ", "), ".yaml", ""))
	}
	return m, err
}

// fleet starts the gateways of a lab as their manifest says, and remembers what
// it rendered for each node.
type fleet struct {
	manifest *driver.Manifest
	plan     *topology.Plan

	mu    sync.Mutex
	procs map[topology.Ref]*driver.Process
}

// command is a lab.GatewayFunc.
func (f *fleet) command(n topology.Node, facts lab.Facts) (lab.Command, error) {
	p, err := f.manifest.Render(driver.Vars{
		Bin: facts.BinDir, Dir: facts.Dir, Node: string(n.Ref), Zone: n.Zone, Region: n.Region,
		Etcd: facts.Etcd, Prefix: facts.Prefix,
		Listen:   []string{netip.AddrPortFrom(n.Underlay, lab.HTTPPort).String()},
		Underlay: n.Underlay.String(), Member: address(n.Member),
		AdminURL: adminURL(f.plan, n.Region), AdminKey: topology.AdminKey,
	})
	if err != nil {
		return lab.Command{}, fmt.Errorf("driver %s for %s: %w", f.manifest.Name, n.Ref, err)
	}
	if p.User != "" {
		return lab.Command{}, fmt.Errorf("driver %s: the lab cannot start processes as user %s", f.manifest.Name, p.User)
	}
	for name, content := range p.Files {
		path := filepath.Join(facts.Dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return lab.Command{}, fmt.Errorf("driver %s: %w", f.manifest.Name, err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return lab.Command{}, fmt.Errorf("driver %s: %w", f.manifest.Name, err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.procs[n.Ref] = p
	return lab.Command{Path: p.Argv[0], Args: p.Argv[1:], Env: p.Env, Dir: facts.Dir, Ready: p.Probe}, nil
}

func (f *fleet) process(ref topology.Ref) *driver.Process {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.procs[ref]
}

func address(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// adminURL is where the region's Admin API is: behind L4 when there is a VIP
// for it, else on the first l7admin.
func adminURL(p *topology.Plan, region string) string {
	at, ok := p.AdminVIP(region)
	if !ok {
		for _, n := range p.OfKind(topology.KindAdmin) {
			if n.Region == region {
				at, ok = n.Underlay, true
				break
			}
		}
	}
	if !ok {
		return ""
	}
	return fmt.Sprintf("http://%s/apisix/admin", netip.AddrPortFrom(at, topology.AdminPort))
}

// Gateways says how a lab starts the gateway under test: as the driver's manifest
// says or, without a driver, as that of each gateway's place in the plan does. With
// a binary, that file is started in the place of the manifest's program. Manifests
// are read at once, so that a mistake in one is found before anything is built.
func Gateways(plan *topology.Plan, name, binary string) (lab.GatewayFunc, error) {
	fleets := map[string]*fleet{}
	for _, n := range plan.Nodes {
		for _, p := range n.Processes {
			want := name
			if want == "" {
				want = p.Driver
			}
			if !p.Gateway || fleets[want] != nil {
				continue
			}
			m, err := loadDriver(want)
			if err != nil {
				return nil, err
			}
			fleets[want] = &fleet{manifest: m, plan: plan, procs: map[topology.Ref]*driver.Process{}}
		}
	}
	return func(n topology.Node, facts lab.Facts) (lab.Command, error) {
		want := name
		for _, p := range n.Processes {
			if p.Gateway && want == "" {
				want = p.Driver
			}
		}
		f := fleets[want]
		if f == nil {
			return lab.Command{}, fmt.Errorf("no driver for the gateway of %s", n.Ref)
		}
		c, err := f.command(n, facts)
		if err == nil && binary != "" {
			c.Path = binary
		}
		return c, err
	}, nil
}

// Program is the file that a driver starts, for its digest and to find out early
// that it is missing; binary replaces it.
func Program(name, binary, binDir string) (string, error) {
	if binary != "" {
		return binary, nil
	}
	m, err := loadDriver(name)
	if err != nil {
		return "", err
	}
	p, err := m.Render(driver.Vars{Bin: binDir})
	if err != nil {
		return "", fmt.Errorf("driver %s: %w", name, err)
	}
	return p.Argv[0], nil
}
