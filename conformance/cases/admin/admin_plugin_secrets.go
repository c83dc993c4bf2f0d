package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that gives sealed text back, which a client then writes as
// the secret, or that seals again what a PATCH leaves alone.
var adminPluginSecrets = spec.Case{
	ID: "ADMIN-PLUGIN-SECRETS", Level: spec.Must, Needs: []spec.Feature{spec.AdminPatch},
	Title: "A secret of a plugin comes back as it was written, however it is stored: by GET, in lists, after a PATCH of something else and of the secret itself; so does one that looks sealed, and a reference.",
	Refs:  []string{"APISIX 3.18 encryption at rest, encrypt_fields of plugins"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		t.Track(path[1:])
		shows := func(want, after string) {
			v := stored(ctx, t, path)
			t.Check(in(v, "plugins", "csrf", "key") == want, "GET after %s: got %s, want the key %q", after, text(v["plugins"]), want)
			values, _ := items(ctx, t, "/routes?label="+t.Name("l"))
			t.Check(len(values) == 1 && in(values[0], "plugins", "csrf", "key") == want, "list after %s: got %d routes, want one with the key %q", after, len(values), want)
		}
		write := func(key, more string) {
			r := t.Call(ctx, put(path, route(t, `"labels":{"`+t.Name("l")+`":"1"},"plugins":{"csrf":{"key":"`+key+`"}},`+more)))
			t.Check(r.Status/100 == 2, "PUT with the key %q: got %s", key, r)
		}
		for _, key := range []string{"edd1c9f034335f136f87ad84b625c8f1", "x", "77+NmbYqNfN+oLm0aX5akg==", "a key that is longer than two blocks of a cipher", "$secret://vault/1/shop/csrf", "$env://CSRF_KEY"} {
			write(key, "")
			shows(key, "PUT")
		}
		write("one", "")
		ask.Answered(ctx, t, patch(path, `{"desc":"x"}`), http.StatusOK)
		shows("one", "PATCH of something else")
		ask.Answered(ctx, t, patch(path, `{"desc":"y"}`), http.StatusOK)
		shows("one", "two PATCHes of something else")
		ask.Answered(ctx, t, patch(path, `{"plugins":{"csrf":{"key":"two"}}}`), http.StatusOK)
		shows("two", "PATCH of the key")
		ask.Answered(ctx, t, patch(path+"/plugins/csrf/key", `"three"`), http.StatusOK)
		shows("three", "PATCH of the key by its path")
	},
}
