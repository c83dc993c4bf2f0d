package driver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/model"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/topology/strict"
)

// checkDialect finds what does not go with the dialect.
func (m *Manifest) checkDialect(bad func(path, format string, args ...any)) {
	switch m.Admin.Dialect {
	case "", DialectAPISIX:
		if len(m.Config) > 0 {
			bad("config", "config: the testbed renders objects for dialect static only; add admin: {dialect: static}, or write files with the key files")
		}
		if m.Admin.URL != "" && len(m.Admin.Args) > 0 {
			bad("admin.args", "admin.args: they are for the region's l7admin, and admin.url names another Admin API; remove one of them")
		}
		return
	case DialectStatic:
	default:
		bad("admin.dialect", "admin.dialect: want %s or %s, got %q%s", DialectAPISIX, DialectStatic, m.Admin.Dialect,
			strict.DidYouMean(m.Admin.Dialect, []string{DialectAPISIX, DialectStatic}))
		return
	}
	if m.Admin.URL != "" {
		bad("admin.url", "admin.url: in dialect static the testbed keeps the objects; remove it")
	}
	if len(m.Admin.Args) > 0 {
		bad("admin.args", "admin.args: in dialect static nobody asks an l7admin; remove it")
	}
	if m.Applied.HTTP != "" {
		bad("applied.http", "applied.http: a gateway that reads files knows no revision; use applied: {probe: {consecutive: 20}}")
	}
	if m.Reload.Signal == "" && len(m.Reload.Exec) == 0 {
		bad("reload", "reload: dialect static needs a way to reload; add reload: {signal: HUP}, or exec")
	}
	if len(m.Config) == 0 {
		bad("config", "config: dialect static needs a file to render; add config: [{file: gateway.conf, template-file: gateway.conf.tmpl}]")
	}
	for i, f := range m.Config {
		at := fmt.Sprintf("config[%d]", i)
		if !filepath.IsLocal(f.File) {
			bad(at+".file", "%s.file: %q is not below the process's directory", at, f.File)
		}
		if (f.Template == "") == (f.TemplateFile == "") {
			bad(at, "%s: want either template or template-file", at)
		}
		if f.TemplateFile != "" && !filepath.IsLocal(f.TemplateFile) {
			bad(at+".template-file", "%s.template-file: %q is not beside the manifest", at, f.TemplateFile)
		}
		m.tryConfig(at+".template", f.Template, bad)
		if _, err := argv(at+".check.exec", f.Check.Exec, Sample()); err != nil {
			key := at + ".check.exec"
			if e := (*keyError)(nil); errors.As(err, &e) {
				key = e.key
			}
			bad(key, "%v", err)
		}
	}
	for i, c := range m.Claims {
		if strings.HasPrefix(string(c), adminFeatures) || slices.Contains(resolved, c) {
			bad(fmt.Sprintf("claims[%d]", i), "claims: %q: in dialect static the testbed itself does that, so that its cases would judge the testbed; remove the claim", c)
		}
	}
}

// adminFeatures is how the names of features of the Admin API begin.
const adminFeatures = "admin."

// resolved are the features that are gone from the model that templates see.
var resolved = []spec.Feature{spec.RouteReferences, spec.RouteStatus}

// tryConfig renders a template for no objects, and for one route to one target,
// the least that a gateway can do: what is misspelled shows when the manifest is
// read.
func (m *Manifest) tryConfig(key, text string, bad func(path, format string, args ...any)) {
	if text == "" {
		return
	}
	for _, m := range []*model.Model{{}, model.Minimal()} {
		if _, err := expand(key, text, ConfigVars{Sample(), m, m.Revision}); err != nil {
			bad(key, "%v", err)
			return
		}
	}
}

// readTemplates loads the template files beside a manifest.
func (m *Manifest) readTemplates(fsys fs.FS, manifest string, text []byte) error {
	src, errs := strict.Format{Name: "driver", Begin: "driver: v1"}.Decode(manifest, text, &Manifest{})
	report := src.Report(errs) // none: it has been decoded before
	for i := range m.Config {
		f := &m.Config[i]
		if f.TemplateFile == "" {
			continue
		}
		at := fmt.Sprintf("config[%d].template-file", i)
		b, err := readLimited(fsys, path.Join(path.Dir(manifest), f.TemplateFile))
		if err != nil {
			report.Fail(at, "%s: %v", at, err)
			continue
		}
		f.Template = string(b)
		m.tryConfig(f.TemplateFile, f.Template, func(_, format string, args ...any) { report.Fail(at, format, args...) })
	}
	return report.Err()
}

func readLimited(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, MaxManifestBytes+1))
	if err == nil && len(b) > MaxManifestBytes {
		err = fmt.Errorf("larger than %d bytes", MaxManifestBytes)
	}
	return b, err
}

// A Rendered is the configuration of one node: files below its directory, in the
// order of the manifest.
type Rendered struct {
	Files []RenderedFile
}

// A RenderedFile is one file and how to check it; the check's .New is where it
// lies meanwhile.
type RenderedFile struct {
	Path  string // below the process's directory
	Text  string
	check []string
	key   string
	vars  Vars
}

// Checked says whether there is a command that checks the file.
func (f RenderedFile) Checked() bool { return len(f.check) > 0 }

// CheckArgv is the command that checks the file where it lies now; empty: there is
// none.
func (f RenderedFile) CheckArgv(at string) ([]string, error) {
	v := f.vars
	v.New = at
	return argv(f.key, f.check, v)
}

// Configure renders the objects for the node that the process was rendered for.
// The error names the template; it is *Inexpressible when the template says that
// it cannot express an object.
func (p *Process) Configure(m *model.Model) (*Rendered, error) {
	out := &Rendered{}
	var errs []error
	for i, f := range p.manifest.Config {
		key := f.TemplateFile
		if key == "" {
			key = fmt.Sprintf("config[%d].template", i)
		}
		text, err := expand(key, f.Template, ConfigVars{p.vars, m, m.Revision})
		errs = append(errs, err)
		out.Files = append(out.Files, RenderedFile{Path: f.File, Text: text, check: f.Check.Exec, key: fmt.Sprintf("config[%d].check.exec", i), vars: p.vars})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return out, nil
}

// Lacks are the features of the suite that the manifest does not claim.
func (m *Manifest) Lacks() []spec.Feature {
	var out []spec.Feature
	for _, f := range spec.Features() {
		claimed := false
		for _, c := range m.Claims {
			claimed = claimed || c == f
		}
		if !claimed {
			out = append(out, f)
		}
	}
	return out
}
