package strict

import (
	"cmp"
	"fmt"
	"reflect"
)

// MaxBytes is the largest file that Decode takes. The YAML library needs
// quadratic time.
const MaxBytes = 64 << 10

// A Format is what files are called in messages. The zero value works.
type Format struct {
	Name  string // what a file holds: "topology"; "": "document"
	Begin string // what it begins with: "lab: <name>"; "": nothing is said
}

func (f Format) String() string { return cmp.Or(f.Name, "document") }

// start is the end of a message about a file that has no keys.
func (f Format) start(verb string) string {
	if f.Begin == "" {
		return ""
	}
	return fmt.Sprintf(" %s %q", verb, f.Begin)
}

// Decode fills into, a pointer to a struct, from the text of a file; file is what
// errors call it. Overrides are "path=value", applied in order before anything is
// checked; the value is YAML. What is left out is set to its default, and what
// the tags demand is checked. All problems are returned at once, in the order of
// the file; for what the tags cannot say see Source.Report, which takes them. The
// Source is never nil.
func (f Format) Decode(file string, text []byte, into any, overrides ...string) (*Source, Errors) {
	s := &Source{file: file, at: map[string]place{}, chosen: map[string]chosen{}, format: f}
	dst := reflect.ValueOf(into).Elem()
	r := &reader{file: file, format: f}
	root := r.read(string(text))
	switch {
	case root == nil:
		s.bad = []string{""} // nothing can be said about any value
		return s, r.errs.sorted()
	case root.form != formMapping:
		s.bad = []string{""}
		msg := fmt.Sprintf("%s; a %s is a mapping%s", root.form, f, f.start("that starts with"))
		return s, append(r.errs, Error{File: file, Line: root.at.line, Col: root.at.col, Msg: msg}).sorted()
	}
	errs := r.errs
	for _, o := range overrides {
		if err := f.override(root, dst.Type(), o); err != nil {
			errs = append(errs, Error{File: "--set " + Shorten(o), Msg: err.Error()})
		}
	}
	d := &decoder{src: s}
	d.decode(root, "", dst)
	errs = append(errs, d.errs...)
	Fill(into, s)
	report := s.Report(errs)
	report.Limits(into)
	return s, report.errs.sorted()
}
