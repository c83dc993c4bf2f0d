package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that knows the header only, or believes whichever of
// several keys is right.
var adminAuthPlaces = spec.Case{
	ID: "ADMIN-AUTH-PLACES", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "The key may come in the query, in a header or in a cookie, and the first of these that is there decides alone.",
	Refs:  []string{"APISIX 3.18 Admin API, authentication: order of the token"},
	After: []string{"ADMIN-BAD-KEY"},
	Run: func(ctx context.Context, t *spec.T) {
		key := t.Env().Admin().Key
		if key == "" {
			t.Brokenf("the Admin API of this place has no key")
		}
		const wrong = "wrong-key"
		for _, c := range []struct{ query, header, cookie string }{
			{query: key}, {header: key}, {cookie: key},
			{query: key, header: wrong}, {query: key, cookie: wrong}, {header: key, cookie: wrong},
			{query: wrong}, {cookie: wrong},
			{query: wrong, header: key}, {query: wrong, cookie: key}, {header: wrong, cookie: key},
		} {
			call := spec.Call{Method: http.MethodGet, Path: "/routes", NoKey: true, Header: map[string]string{}}
			want := c.cookie
			if c.cookie != "" {
				call.Header["Cookie"] = "a=b; x_api_key=" + c.cookie
			}
			if c.header != "" {
				call.Header["X-API-KEY"], want = c.header, c.header
			}
			if c.query != "" {
				call.Path, want = call.Path+"?api_key="+c.query, c.query
			}
			r := t.Call(ctx, call)
			if want == key {
				t.Check(r.Status == http.StatusOK, "query %q, header %q, cookie %q: got %s, want 200", c.query, c.header, c.cookie, r)
				continue
			}
			t.Check(r.Status == http.StatusUnauthorized && r.JSON()["description"] == "wrong apikey", "query %q, header %q, cookie %q: got %s, want 401 with \"wrong apikey\"", c.query, c.header, c.cookie, r)
		}
		ask.Answered(ctx, t, get("/routes"), http.StatusOK)
	},
}
