package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that stores what its data planes cannot read, so that a write which
// was answered 201 is in force nowhere, or that puts another character in its place.
var adminJSONReadable = spec.Case{
	ID: "ADMIN-JSON-READABLE", Level: spec.Should, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "A body with an escape of half a surrogate pair, with a number beyond 64 bits, or more than 1000 values within each other, is refused with 400 as one that is no JSON; pairs, and 500 levels, are taken.",
	Refs:  []string{"APISIX 3.18 Admin API, early errors: body not JSON", "lua-cjson: decode_max_depth, Unicode escapes"},
	After: []string{"ADMIN-BAD-JSON", "ADMIN-TEXT-UNCHANGED"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		t.Track(path[1:])
		route := func(desc string, levels int) string {
			return fmt.Sprintf(`{"host":%q,"uri":"/a","desc":"%s","upstream":{"nodes":[{"host":"192.0.2.1","port":80,"weight":1,"metadata":{"x":%s%s}}]}}`,
				t.Host(), desc, strings.Repeat("[", levels), strings.Repeat("]", levels))
		}
		for _, body := range []string{route(`\ud83d`, 1), route(`\ude00\ud83d`, 1), route(`\ud83d\u0041`, 1), route(`x`, 1001)} {
			r := ask.Answered(ctx, t, put(path, body), http.StatusBadRequest)
			msg, _ := r.JSON()["error_msg"].(string)
			t.Check(strings.HasPrefix(msg, "invalid request body: ") && r.JSON()["req_body"] == body, "%.300s: got %.300s, want the reason in error_msg and the body in req_body", body, r)
		}
		for _, n := range []string{"1e400", "-1E+400"} {
			body := fmt.Sprintf(`{"host":%q,"uri":"/a","upstream":{"nodes":[{"host":"192.0.2.1","port":80,"weight":1,"metadata":{"x":%s}}]}}`, t.Host(), n)
			ask.Answered(ctx, t, put(path, body), http.StatusBadRequest)
		}
		body := route(`\ud83d\ude00 \\ud83d`, 500)
		ask.Answered(ctx, t, put(path, body), http.StatusCreated)
		got, want := stored(ctx, t, path), spec.Reply{Body: []byte(body)}.JSON()
		for _, name := range []string{"desc", "upstream"} {
			t.Check(text(got[name]) == text(want[name]), "%s is %.300s, want %.300s", name, text(got[name]), text(want[name]))
		}
		ask.Answered(ctx, t, del(path), http.StatusOK)
	},
}
