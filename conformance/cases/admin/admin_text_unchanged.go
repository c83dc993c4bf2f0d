package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that stores bytes of another encoding, escapes twice, cuts
// at a NUL or normalises text: what a client compares with its own file differs
// for ever.
var adminTextUnchanged = spec.Case{
	ID: "ADMIN-TEXT-UNCHANGED", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "Texts are stored as they are, however they were spelled: all planes of Unicode, escapes, quotes, slashes, control characters.",
	Refs:  []string{"RFC 8259 7", "APISIX 3.18 Admin API, response envelope: what was stored"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		t.Track(path[1:])
		for _, spelled := range []string{
			`"plain"`, `"ünïcödé, ελληνικά, 漢字"`, `"a\u030a is not \u00e5"`, `"\ud83d\ude00 and 😀"`, `"\u0041\u00e4\u4e2d"`,
			`"quote \" backslash \\ slash / and \/"`, `"\b\f\n\r\t"`, `"\u0001\u001f\u007f"`, `"a\u0000b"`, `"<script>&amp;'%20+"`, `"  spaces  "`,
			`"\u2028\u2029\ufeff"`, `"` + strings.Repeat("é", 128) + `"`,
		} {
			var want string
			if err := json.Unmarshal([]byte(spelled), &want); err != nil {
				t.Brokenf("%s: %v", spelled, err)
			}
			r := t.Call(ctx, put(path, route(t, `"desc":`+spelled+`,"labels":{"k":"v/\u00e4"},`)))
			if !t.Check(r.Status/100 == 2, "desc %s: got %s, want it stored", spelled, r) {
				continue
			}
			for what, v := range map[string]map[string]any{"answer": valueOf(t, r), "GET": stored(ctx, t, path), "list": listed(ctx, t, t.Name("r"))} {
				t.Check(v["desc"] == want, "desc %s: %s has %q, want %q", spelled, what, v["desc"], want)
				t.Check(in(v, "labels", "k") == "v/ä", "desc %s: %s has the label %q, want \"v/ä\"", spelled, what, in(v, "labels", "k"))
			}
		}
		ask.Answered(ctx, t, del(path), http.StatusOK)
	},
}

// listed is a route as the list has it; nil when it has not.
func listed(ctx context.Context, t *spec.T, id string) map[string]any {
	values, _ := items(ctx, t, "/routes")
	for _, v := range values {
		if v["id"] == id {
			return v
		}
	}
	t.Check(false, "the list of routes lacks %s", id)
	return nil
}
