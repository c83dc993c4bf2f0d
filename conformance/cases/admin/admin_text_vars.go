package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that stores a condition which no gateway can compile.
var adminTextVars = spec.Case{
	ID: "ADMIN-TEXT-VARS", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "A condition that cannot be compiled is refused with the reason.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","vars":["arg_a","==","1"],"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `failed to validate the 'vars' expression: rule should be wrapped inside brackets`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","vars":[["arg_a"]],"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `failed to validate the 'vars' expression: rule too short`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","vars":[["arg_a","=","1"]],"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `failed to validate the 'vars' expression: invalid operator '='`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","vars":[["arg_a","not","==","1"]],"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `failed to validate the 'vars' expression: bad 'not' expression`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","vars":[["a","b","c","d","e"]],"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `failed to validate the 'vars' expression: invalid expression`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","vars":[["remote_addr","ipmatch",["10.0.0.0/8","x"]]],"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `failed to validate the 'vars' expression: invalid ip address`},
		)
	},
}
