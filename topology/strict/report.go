package strict

import "fmt"

// A Report collects what is wrong with values, with their places. It is not safe
// for concurrent use.
type Report struct {
	src  *Source
	errs Errors
}

// Report begins a report with the problems that are known already. The Source
// may be nil.
func (s *Source) Report(known Errors) *Report { return &Report{src: s, errs: known} }

// Fail adds a problem with the value at the path ("start.exec[0]"), unless that
// value could not be read: then it has been said what is wrong with it.
func (r *Report) Fail(path, format string, args ...any) {
	if r.src.Doubtful(path) {
		return
	}
	at := r.src.place(path)
	r.errs = append(r.errs, Error{File: at.file, Line: at.line, Col: at.col, Msg: fmt.Sprintf(format, args...), Path: path})
}

// Err is every problem so far, as Errors in the order of the file, or nil.
func (r *Report) Err() error { return r.errs.Err() }
