package tls

import (
	"context"
	"encoding/json"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that knows no references to its environment, takes the whole variable
// for the member that is asked for, or lets an object whose variable is not set stand in
// the way of others.
var tlsSecretEnv = spec.Case{
	ID: "TLS-SECRET-ENV", Level: spec.Must, Needs: []spec.Feature{spec.TLSSecrets}, Env: []spec.Capability{spec.TLS},
	Title:    "A certificate in a variable of the gateway's environment, as members of a JSON object, is served; an object whose variable is not set is not, and keeps no other from coming into force.",
	Refs:     []string{"APISIX 3.18 $env://NAME/key"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		var texts struct{ Cert, Key string }
		if err := json.Unmarshal([]byte(spec.EnvPair), &texts); err != nil {
			t.Brokenf("the pki.Pair of the environment: %v", err)
		}
		p := readPair(t, texts.Cert, texts.Key)
		a, b, c := "a."+t.Host(), "b."+t.Host(), "c."+t.Host()
		pc := newAuthority(t, "case").issue(c)
		put(ctx, t, "a", kept("$env://"+spec.EnvName+"/cert", "$env://"+spec.EnvName+"/key", a))
		put(ctx, t, "b", kept("$env://CONFORMANCE_NOT_SET/cert", "$env://"+spec.EnvName+"/key", b))
		put(ctx, t, "c", server(pc, c))
		for name, host := range map[string]string{"a": a, "b": b, "c": c} {
			route(ctx, t, name, host, t.Backend(0))
		}
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			call(ctx, t, gw, client(a), a).served(t, p, t.Backend(0), "members of a variable")
			call(ctx, t, gw, client(b), b).stranger(t, "the variable is not set", p, pc)
			call(ctx, t, gw, client(c), c).served(t, pc, t.Backend(0), "beside an object whose variable is not set")
		}
	},
}
