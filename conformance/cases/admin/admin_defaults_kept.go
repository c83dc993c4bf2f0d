package admin

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that refuses objects that older releases of APISIX have filled
// up with defaults.
var adminDefaultsKept = spec.Case{
	ID: "ADMIN-DEFAULTS-KEPT", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "Members that say what would hold anyway are taken and given back.",
	Refs:  []string{"APISIX 3.18 Admin API, response envelope: defaults"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		t.Put(ctx, path[1:], fmt.Sprintf(`{"host":%q,"uri":"/a","priority":0,"status":1,"upstream":{"type":"roundrobin","hash_on":"vars","scheme":"http","pass_host":"pass","nodes":{"192.0.2.1:80":1}}}`, t.Host()))
		v := stored(ctx, t, path)
		t.Check(text(v["priority"]) == "0" && text(v["status"]) == "1" && in(v, "upstream", "hash_on") == "vars", "got %s, want the defaults that were put", text(v))
	},
}
