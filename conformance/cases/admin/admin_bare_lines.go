package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API whose decoder is stricter than APISIX's: the scripts of its
// documentation put certificates and protos between two quotes line by line.
var adminBareLines = spec.Case{
	ID: "ADMIN-BARE-LINES", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "Line feeds and tabs may stand bare within the strings of a body, and come back as they were.",
	Refs:  []string{"APISIX 3.18 Admin API, early errors: body not JSON", "lua-cjson, what it takes beyond JSON"},
	After: []string{"ADMIN-CONTENT-TYPE"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		t.Put(ctx, path[1:], route(t, "\"desc\":\"a\n\tb\\\"\r\n\","))
		t.Check(stored(ctx, t, path)["desc"] == "a\n\tb\"\r\n", "the text is not what was put")
		ask.Answered(ctx, t, patch(path, "{\n\"desc\":\"c\n\"}"), http.StatusOK)
		t.Check(stored(ctx, t, path)["desc"] == "c\n", "the text is not what it was changed to")
	},
}
