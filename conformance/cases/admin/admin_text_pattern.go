package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that takes a host that nobody can ask for.
var adminTextPattern = spec.Case{
	ID: "ADMIN-TEXT-PATTERN", Level: spec.Must, Needs: []spec.Feature{spec.AdminTexts},
	Title: "Of a text that does not look as it must the message shows the pattern, as Lua quotes it, and the text.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		refusedWith(ctx, t,
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","host":"a.example/b","upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "host" validation failed: failed to match pattern "^\\*$|^\\*?[0-9a-zA-Z-._\\[\\]:]+$" with "a.example/b"`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","hosts":["a.example","b c"],"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "hosts" validation failed: failed to validate item 2: failed to match pattern "^\\*$|^\\*?[0-9a-zA-Z-._\\[\\]:]+$" with "b c"`},
			no{put("/routes/"+t.Name("r"), `{"uri":"/a","labels":{"a":"b c"},"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`), `invalid configuration: property "labels" validation failed: failed to validate a (matching ".*"): failed to match pattern "^\\S+$" with "b c"`},
		)
	},
}
