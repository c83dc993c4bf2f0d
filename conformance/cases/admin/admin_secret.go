package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that mixes up the managers of secrets, or takes one that does
// not exist.
var adminSecret = spec.Case{
	ID: "ADMIN-SECRET", Level: spec.Must, Needs: []spec.Feature{spec.AdminSecrets},
	Title: "Managers of secrets are written below their type, which is part of their id; one list holds those of all types.",
	Refs:  []string{"APISIX 3.18 Admin API, resources: secrets"},
	After: []string{"ADMIN-KINDS"},
	Run: func(ctx context.Context, t *spec.T) {
		id := t.Name("v")
		vault := `{"uri":"http://127.0.0.1:8200","prefix":"kv/apisix","token":"t"}`
		aws := `{"access_key_id":"a","secret_access_key":"b"}`
		for manager, body := range map[string]string{"vault": vault, "aws": aws} {
			path := "/secrets/" + manager + "/" + id
			t.Track(path[1:])
			v := valueOf(t, ask.Answered(ctx, t, put(path, body), http.StatusCreated))
			t.Check(v["id"] == manager+"/"+id, "PUT %s: got %s, want the id %s/%s", path, text(v), manager, id)
			r := ask.Answered(ctx, t, get(path), http.StatusOK)
			t.Check(isKey(r.JSON()["key"], "secrets", manager+"/"+id), "GET %s: got %s", path, r)
		}
		values, _ := items(ctx, t, "/secrets")
		seen := 0
		for _, v := range values {
			if v["id"] == "vault/"+id || v["id"] == "aws/"+id {
				seen++
			}
		}
		t.Check(seen == 2, "the list of secrets holds %d of 2", seen)
		v := valueOf(t, ask.Answered(ctx, t, patch("/secrets/vault/"+id+"/token", `"u"`), http.StatusOK))
		t.Check(v["token"] == "u" && v["prefix"] == "kv/apisix", "PATCH: got %s", text(v))
		refusedWith(ctx, t,
			no{put("/secrets/safe/"+id, `{}`), "invalid secret manager: safe"},
			no{put("/secrets/vault/"+id, `{"uri":"http://a","prefix":"p"}`), `invalid configuration: property "token" is required`},
			no{put("/secrets/vault", vault), "missing secret id"},
		)
		ask.Refused(ctx, t, post("/secrets/vault/"+id, vault), http.StatusMethodNotAllowed, "not supported `POST` method for secret")
		ask.Answered(ctx, t, del("/secrets/vault/"+id), http.StatusOK)
		ask.Missing(ctx, t, get("/secrets/vault/"+id))
		ask.Answered(ctx, t, get("/secrets/aws/"+id), http.StatusOK)
	},
}
