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
	"github.com/unilb/unilb/conformance/model"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
	"github.com/unilb/unilb/topology/strict"
)

// isPath says whether what names a driver is the path of a manifest.
func isPath(name string) bool { return strings.ContainsAny(name, "/.") }

// loadDriver reads a manifest: a name of one that comes with the testbed, or a
// path to a file.
func loadDriver(name string) (*driver.Manifest, error) {
	if isPath(name) {
		if _, err := os.Stat(name); err != nil {
			return nil, fmt.Errorf("open driver: %w", err)
		}
		return driver.Load(os.DirFS(filepath.Dir(name)), filepath.Base(name))
	}
	m, err := driver.Load(drivers.Files, name+".yaml")
	if errors.Is(err, fs.ErrNotExist) {
		known, _ := fs.Glob(drivers.Files, "*.yaml") // the pattern is well formed
		for i := range known {
			known[i] = strings.TrimSuffix(known[i], ".yaml")
		}
		return nil, fmt.Errorf("no driver %q%s; there are %s, and paths to files", name, strict.Nearest(name, known), strings.Join(known, ", "))
	}
	return m, err
}

// fleet starts the gateways of a lab as their manifest says, and remembers what
// it rendered for each node.
type fleet struct {
	manifest *driver.Manifest
	plan     *topology.Plan
	binary   string // the program, as an absolute path; empty: as the manifest says

	mu     sync.Mutex
	procs  map[topology.Ref]*driver.Process
	config map[topology.Ref]*driver.Rendered // last accepted; of dialect static only
}

// newFleet prepares gateways to be started in a lab of the plan. The program has
// been located (see driver.Manifest.Locate).
func newFleet(m *driver.Manifest, plan *topology.Plan, program string) *fleet {
	return &fleet{manifest: m, plan: plan, binary: program, procs: map[topology.Ref]*driver.Process{}, config: map[topology.Ref]*driver.Rendered{}}
}

// command is a lab.GatewayFunc.
func (f *fleet) command(n topology.Node, facts lab.Facts) (lab.Command, error) {
	c, err := f.prepare(n, facts)
	if err != nil {
		return lab.Command{}, fmt.Errorf("driver %s for %s: %w", f.manifest.Name, n.Ref, err)
	}
	return c, nil
}

func (f *fleet) prepare(n topology.Node, facts lab.Facts) (lab.Command, error) {
	v := driver.Vars{
		Bin: facts.BinDir, Binary: f.binary, Dir: facts.Dir, Node: string(n.Ref), Zone: n.Zone, Region: n.Region,
		Etcd: facts.Etcd, Prefix: facts.Prefix,
		Listen:   []string{netip.AddrPortFrom(n.Underlay, lab.HTTPPort).String()},
		Underlay: n.Underlay.String(), Member: address(n.Member), Proxies: proxyAddresses(f.plan),
		AdminURL: adminURL(f.plan, n.Region), AdminKey: topology.AdminKey, ViewerKey: topology.ViewerKey,
	}
	if f.manifest.ListenTLS {
		v.ListenTLS = []string{netip.AddrPortFrom(n.Underlay, lab.HTTPSPort).String()}
	}
	p, err := f.manifest.Render(v)
	if err != nil {
		return lab.Command{}, err
	}
	if p.User != "" {
		return lab.Command{}, fmt.Errorf("the lab cannot start processes as user %s", p.User)
	}
	for name, content := range p.Files {
		if err := writeFile(filepath.Join(facts.Dir, name), content, 0o644); err != nil {
			return lab.Command{}, err
		}
	}
	if err := f.writeConfig(n.Ref, p); err != nil {
		return lab.Command{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.procs[n.Ref] = p
	c := lab.Command{Path: p.Argv[0], Args: p.Argv[1:], Env: p.Env, Dir: facts.Dir, Ready: p.Probe, Within: p.Within}
	if p.Dial != "" {
		c.Ready = "tcp://" + p.Dial
	}
	return c, nil
}

// writeConfig writes what a gateway of dialect static starts with: the last
// configuration that it accepted, or one without objects.
func (f *fleet) writeConfig(ref topology.Ref, p *driver.Process) error {
	if !f.manifest.Static() {
		return nil
	}
	f.mu.Lock()
	config := f.config[ref]
	f.mu.Unlock()
	if config == nil {
		var err error
		if config, err = p.Configure(&model.Model{}); err != nil {
			return err
		}
	}
	for _, file := range config.Files {
		if err := writeFile(filepath.Join(p.Dir, file.Path), file.Text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// keep remembers what a gateway has accepted.
func (f *fleet) keep(ref topology.Ref, config *driver.Rendered) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.config[ref] = config
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
			fleets[want] = newFleet(m, plan, binary)
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
		if m := f.manifest; m.Static() {
			return lab.Command{}, fmt.Errorf("gateway %s of %s reads its configuration from files, which only the cases render: lbsim conform --gateway %s", m.Name, n.Ref, want)
		}
		return f.command(n, facts)
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
	return m.Locate(binDir, "")
}

// checkPrograms looks for the gateway's program and for those of the plan, all at
// once where they are the testbed's own. The error is *lab.MissingBinaries, or
// *driver.NotInstalled.
func checkPrograms(m *driver.Manifest, plan *topology.Plan, binDir, binary string) error {
	_, err := m.Locate(binDir, binary)
	var none *driver.NotInstalled
	if errors.As(err, &none) {
		name, ours := strings.CutPrefix(none.Program, binDir+"/")
		if ours && (name == lab.GatewayBinary || m.Install == "") { // make build makes it; of others the driver knows better
			return lab.CheckBinaries(plan, binDir, name)
		}
	}
	if err != nil {
		return err
	}
	return lab.CheckBinaries(plan, binDir)
}
