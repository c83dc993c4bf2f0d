package topology

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/unilb/unilb/topology/strict"
)

// Load reads and checks a topology file. Overrides are "path=value" as for
// Parse. What is wrong with the file comes as Errors, all of it; a file that
// cannot be read as an *fs.PathError.
func Load(fsys fs.FS, path string, overrides ...string) (*Spec, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	src, err := io.ReadAll(io.LimitReader(f, strict.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return Parse(path, src, overrides...)
}

// Parse decodes and checks the text of a topology file; name is what errors
// call it. Overrides have the form "regions.bj.azs.az1.l7=1" or
// "guests[0].count=2" and are applied in order before anything is checked; the
// value is YAML, so "vpcs.shop.overlaps=[games]" works. All problems are
// returned at once as Errors.
func Parse(name string, src []byte, overrides ...string) (*Spec, error) {
	s := &Spec{}
	var errs Errors
	s.src, errs = format.Decode(name, src, s, overrides...)
	if err := s.problems(s.src.Report(errs)); err != nil {
		return nil, err
	}
	return s, nil
}
