package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API whose users must guess of which type a member should have been.
var adminTextType = spec.Case{
	ID: "ADMIN-TEXT-TYPE", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "Of a member of the wrong type the message names the type that is wanted and, in Lua's words, the one that was given.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","priority":"1","upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "priority" validation failed: wrong type: expected integer, got string`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","methods":"GET","upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "methods" validation failed: wrong type: expected array, got string`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","enable_websocket":1,"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "enable_websocket" validation failed: wrong type: expected boolean, got number`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","name":null,"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "name" validation failed: wrong type: expected string, got userdata`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","desc":true,"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "desc" validation failed: wrong type: expected string, got boolean`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","labels":["a"],"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "labels" validation failed: wrong type: expected object, got table`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","host":{"a":1},"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "host" validation failed: wrong type: expected string, got table`},
			no{put("/routes/"+t.Name("r"), `["/a"]`), `invalid configuration: wrong type: expected object, got table`},
		)
	},
}
