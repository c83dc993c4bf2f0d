package admin

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that cannot read what APISIX has written: its empty lists look
// like empty objects.
var adminEmptyArray = spec.Case{
	ID: "ADMIN-EMPTY-ARRAY", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "An empty object stands for an empty list, where one may be.",
	Refs:  []string{"APISIX 3.18 etcd layout: values"},
	After: []string{"ADMIN-TEXT-ITEMS"},
	Run: func(ctx context.Context, t *spec.T) {
		t.Put(ctx, "upstreams/"+t.Name("u"), `{"nodes":[]}`)
		t.Put(ctx, "upstreams/"+t.Name("u"), `{"nodes":{}}`)
		t.Put(ctx, "routes/"+t.Name("r"), fmt.Sprintf(`{"host":%q,"uri":"/a","methods":{},"vars":{},"upstream":{%s}}`, t.Host(), nodes))
		refusedWith(ctx, t, no{put("/routes/"+t.Name("r"), `{"uris":{},"upstream":{`+nodes+`}}`), `invalid configuration: property "uris" validation failed: expect array to have at least 1 items`})
	},
}
