package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that deletes the definition by which a route translates.
var adminProtoInUse = spec.Case{
	ID: "ADMIN-PROTO-IN-USE", Level: spec.Must, Needs: []spec.Feature{spec.AdminProtos},
	Title: "A definition that a route's grpc-transcode uses is not deleted.",
	Refs:  []string{"APISIX 3.18 Admin API, reference checks on DELETE"},
	After: []string{"ADMIN-PROTO"},
	Run: func(ctx context.Context, t *spec.T) {
		proto, rt := t.Name("p"), t.Name("r")
		t.Put(ctx, "protos/"+proto, `{"content":"syntax = \"proto3\"; service S { rpc R (M) returns (M) {} } message M { string name = 1; }"}`)
		t.Track("routes/" + rt)
		ask.Answered(ctx, t, put("/routes/"+rt, fmt.Sprintf(`{"host":%q,"uri":"/a","plugins":{"grpc-transcode":{"proto_id":%q,"service":"S","method":"R"}},"upstream":{%s}}`, t.Host(), proto, nodes)), http.StatusCreated)
		ask.Within(ctx, t, ask.HealthBound, "DELETE of a proto in use", 1, func() bool { return t.Call(ctx, del("/protos/"+proto)).Status == http.StatusBadRequest })
		refusedWith(ctx, t, no{del("/protos/" + proto), "can not delete this proto, route [" + rt + "] is still using it now"})
		t.Delete(ctx, "routes/"+rt)
		letGo(ctx, t, "/protos/"+proto)
	},
}
