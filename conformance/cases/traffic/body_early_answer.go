package traffic

import (
	"context"
	"net/http"
	"strconv"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
)

// Catches a gateway that waits for the end of an upload that nobody reads, or that
// throws the answer away when the target ends the upload: users see a broken
// connection instead of "too large" or "log in first".
var bodyEarlyAnswer = spec.Case{
	ID: "BODY-EARLY-ANSWER", Level: spec.Should, Needs: []spec.Feature{spec.ProxyBodies},
	Title:    "When a backend answers 413 without reading a large upload the client gets that answer.",
	Refs:     []string{"RFC 9112 9.5", "RFC 9110 15.5.14"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		const size = 16 << 20 // more than the buffers on the way hold
		w := begin(ctx, t, http.MethodPost, echo.HeaderUnread+": 1", echo.HeaderStatus+": 413", echo.HeaderSize+": 10", "Content-Length: "+strconv.Itoa(size))
		uploaded := make(chan struct{})
		go func() {
			defer close(uploaded)
			w.send(string(echo.Pattern(size))) // ends at the latest when the wire is closed below
		}()
		status, fields := w.answer()
		t.Check(status == http.StatusRequestEntityTooLarge && fields.Get(echo.HeaderBackend) != "", "got %d of %q, want the backend's 413", status, fields.Get(echo.HeaderBackend))
		if err := expect(w.body(fields), string(echo.Pattern(10))); err != nil {
			t.Check(false, "body of the 413: %v", err)
		}
		_ = w.Close() // the rest of the upload is of no use
		<-uploaded
	},
}
