package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that stores definitions that no gateway can compile, or loses a
// line feed of them.
var adminProto = spec.Case{
	ID: "ADMIN-PROTO", Level: spec.Must, Needs: []spec.Feature{spec.AdminProtos},
	Title: "Definitions of gRPC services are kept as they are, and refused when they do not compile.",
	Refs:  []string{"APISIX 3.18 Admin API, resources: protos"},
	After: []string{"ADMIN-KINDS"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/protos/" + t.Name("p")
		content := "syntax = \"proto3\";\npackage a;\n\nservice S {\n  rpc R (M) returns (M) {}\n}\nmessage M {\n  string name = 1;\n}\n"
		t.Put(ctx, path[1:], `{"content":`+text(content)+`}`)
		t.Check(stored(ctx, t, path)["content"] == content, "the content is not what was put")
		refusedWith(ctx, t, no{put(path, `{}`), `invalid configuration: property "content" is required`})
		ask.Refused(ctx, t, put(path, `{"content":"syntax = \"proto3\"; message M { Missing m = 1; }"}`), http.StatusBadRequest, "invalid content: ")
		ask.Refused(ctx, t, patch(path, `{}`), http.StatusMethodNotAllowed, "not supported `PATCH` method for proto")
		t.Check(stored(ctx, t, path)["content"] == content, "what was refused changed the content")
	},
}
