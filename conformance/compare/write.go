package compare

import (
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// Names of the files that Write makes.
const (
	YAMLFile = "comparison.yaml"
	HTMLFile = "comparison.html"
)

//go:embed comparison.html.tmpl
var page string

var pageTemplate = template.Must(template.New("comparison").Funcs(template.FuncMap{
	"wrong": func(d Difference) bool { return d.Kind.wrong() && d.Allowed == "" },
	"change": func(f Figure) string {
		if f.Ratio == 0 {
			return ""
		}
		return f.change()
	},
}).Parse(page))

// Write makes the files in dir.
func (c *Comparison) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write comparison: %w", err)
	}
	return errors.Join(
		writeFile(filepath.Join(dir, YAMLFile), func(w io.Writer) error {
			return yaml.NewEncoder(w, yaml.Indent(2), yaml.IndentSequence(false)).Encode(c)
		}),
		writeFile(filepath.Join(dir, HTMLFile), func(w io.Writer) error { return pageTemplate.Execute(w, c) }),
	)
}

// writeFile makes a file that is complete or not there.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
