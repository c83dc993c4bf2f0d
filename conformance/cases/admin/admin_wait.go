package admin

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// appliedHeader says on how many gateways of how many a write is in force.
const appliedHeader = "X-Unilb-Applied"

// Catches an Admin API whose answer cannot be read any more once a client asks where a
// write is in force, that does not tell, or that tells who has not asked.
var adminWait = spec.Case{
	ID: "ADMIN-WAIT", Level: spec.Must, Needs: []spec.Feature{spec.AdminWait},
	Title: "A write with wait=applied is answered as without, and beside key and value says on which gateways its revision is in force: all, none behind.",
	Refs:  []string{"docs/admin.md, waiting until gateways serve a write"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		t.Track(path[1:])
		var made spec.Reply
		for _, w := range []struct {
			call   spec.Call
			status int
		}{{put(path, route(t, "")), http.StatusCreated}, {put(path, route(t, "")), http.StatusOK}, {patch(path, `{"desc":"x"}`), http.StatusOK}, {del(path), http.StatusOK}, {post("/routes", route(t, "")), http.StatusCreated}} {
			w.call.Path += "?wait=applied&timeout=20s"
			made = ask.Answered(ctx, t, w.call, w.status)
			inForce(t, made)
			if w.call.Method == http.MethodDelete {
				t.Check(made.JSON()["deleted"] == "1" && made.JSON()["key"] == "/apisix"+path, "got %s, want what was deleted", made)
				continue
			}
			v := valueOf(t, made)
			for name := range v {
				t.Check(name != "applied" && name != "revision" && name != "in_force", "the value has %q, which nobody wrote: %s", name, made)
			}
			t.Check(v["uri"] == "/a" && v["create_time"] != nil && made.JSON()["key"] == "/apisix/routes/"+fmt.Sprint(v["id"]), "got %s, want key and value as without waiting", made)
		}
		id := fmt.Sprint(valueOf(t, made)["id"]) // of POST
		t.Track("routes/" + id)
		for _, c := range []spec.Call{put("/routes/"+id, route(t, "")), put("/routes/"+id+"?timeout=1s", route(t, "")), get("/routes/" + id + "?wait=applied"), del("/routes/" + id)} {
			r := ask.Answered(ctx, t, c, http.StatusOK)
			t.Check(r.JSON()["applied"] == nil && r.Header.Get(appliedHeader) == "", "%s %s has not asked, and is told: %s", c.Method, c.Path, r)
		}
	},
}

// inForce checks that a write is in force everywhere by its answer.
func inForce(t *spec.T, r spec.Reply) {
	a, _ := r.JSON()["applied"].(map[string]any)
	behind, isList := a["behind"].([]any)
	nodes, err := strconv.Atoi(fmt.Sprint(a["nodes"]))
	t.Check(err == nil && nodes > 0 && fmt.Sprint(a["in_force"]) == fmt.Sprint(nodes) && isList && len(behind) == 0, "got %s, want it in force on all gateways, at least one", r)
	t.Check(r.Revision != 0 && fmt.Sprint(a["revision"]) == fmt.Sprint(r.Revision), "revision %v beside %s %d", a["revision"], spec.RevisionHeader, r.Revision)
	want := fmt.Sprintf("%d/%d", nodes, nodes)
	t.Check(r.Header.Get(appliedHeader) == want, "%s is %q, want %q", appliedHeader, r.Header.Get(appliedHeader), want)
}
