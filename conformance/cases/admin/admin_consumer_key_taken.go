package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that gives two consumers the same key, so that one acts in the
// name of the other.
var adminConsumerKeyTaken = spec.Case{
	ID: "ADMIN-CONSUMER-KEY-TAKEN", Level: spec.Must, Needs: []spec.Feature{spec.AdminCredentials},
	Title: "What a consumer is known by, a key or a name, belongs to one consumer or credential alone; who had it and lets go of it makes room.",
	Refs:  []string{"APISIX 3.18 Admin API, validation messages: consumer"},
	After: []string{"ADMIN-CREDENTIAL"},
	Run: func(ctx context.Context, t *spec.T) {
		jack, jill, key := t.Name("jack"), t.Name("jill"), "k-"+t.ID()
		body := func(user, plugins string) string { return `{"username":"` + user + `","plugins":{` + plugins + `}}` }
		byKey, byName := `"key-auth":{"key":"`+key+`"}`, `"basic-auth":{"username":"`+key+`","password":"p"}`
		t.Put(ctx, "consumers/"+jack, body(jack, byKey))
		t.Put(ctx, "consumers/"+jack, body(jack, byKey)) // one's own is not taken
		t.Put(ctx, "consumers/"+jack+"/credentials/c", `{"plugins":{`+byName+`}}`)
		t.Wait(ctx)
		refusedWith(ctx, t,
			no{put("/consumers", body(jill, byKey)), "duplicate key of plugin key-auth found with consumer: " + jack},
			no{put("/consumers", body(jill, byName)), "duplicate key of plugin basic-auth found with credential: c of consumer: " + jack},
			no{put("/consumers/"+jack+"/credentials/d", `{"plugins":{`+byKey+`}}`), "duplicate key of plugin key-auth found with consumer: " + jack},
		)
		t.Delete(ctx, "consumers/"+jack)
		t.Wait(ctx)
		t.Track("consumers/" + jill)
		ask.Answered(ctx, t, put("/consumers", body(jill, byKey+","+byName)), http.StatusCreated)
	},
}
