package traffic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/http1"
)

// Outcome judges a complete response to the request with that id. What a backend
// marked as its answer to this request did happen; a 4xx of the gateway's own
// making says that nothing did; after anything else nobody knows.
func (r *Reply) Outcome(id string) (history.Outcome, history.ErrClass, string) {
	if r.FromBackend() {
		if op := r.Header.Get(echo.HeaderOp); op != id {
			return history.Info, history.ClassProtocol, fmt.Sprintf("the answer belongs to request %q", op)
		}
		switch {
		case r.Status >= 500:
			return history.OK, history.Class5xxBackend, ""
		case r.Status >= 400:
			return history.OK, history.Class4xxBackend, ""
		}
		return history.OK, history.ClassNone, ""
	}
	switch {
	case r.Status >= 500: // a 502 or 504 may follow a request that a backend did see
		return history.Info, history.Class5xxGateway, strings.TrimSpace(http.StatusText(r.Status))
	case r.Status >= 400:
		return history.Fail, history.Class4xxGateway, strings.TrimSpace(http.StatusText(r.Status))
	}
	return history.Info, history.ClassOddGateway, "answer without a backend's mark"
}

// Classify names an error. dialled says whether a connection existed: before,
// nothing was sent and the request certainly did not happen.
func Classify(err error, dialled bool) (history.Outcome, history.ErrClass) {
	outcome := history.Info
	if !dialled {
		outcome = history.Fail
	}
	var ne net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return outcome, history.ClassCanceled
	case errors.Is(err, unix.ECONNREFUSED):
		return outcome, history.ClassRefused
	case errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		return outcome, history.ClassReset
	case errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.ENETUNREACH):
		return outcome, history.ClassUnreachable
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		if !dialled {
			return outcome, history.ClassDialTimeout
		}
		return outcome, history.ClassTimeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return outcome, history.ClassEOF
	case errors.Is(err, http1.ErrMalformed):
		return outcome, history.ClassProtocol
	}
	return outcome, history.ClassOther
}
