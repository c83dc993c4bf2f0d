package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/selfsigned"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that hands private keys to whoever may read.
var adminSSLKeyHidden = spec.Case{
	ID: "ADMIN-SSL-KEY-HIDDEN", Level: spec.Must, Needs: []spec.Feature{spec.AdminSSL},
	Title: "A certificate comes back as it was stored, and its private keys never do: not in GET, not in lists, and not in clear in answers to writes.",
	Refs:  []string{"APISIX 3.18 Admin API, response envelope: ssls"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		cert, key := selfsigned.Certificate(t)
		cert2, key2 := selfsigned.Certificate(t)
		id := t.Name("s")
		path := "/ssls/" + id
		t.Track(path[1:])
		body := fmt.Sprintf(`{"snis":[%q],"cert":%q,"key":%q,"certs":[%q],"keys":[%q]}`, t.Host(), cert, key, cert2, key2)
		for what, r := range map[string]spec.Reply{
			"PUT": ask.Answered(ctx, t, put(path, body), http.StatusCreated), "GET": ask.Answered(ctx, t, get(path), http.StatusOK),
			"list": ask.Answered(ctx, t, get("/ssls"), http.StatusOK),
		} {
			for _, secret := range []string{key, key2} {
				line := strings.Split(secret, "\n")[1]
				t.Check(!strings.Contains(string(r.Body), line), "the answer to %s holds a private key in clear", what)
			}
		}
		v := stored(ctx, t, path)
		_, one := v["key"]
		_, many := v["keys"]
		t.Check(!one && !many, "GET: the object has key or keys, if only encrypted: %s", text(v))
		t.Check(v["cert"] == cert && text(v["certs"]) == text([]any{cert2}), "GET: the certificates differ from those that were put")
	},
}
