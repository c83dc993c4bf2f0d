package driver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/topology/strict"
)

// MaxManifestBytes is the largest manifest Load reads.
const MaxManifestBytes = strict.MaxBytes

// Load reads and checks a manifest and the template files beside it. Problems
// name file, line and column, all of them at once.
func Load(fsys fs.FS, path string) (*Manifest, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open driver: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	b, err := io.ReadAll(io.LimitReader(f, MaxManifestBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read driver %s: %w", path, err)
	}
	if len(b) > MaxManifestBytes {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, MaxManifestBytes)
	}
	m, err := Decode(path, b)
	if err != nil || !m.Static() {
		return m, err
	}
	if err := m.readTemplates(fsys, path, b); err != nil {
		return nil, err
	}
	return m, nil
}

// Decode reads a manifest; name is the file's name in errors. All problems come
// at once, as strict.Errors.
func Decode(name string, b []byte) (*Manifest, error) {
	m := &Manifest{}
	src, errs := strict.Format{Name: "driver", Begin: "driver: v1"}.Decode(name, b, m)
	report := src.Report(errs)
	m.check(report.Fail)
	if err := report.Err(); err != nil {
		return nil, err
	}
	return m, nil
}

// check finds everything that is wrong with the values.
func (m *Manifest) check(bad func(path, format string, args ...any)) {
	if m.Driver != "v1" {
		bad("driver", "driver: want v1, got %q", m.Driver)
	}
	if m.Name == "" || strings.ContainsAny(m.Name, "/ \t\n") {
		bad("name", "name: want a word, got %q", m.Name)
	}
	if len(m.Start.Exec) == 0 {
		bad("start.exec", "start.exec: want a command")
	}
	m.checkReady(bad)
	m.checkDialect(bad)
	if (m.Applied.HTTP != "") == (m.Applied.Probe != nil) {
		bad("applied", "applied: want either http or probe")
	}
	if m.Applied.HTTP != "" && !strings.Contains(m.Applied.HTTP, ".Revision") {
		bad("applied.http", "applied.http: does not use .Revision, so it cannot tell a new configuration from an old one")
	}
	if _, err := regexp.Compile(m.Identify.Match); err != nil {
		bad("identify.match", "identify.match: %v", err)
	}
	for path, s := range map[string]string{"drain.signal": m.Drain.Signal, "reload.signal": m.Reload.Signal, "restart.signal": m.Restart.Signal} {
		if s != "" && !slices.Contains([]string{"TERM", "QUIT", "HUP", "INT", "USR1", "USR2", "WINCH"}, s) {
			bad(path, "signal %q: want one of TERM, QUIT, HUP, INT, USR1, USR2, WINCH", s)
		}
	}
	if m.Restart.Signal != "" && !m.Ready.Notify {
		bad("restart.signal", "restart.signal: needs ready: {notify: true}, by which the gateway says who has taken its place")
	}
	if m.Applied.Probe != nil && m.Applied.Probe.Over < 0 {
		bad("applied.probe.over", "applied.probe.over: want a time that is not negative")
	}
	for path := range m.Files {
		if !filepath.IsLocal(path) {
			bad("files."+path, "files: %q is not below the process's directory", path)
		}
	}
	m.checkClaims(bad)
	m.try(bad)
}

func (m *Manifest) checkReady(bad func(path, format string, args ...any)) {
	ways := 0
	for _, set := range []bool{m.Ready.Notify, m.Ready.HTTP != "", m.Ready.TCP != ""} {
		if set {
			ways++
		}
	}
	if ways != 1 {
		bad("ready", "ready: want one of notify: true, http and tcp")
	}
}

// checkClaims refuses what no case knows: a misspelled claim would turn cases
// into skips.
func (m *Manifest) checkClaims(bad func(path, format string, args ...any)) {
	if len(m.Claims) == 0 {
		bad("claims", "claims: a gateway that claims nothing cannot be judged")
	}
	if slices.Contains(m.Claims, spec.GatewayRestart) && m.Restart.Signal == "" {
		bad("claims", "claims: %s without restart.signal", spec.GatewayRestart)
	}
	var known []string
	for _, f := range spec.Features() {
		known = append(known, string(f))
	}
	for i, f := range m.Claims {
		if !slices.Contains(known, string(f)) {
			bad(fmt.Sprintf("claims[%d]", i), "claims: unknown feature %q%s", f, strict.DidYouMean(string(f), known))
		}
	}
}

// try renders everything once, so that a misspelled variable shows when the
// manifest is read and not in the middle of a run.
func (m *Manifest) try(bad func(path, format string, args ...any)) {
	if len(m.Start.Exec) == 0 {
		return // said already
	}
	_, err := m.Render(Sample())
	for _, e := range split(err) {
		path := "start.exec"
		if at := (*keyError)(nil); errors.As(e, &at) {
			path = at.key
		}
		bad(path, "%v", e)
	}
}

func split(err error) []error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		return j.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
