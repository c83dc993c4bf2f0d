package admin

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that lets a consumer be of a group that is not there, or takes
// the group away from under it.
var adminConsumerGroup = spec.Case{
	ID: "ADMIN-CONSUMER-GROUP", Level: spec.Must, Needs: []spec.Feature{spec.AdminKinds},
	Title: "A consumer's group must exist, and is not deleted while the consumer is in it.",
	Refs:  []string{"APISIX 3.18 Admin API, reference checks"},
	After: []string{"ADMIN-CONSUMER-NAME"},
	Run: func(ctx context.Context, t *spec.T) {
		group, user := t.Name("g"), t.Name("u")
		refusedWith(ctx, t, no{put("/consumers", `{"username":"`+user+`","group_id":"`+group+`"}`), "failed to fetch consumer group info by consumer group id [" + group + "], response code: 404"})
		t.Put(ctx, "consumer_groups/"+group, `{`+off+`}`)
		t.Put(ctx, "consumers/"+user, `{"username":"`+user+`","group_id":"`+group+`"}`)
		t.Wait(ctx)
		refusedWith(ctx, t, no{del("/consumer_groups/" + group), "can not delete this consumer group, consumer [" + user + "] is still using it now"})
		t.Delete(ctx, "consumers/"+user)
		letGo(ctx, t, "/consumer_groups/"+group)
	},
}
