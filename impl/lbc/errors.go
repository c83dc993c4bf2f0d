package lbc

import (
	"fmt"
	"net/http"
)

// A RequestError is a request's own fault: nothing was changed. Status is the
// HTTP status that tells so.
type RequestError struct {
	Status int
	Field  string // path of the field that is wrong; empty when none is
	Reason string
}

func (e *RequestError) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + ": " + e.Reason
}

// invalid says that a field of the body is wrong.
func invalid(field, format string, args ...any) error {
	return &RequestError{Status: http.StatusBadRequest, Field: field, Reason: fmt.Sprintf(format, args...)}
}

// conflict says that the request contradicts what is there.
func conflict(field, format string, args ...any) error {
	return &RequestError{Status: http.StatusConflict, Field: field, Reason: fmt.Sprintf(format, args...)}
}

func notFound(r ref) error {
	return &RequestError{Status: http.StatusNotFound, Reason: fmt.Sprintf("%s does not exist", r)}
}
