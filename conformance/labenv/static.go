package labenv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/model"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/conformance/static"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

// objects are the Admin objects of gateways without an Admin API.
type objects struct {
	store   *static.Store
	server  *static.Server
	applier *static.Applier
}

func newObjects(e *Env) *objects {
	o := &objects{store: static.NewStore()}
	o.server = static.Serve(o.store, topology.AdminKey)
	o.applier = static.NewApplier(o.store, e.configure)
	return o
}

func (o *objects) close() error {
	o.applier.Close()
	return o.server.Close()
}

// configure is a static.Site. Beside the objects it renders a marker: a route of
// its own to a backend of its own, by which a gateway shows that it serves this
// revision.
func (e *Env) configure(ctx context.Context, rev int64, all []model.Object) error {
	bs, err := e.Start(ctx, spec.Want{N: 1})
	if err != nil {
		return &spec.Trouble{Err: fmt.Errorf("marker: %w", err)}
	}
	defer func() { _ = bs[0].Server.Close() }() // it serves nobody else
	target := fmt.Sprintf("/.unilb-marker-%d", rev)
	all = append(all, model.Object{Kind: model.Routes, ID: "unilb-marker", Created: rev, Body: fmt.Appendf(nil,
		`{"host":%q,"uri":%q,"upstream":{"type":"roundrobin","nodes":{%q:1}}}`, markerHost, target, bs[0].Addr)})
	m, err := model.Build(rev, all)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, gw := range e.Gateways() {
		g.Go(func() error {
			if err := e.configureNode(ctx, gw.Ref, m); err != nil {
				return err
			}
			return e.shows(ctx, gw, target, bs[0])
		})
	}
	return g.Wait()
}

// configureNode replaces the configuration of one gateway, once the gateway's own
// check has accepted the new one, and has it reload.
func (e *Env) configureNode(ctx context.Context, ref topology.Ref, m *model.Model) error {
	p := e.fleet.process(ref)
	if p == nil {
		return fmt.Errorf("%s was never started", ref)
	}
	node, err := e.lab.Node(ref)
	if err != nil {
		return err
	}
	there, certs := m.In(p.Dir)
	rendered, err := p.Configure(there)
	if err != nil {
		return &spec.Refused{Node: string(ref), Why: err.Error()}
	}
	if err := writeCerts(p.Dir, certs); err != nil {
		return &spec.Trouble{Err: err}
	}
	defer func() {
		for _, f := range rendered.Files {
			_ = os.Remove(newFile(p.Dir, f)) // gone when it was accepted
		}
	}()
	if err := e.replace(ctx, node, p, rendered); err != nil {
		return err
	}
	e.fleet.keep(ref, rendered)
	return e.Reload(ctx, ref)
}

func newFile(dir string, f driver.RenderedFile) string { return filepath.Join(dir, f.Path+".new") }

// replace puts the files in place: first those without a check, so that the check
// of another can read them, then the others once they are accepted. When one is
// not, everything is as it was.
func (e *Env) replace(ctx context.Context, node *lab.Node, p *driver.Process, rendered *driver.Rendered) (err error) {
	place := func(checked bool) error {
		for _, f := range rendered.Files {
			if f.Checked() != checked {
				continue
			}
			if err := os.Rename(newFile(p.Dir, f), filepath.Join(p.Dir, f.Path)); err != nil {
				return &spec.Trouble{Err: fmt.Errorf("configure %s: %w", node.Ref(), err)}
			}
		}
		return nil
	}
	for _, f := range rendered.Files {
		if err := writeFile(newFile(p.Dir, f), f.Text, 0o644); err != nil {
			return &spec.Trouble{Err: err}
		}
	}
	if err := place(false); err != nil {
		return err
	}
	for _, f := range rendered.Files {
		if err := accepted(ctx, node, newFile(p.Dir, f), f); err != nil {
			return errors.Join(err, e.fleet.writeConfig(node.Ref(), p))
		}
	}
	return place(true)
}

// accepted has the gateway check a file where it lies.
func accepted(ctx context.Context, node *lab.Node, at string, f driver.RenderedFile) error {
	argv, err := f.CheckArgv(at)
	if err != nil || len(argv) == 0 {
		return err
	}
	out, err := node.Exec(ctx, argv...)
	if err != nil {
		return fmt.Errorf("check %s on %s: %w", f.Path, node.Ref(), err)
	}
	if out.Exit.Code == 0 && out.Exit.Signal == 0 {
		return nil
	}
	said := strings.TrimSpace(string(out.Stdout) + string(out.Stderr))
	return &spec.Refused{Node: string(node.Ref()), Why: fmt.Sprintf("%s: %s: %s", filepath.Base(argv[0]), out.Exit, lastBytes(said, maxSaid))}
}

// maxSaid is how much of what a gateway printed an error quotes, in bytes.
const maxSaid = 2048

func lastBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return "..." + strings.ToValidUTF8(s[len(s)-n:], "")
}

// writeCerts writes what is not there yet: their names follow from their contents.
func writeCerts(dir string, files map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("write certificate: %w", err)
		}
		if err := writeFile(path, files[name], 0o600); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path, text string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write file for the gateway: %w", err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		return fmt.Errorf("write file for the gateway: %w", err)
	}
	return nil
}
