package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes a host beside hosts and ignores one of them.
var adminTextPairs = spec.Case{
	ID: "ADMIN-TEXT-PAIRS", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "A route has host or hosts, and remote_addr or remote_addrs; both is refused before anything else is looked at.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","host":"a.example","hosts":["b.example"],"no_such":1,"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `only one of host or hosts is allowed`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","remote_addr":"10.0.0.1","remote_addrs":["10.0.0.2"],"no_such":1,"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `only one of remote_addr or remote_addrs is allowed`},
		)
	},
}
