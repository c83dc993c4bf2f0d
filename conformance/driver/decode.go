package driver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/goccy/go-yaml"
)

// MaxManifestBytes is the largest manifest Load reads.
const MaxManifestBytes = 1 << 20

// Load reads and checks a manifest. Errors name file, line and column where
// the YAML library knows them, and the key where a value is wrong.
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
	return Decode(path, b)
}

// Decode reads a manifest; name is the file's name in errors.
func Decode(name string, b []byte) (*Manifest, error) {
	m := &Manifest{}
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(m); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: empty file", name)
		}
		return nil, at(name, err)
	}
	if err := m.check(); err != nil {
		var all []error
		for _, e := range split(err) {
			all = append(all, fmt.Errorf("%s: %w", name, e))
		}
		return nil, errors.Join(all...)
	}
	return m, nil
}

// at puts file, line and column before an error of the YAML library.
func at(name string, err error) error {
	var ye yaml.Error
	if !errors.As(err, &ye) || ye.GetToken() == nil || ye.GetToken().Position == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	p := ye.GetToken().Position
	return fmt.Errorf("%s:%d:%d: %s", name, p.Line, p.Column, ye.GetMessage())
}

func split(err error) []error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		return j.Unwrap()
	}
	return []error{err}
}

// check finds everything that is wrong with the values.
func (m *Manifest) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if m.Driver != "v1" {
		bad("driver: want v1, got %q", m.Driver)
	}
	if m.Name == "" || strings.ContainsAny(m.Name, "/ \t\n") {
		bad("name: want a word, got %q", m.Name)
	}
	if len(m.Start.Exec) == 0 {
		bad("start.exec: want a command")
	}
	if m.Ready.Notify == (m.Ready.HTTP != "") {
		bad("ready: want either notify: true or http")
	}
	if (m.Applied.HTTP != "") == (m.Applied.Probe != nil) {
		bad("applied: want either http or probe")
	}
	if m.Applied.HTTP != "" && !strings.Contains(m.Applied.HTTP, ".Revision") {
		bad("applied.http: does not use .Revision, so it cannot tell a new configuration from an old one")
	}
	if _, err := regexp.Compile(m.Identify.Match); err != nil {
		bad("identify.match: %w", err)
	}
	for _, s := range []string{m.Drain.Signal, m.Reload.Signal} {
		if s != "" && !slices.Contains([]string{"TERM", "QUIT", "HUP", "INT", "USR1", "USR2", "WINCH"}, s) {
			bad("signal %q: want one of TERM, QUIT, HUP, INT, USR1, USR2, WINCH", s)
		}
	}
	for path := range m.Files {
		if !filepath.IsLocal(path) {
			bad("files: %q is not below the process's directory", path)
		}
	}
	if len(m.Claims) == 0 {
		bad("claims: a gateway that claims nothing cannot be judged")
	}
	errs = append(errs, m.try())
	return errors.Join(errs...)
}

// try renders everything once, so that a misspelled variable shows when the
// manifest is read and not in the middle of a run.
func (m *Manifest) try() error {
	_, err := m.Render(Vars{
		Bin: "/bin", Dir: "/run/x", Node: "r/z/n", Zone: "z", Region: "r", Etcd: []string{"http://192.0.2.1:2379"}, Prefix: "/apisix",
		Listen: []string{"192.0.2.1:80"}, Underlay: "192.0.2.1", Member: "192.0.2.2", AdminURL: "http://192.0.2.3:9180/apisix/admin", AdminKey: "k",
	})
	return err
}

func expand(key, text string, v Vars) (string, error) {
	t, err := template.New(key).Option("missingkey=error").Funcs(template.FuncMap{"join": strings.Join}).Parse(text)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	var b strings.Builder
	if err := t.Execute(&b, v); err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	return b.String(), nil
}
