// Package content owns what conditions see of the body of a request: fields of forms,
// values in JSON by their paths, and the operation of a GraphQL document. Bytes in, values
// out: it knows no request, keeps nothing, and is safe for concurrent use.
//
// Bodies are written by strangers. Whatever one can make large is bounded here beside its
// length in bytes, and a body beyond a bound fails with ErrBounds, so that nobody takes it
// for one that lacks a value. What is no form, JSON or document at all fails otherwise.
package content

import (
	"errors"
	"fmt"
)

// ErrBounds is that of a body which is read no further.
var ErrBounds = errors.New("the body is beyond what conditions read")

func beyond(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBounds, fmt.Sprintf(format, args...))
}
