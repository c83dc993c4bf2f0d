package traffic

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that keeps 1xx responses to itself: browsers load late what a
// backend told them early.
var headersInterimPassed = spec.Case{
	ID: "HDR-INTERIM-PASSED", Level: spec.Must, Needs: []spec.Feature{spec.ProxyInterim},
	Title: "A backend's 103 (Early Hints) reaches the client with its headers, before the answer and not mixed up with it.",
	Refs:  []string{"RFC 9110 15.2", "RFC 8297 2"},
	After: []string{"HDR-INTERIM-HARMLESS"},
	Run: func(ctx context.Context, t *spec.T) {
		routeTo(ctx, t, "", play(ctx, t, hinting).Addr)
		w := begin(ctx, t, http.MethodGet)
		hints := 0
		status, fields := w.answer()
		for ; status < 200; status, fields = w.answer() {
			hints++
			t.Check(status == http.StatusEarlyHints && fields.Get("Link") != "", "got %d with Link %q, want 103 with the backend's", status, fields.Get("Link"))
		}
		t.Check(hints > 0, "the client saw no 103")
		t.Check(status == http.StatusOK && fields.Get("Link") == "", "got %d with Link %q, want 200 without", status, fields.Get("Link"))
		if err := expect(w.body(fields), "done"); err != nil {
			t.Check(false, "body after the hints: %v", err)
		}
	},
}
