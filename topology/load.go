package topology

import (
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"strings"
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
	src, err := io.ReadAll(io.LimitReader(f, maxFile+1))
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
	r := &reader{file: name}
	root := r.read(string(src))
	if root == nil || root.form != formMapping {
		if root != nil {
			r.errs = append(r.errs, Error{File: name, Line: root.at.line, Col: root.at.col,
				Msg: fmt.Sprintf("%s; a topology is a mapping that starts with \"lab: <name>\"", root.form)})
		}
		return nil, r.errs.orNil()
	}
	errs := r.errs
	for _, o := range overrides {
		if err := override(root, o); err != nil {
			errs = append(errs, Error{File: "--set " + shorten(o), Msg: err.Error()})
		}
	}
	s := &Spec{src: &source{file: name, at: map[string]place{}}}
	d := &decoder{src: s.src}
	d.decode(root, "", reflect.ValueOf(s).Elem())
	s.fill()
	errs = append(errs, d.errs...)
	for _, e := range s.problems() {
		if !s.src.spoiled(e.path) {
			errs = append(errs, e)
		}
	}
	if err := errs.orNil(); err != nil {
		return nil, err
	}
	return s, nil
}

// spoiled says whether a problem at the path may be nothing but the consequence
// of a value that could not be read: the same, one around it or one within.
func (s *source) spoiled(path string) bool {
	for _, bad := range s.bad {
		if within(path, bad) || within(bad, path) {
			return true
		}
	}
	return false
}

// within says whether path is outer or lies in it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (outer == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

// shorten bounds foreign text in a message.
func shorten(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
