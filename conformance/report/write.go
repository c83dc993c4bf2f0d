package report

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"
)

// Names of the files that Write makes.
const (
	YAMLFile  = "report.yaml"
	HTMLFile  = "report.html"
	JUnitFile = "junit.xml"
)

// Write makes the three files in dir, each complete or not at all.
func (r *Report) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return errors.Join(
		writeFile(filepath.Join(dir, YAMLFile), r.YAML),
		writeFile(filepath.Join(dir, HTMLFile), r.HTML),
		writeFile(filepath.Join(dir, JUnitFile), r.JUnit),
	)
}

// YAML writes the report for machines.
func (r *Report) YAML(w io.Writer) error {
	return yaml.NewEncoder(w, yaml.Indent(2), yaml.IndentSequence(false)).Encode(r)
}

// Read reads what YAML wrote.
func Read(rd io.Reader) (*Report, error) {
	r := &Report{}
	if err := yaml.NewDecoder(rd, yaml.Strict()).Decode(r); err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	return r, nil
}

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
