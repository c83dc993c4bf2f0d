package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// maxBody is the largest body of a write, in bytes.
const maxBody = 1_572_864

// Catches an Admin API that reads whatever it is sent into memory, cuts a body
// and stores what is left, or refuses what is still allowed.
var adminBodyLimit = spec.Case{
	ID: "ADMIN-BODY-LIMIT", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "A body of 1,572,864 bytes is taken, and one of a byte more is refused with 400, its size and the limit, and changes nothing.",
	Refs:  []string{"APISIX 3.18 Admin API, transport: body limit", "APISIX 3.18 Admin API, early errors"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		t.Put(ctx, path[1:], route(t, `"desc":"small",`))
		large := route(t, `"desc":"large",`)
		// White space counts, but is not stored: the store has a limit, too.
		most := large + strings.Repeat(" ", maxBody-len(large))
		for _, size := range []int{maxBody + 1, 2 * maxBody} {
			body := most + strings.Repeat(" ", size-maxBody)
			// A connection that is reset under the sender takes the reason away from him.
			r, err := t.Env().Admin().Do(ctx, put(path, body))
			want := fmt.Sprintf("invalid request body: request size %d is greater than the maximum size %d allowed", size, maxBody)
			t.Check(err == nil && r.Status == http.StatusBadRequest && r.JSON()["error_msg"] == want, "PUT of %d bytes: got %s, %v, want 400 with %q", size, r, err, want)
			t.Check(stored(ctx, t, path)["desc"] == "small", "a body of %d bytes was refused and stored", size)
		}
		ask.Answered(ctx, t, put(path, most), http.StatusOK)
		t.Check(stored(ctx, t, path)["desc"] == "large", "a body of %d bytes was taken and is not stored", maxBody)
	},
}
