package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that counts milliseconds, loses create_time with a
// replacement, leaves update_time as it was, or lets clients set them.
var adminTimestamps = spec.Case{
	ID: "ADMIN-TIMESTAMPS", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "Objects get create_time and update_time in Unix seconds; a replacement keeps the one and moves the other, and bodies must not hold them.",
	Refs:  []string{"APISIX 3.18 Admin API, timestamps"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		created, updated := times(t, t.Put(ctx, path[1:], route(t, "")))
		// A day is more than clocks of different machines differ by, and much less
		// than another unit.
		off := time.Since(time.Unix(created, 0)).Abs()
		t.Check(off < 24*time.Hour, "create_time is %d, which is %s from now", created, off)
		t.Check(created == updated, "a new object has create_time %d and update_time %d", created, updated)

		t.Step("replacements, until the second is over")
		c, u := created, updated
		ask.Within(ctx, t, 4*time.Second, "update_time moves with a replacement", 1, func() bool {
			c, u = times(t, ask.Answered(ctx, t, put(path, route(t, `"desc":"again",`)), http.StatusOK))
			return u != updated
		})
		t.Check(c == created && u > updated && u < updated+60, "create_time was %d and is %d, update_time was %d and is %d", created, c, updated, u)
		v := stored(ctx, t, path)
		t.Check(text(v["create_time"]) == fmt.Sprint(created) && text(v["update_time"]) == fmt.Sprint(u), "GET: got %v, want the times of the last answer", v)

		t.Step("times of the client's")
		for _, name := range []string{"create_time", "update_time"} {
			ask.Refused(ctx, t, put(path, route(t, `"`+name+`":1700000000,`)), http.StatusBadRequest, "the property is forbidden:  "+name)
			ask.Refused(ctx, t, post("/routes", route(t, `"`+name+`":1700000000,`)), http.StatusBadRequest, "the property is forbidden:  "+name)
			nested := fmt.Sprintf(`{"host":%q,"uri":"/a","upstream":{%q:1700000000,%s}}`, t.Host(), name, nodes)
			ask.Refused(ctx, t, put(path, nested), http.StatusBadRequest, "the property is forbidden:  upstream."+name)
		}
		all := fmt.Sprintf(`{"host":%q,"uri":"/a","update_time":1,"create_time":1,"upstream":{"create_time":1,%s},"plugins":{"update_time":{}}}`, t.Host(), nodes)
		refusedWith(ctx, t, no{put(path, all), "the property is forbidden:  create_time update_time upstream.create_time plugins.update_time"})
	},
}

// times are create_time and update_time of the object in an answer.
func times(t *spec.T, r spec.Reply) (created, updated int64) {
	v := valueOf(t, r)
	for name, into := range map[string]*int64{"create_time": &created, "update_time": &updated} {
		n, _ := v[name].(json.Number)
		var err error
		if *into, err = n.Int64(); err != nil {
			t.Fatalf("got %s, want whole seconds in value.%s", r, name)
		}
	}
	return created, updated
}
