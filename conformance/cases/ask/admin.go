package ask

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Answered makes a call to the Admin API that must be answered with the status,
// or else the case ends.
func Answered(ctx context.Context, t *spec.T, c spec.Call, status int) spec.Reply {
	r := t.Call(ctx, c)
	if r.Status != status {
		t.Fatalf("%s %s: got %s, want %d", c.Method, c.Path, r, status)
	}
	return r
}

// Missing makes a call for an object that must not be there.
func Missing(ctx context.Context, t *spec.T, c spec.Call) {
	r := Answered(ctx, t, c, http.StatusNotFound)
	t.Check(r.JSON()["message"] == "Key not found", `%s %s: got %s, want {"message":"Key not found"}`, c.Method, c.Path, r)
}

// Refused makes a call that must be refused, with a message that begins so.
func Refused(ctx context.Context, t *spec.T, c spec.Call, status int, begins string) {
	r := t.Call(ctx, c)
	msg, _ := r.JSON()["error_msg"].(string)
	t.Check(r.Status == status && msg != "" && strings.HasPrefix(msg, begins), "%s %s with %.100q: got %s, want %d with error_msg %q", c.Method, c.Path, c.Body, r, status, begins)
}
