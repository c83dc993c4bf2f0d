package topology

import (
	"fmt"
	"reflect"
)

// MaxDocumentBytes is the largest file that Decode and Parse read.
const MaxDocumentBytes = maxFile

// A Document is a YAML file that was decoded and remembers where each value is
// written, so that whoever checks the values can say so. Other files of the
// testbed are read with it, too: strictly, and with all problems at once.
type Document struct {
	src  *source
	errs Errors
}

// Decode fills dst, a pointer to a struct whose tags "yaml" name its keys, from
// the text of a file. What the file holds ("topology") and how it begins ("lab:
// <name>") are for messages. Unknown keys, repeated ones and values of another
// form are problems; see Err.
func Decode(what, begin, file string, text []byte, dst any) *Document {
	n := noun{what, begin}
	d := &Document{src: &source{file: file, at: map[string]place{}, what: n}}
	r := &reader{file: file, what: n}
	root := r.read(string(text))
	d.errs = r.errs
	switch {
	case root == nil:
		d.src.bad = []string{""} // nothing can be said about any value
		return d
	case root.form != formMapping:
		d.src.bad = []string{""}
		d.errs = append(d.errs, Error{File: file, Line: root.at.line, Col: root.at.col,
			Msg: fmt.Sprintf("%s; a %s is a mapping that starts with %q", root.form, n, n.start())})
		return d
	}
	dec := &decoder{src: d.src}
	dec.decode(root, "", reflect.ValueOf(dst).Elem())
	d.errs = append(d.errs, dec.errs...)
	return d
}

// Fail adds a problem with the value at the path ("start.exec[0]"), unless that
// value could not be read: then it has been said what is wrong with it.
func (d *Document) Fail(path, format string, args ...any) {
	if d.src.spoiled(path) {
		return
	}
	at := d.src.place(path)
	d.errs = append(d.errs, Error{File: at.file, Line: at.line, Col: at.col, Msg: fmt.Sprintf(format, args...), path: path})
}

// Err is every problem so far, as Errors in the order of the file, or nil.
func (d *Document) Err() error { return d.errs.orNil() }

// DidYouMean is the end of a message about an unknown word: the nearest of the
// known ones, or all of them when none is near and they are few; or empty.
func DidYouMean(got string, known []string) string { return didYouMean(got, known) }
