package report

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"
)

// Names of the files that Write makes.
const (
	YAMLFile  = "report.yaml"
	HTMLFile  = "report.html"
	JUnitFile = "junit.xml"
)

// Write makes the three files in dir, each complete or not at all. In them paths
// below the working directory are relative to it.
func (r *Report) Write(dir string) error {
	r = r.local()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return errors.Join(
		writeFile(filepath.Join(dir, YAMLFile), r.YAML),
		writeFile(filepath.Join(dir, HTMLFile), r.HTML),
		writeFile(filepath.Join(dir, JUnitFile), r.JUnit),
	)
}

// YAML writes the report for machines. Its last line is a digest of all lines
// before it: see Sealed.
func (r *Report) YAML(w io.Writer) error {
	open := *r
	open.Digest = ""
	var b bytes.Buffer
	if err := yaml.NewEncoder(&b, yaml.Indent(2), yaml.IndentSequence(false)).Encode(&open); err != nil {
		return err
	}
	fmt.Fprintf(&b, digestLine, sha256.Sum256(b.Bytes()))
	_, err := b.WriteTo(w)
	return err
}

const digestLine = "digest: sha256:%x\n"

// Sealed says whether the file is as it was written: an error when somebody edited
// it, or when it has no digest. It proves no origin; it shows carelessness, and
// makes a change of a published report one that must be meant.
func Sealed(file []byte) error {
	at := bytes.LastIndexByte(bytes.TrimSuffix(file, []byte("\n")), '\n') + 1
	line := string(file[at:])
	switch want := fmt.Sprintf(digestLine, sha256.Sum256(file[:at])); {
	case !strings.HasPrefix(line, "digest: "):
		return errors.New("the last line is no digest")
	case line != want:
		return errors.New("edited: its digest is of something else")
	}
	return nil
}

// MaxBytes is the largest report that Read takes.
const MaxBytes = 64 << 20

// Read reads what YAML wrote, edited or not.
func Read(rd io.Reader) (*Report, error) {
	r := &Report{}
	if err := yaml.NewDecoder(io.LimitReader(rd, MaxBytes), yaml.Strict()).Decode(r); err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	return r, nil
}

// ReadFile reads a report, or the one in a directory.
func ReadFile(path string) (*Report, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, YAMLFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	r, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
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
