package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that shows the credentials of consumers among the consumers, or
// those of one as another's.
var adminCredential = spec.Case{
	ID: "ADMIN-CREDENTIAL", Level: spec.Must, Needs: []spec.Feature{spec.AdminCredentials},
	Title: "A consumer's credentials are written, listed, read and deleted below it, and are not in the list of consumers; without any the list is 404.",
	Refs:  []string{"APISIX 3.18 Admin API, resources: credentials"},
	After: []string{"ADMIN-KINDS"},
	Run: func(ctx context.Context, t *spec.T) {
		jack, jackie := t.Name("jack"), t.Name("jackie")
		t.Put(ctx, "consumers/"+jack, `{"username":"`+jack+`"}`)
		t.Put(ctx, "consumers/"+jackie, `{"username":"`+jackie+`"}`)
		ask.Missing(ctx, t, get("/consumers/"+jack+"/credentials"))
		path := "/consumers/" + jack + "/credentials/c1"
		body := `{"desc":"one","plugins":{"key-auth":{"key":"k-` + t.ID() + `"}}}`
		v := valueOf(t, ask.Answered(ctx, t, put(path, body), http.StatusCreated))
		t.Check(v["id"] == "c1" && v["desc"] == "one" && v["create_time"] != nil, "PUT: got %s, want the object with its id and times", text(v))
		ask.Answered(ctx, t, put(path, body), http.StatusOK)
		r := ask.Answered(ctx, t, get(path), http.StatusOK)
		t.Check(isKey(r.JSON()["key"], "consumers", jack+"/credentials/c1") && isInt(r.JSON()["modifiedIndex"]), "GET: got %s, want its key and revision", r)
		values, total := items(ctx, t, "/consumers/"+jack+"/credentials")
		t.Check(len(values) == 1 && text(total) == "1" && values[0]["id"] == "c1", "list: got %v of %v, want one", values, total)
		ask.Missing(ctx, t, get("/consumers/"+jackie+"/credentials"))
		values, _ = items(ctx, t, "/consumers")
		for _, v := range values {
			t.Check(v["username"] != nil, "the list of consumers holds %s", text(v))
		}
		r = ask.Answered(ctx, t, del(path), http.StatusOK)
		t.Check(r.JSON()["deleted"] == "1", "DELETE: got %s, want deleted \"1\"", r)
		ask.Missing(ctx, t, get(path))
		ask.Missing(ctx, t, del(path))
	},
}
