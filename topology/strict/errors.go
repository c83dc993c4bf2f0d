package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// An Error is one problem of a file.
type Error struct {
	File string // as given to Decode; "--set path=value" for an override; empty for values made in Go
	Line int    // from 1; 0 when the problem has no place in a file
	Col  int    // in characters, from 1; 0 likewise
	Msg  string
	Path string // of the value: "regions.bj.azs.az1"; empty when there is none
}

// Error is the line that a user reads: file:line:col: message.
func (e Error) Error() string {
	switch {
	case e.Line > 0:
		return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg)
	case e.File != "":
		return e.File + ": " + e.Msg
	}
	return e.Msg
}

// Errors are all problems of a file in the order of the file. As an error it is
// used through Err, so that none is nil.
type Errors []Error

// Error is one line for each problem and, when there are several, their number.
func (e Errors) Error() string {
	var b strings.Builder
	for i, p := range e {
		if i == maxListed {
			fmt.Fprintf(&b, "and %d more\n", len(e)-i)
			break
		}
		b.WriteString(p.Error())
		b.WriteByte('\n')
	}
	if len(e) > 1 {
		fmt.Fprintf(&b, "%d problems", len(e))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// maxListed bounds the lines of Errors.Error; the slice holds all of them.
const maxListed = 50

// Unwrap lets errors.As find a single Error.
func (e Errors) Unwrap() []error {
	errs := make([]error, len(e))
	for i := range e {
		errs[i] = e[i]
	}
	return errs
}

// Err is the errors in the order of the file, or nil when there are none.
func (e Errors) Err() error {
	if len(e) == 0 {
		return nil
	}
	return e.sorted()
}

// sorted puts the errors in the order of the file and leaves out repetitions.
func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Error) int {
		// What has no line (overrides) comes last.
		return cmp.Or(cmp.Compare(btoi(a.Line == 0), btoi(b.Line == 0)),
			cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return slices.CompactFunc(e, func(a, b Error) bool {
		return a.File == b.File && a.Line == b.Line && a.Col == b.Col && a.Msg == b.Msg
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
