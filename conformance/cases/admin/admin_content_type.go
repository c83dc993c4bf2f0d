package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that refuses, or parses as a form, what "curl -d" sends:
// half of all scripts do, with the content type of a form.
var adminContentType = spec.Case{
	ID: "ADMIN-CONTENT-TYPE", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "A body is read as JSON whatever its Content-Type says, and answers are application/json that ends with one line feed.",
	Refs:  []string{"APISIX 3.18 Admin API, transport: content type"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		t.Track(path[1:])
		for _, sent := range []string{"", "application/json", "application/json; charset=utf-8", "application/x-www-form-urlencoded", "text/plain", "nonsense"} {
			c := put(path, route(t, `"desc":"as `+sent+`",`))
			if sent != "" {
				c.Header = map[string]string{"Content-Type": sent}
			}
			r := t.Call(ctx, c)
			if t.Check(r.Status/100 == 2, "PUT as %q: got %s, want 2xx", sent, r) {
				t.Check(valueOf(t, r)["desc"] == "as "+sent, "PUT as %q: got %s", sent, r)
			}
		}
		for _, c := range []spec.Call{get(path), get("/routes"), put(path, route(t, "")), put(path, "{"), get("/routes/" + t.Name("none")), get("/no-such-kind")} {
			r := t.Call(ctx, c)
			kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
			t.Check(kind == "application/json", "%s %s: Content-Type is %q, want application/json", c.Method, c.Path, r.Header.Get("Content-Type"))
			t.Check(strings.HasSuffix(string(r.Body), "}\n"), "%s %s: the body ends with %q, want one line feed after the object", c.Method, c.Path, tail(r.Body))
		}
		ask.Answered(ctx, t, del(path), http.StatusOK)
	},
}

func tail(b []byte) []byte { return b[max(0, len(b)-8):] }
