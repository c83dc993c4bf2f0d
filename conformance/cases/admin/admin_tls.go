package admin

import (
	"context"
	"crypto/tls"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API whose port with TLS is another API: with objects, keys or
// answers of its own, or one that still talks as TLS did in 2006.
var adminTLS = spec.Case{
	ID: "ADMIN-TLS", Level: spec.Must, Needs: []spec.Feature{spec.AdminTLS}, Env: []spec.Capability{spec.Region},
	Title: "The port with TLS is the same Admin API, with a certificate that its authority signed: what is written there is read at the other port, a key is needed, and nothing below TLS 1.2 and nothing in clear is answered.",
	Refs:  []string{"APISIX 3.18 Admin API, https_admin", "docs/admin.md: TLS", "RFC 8996"},
	After: []string{"ADMIN-REPLICAS"},
	Run: func(ctx context.Context, t *spec.T) {
		plain := t.Env().Admins()
		for i, at := range withTLS(t) {
			id := t.Name(string(rune('a' + i)))
			path := "/routes/" + id
			t.Track(path[1:])
			answers(ctx, t, at, put(path, route(t, "")), http.StatusCreated)
			r := answers(ctx, t, plain[(i+1)%len(plain)], get(path), http.StatusOK)
			t.Check(in(r.JSON(), "value", "id") == id, "written with TLS at %s, read without: got %s, want the route %s", at.URL, r, id)
			t.Check(strings.HasPrefix(r.Header.Get("Server"), "APISIX/"), "Server of %s: got %q, want APISIX/ and a version", at.URL, r.Header.Get("Server"))
			none := get(path)
			none.NoKey = true
			answers(ctx, t, at, none, http.StatusUnauthorized)
			for version, name := range map[uint16]string{tls.VersionTLS12: "1.2", tls.VersionTLS13: "1.3"} {
				t.Step("TLS %s at %s", name, at.URL)
				answers(ctx, t, with(at, func(c *tls.Config) { c.MinVersion, c.MaxVersion = version, version }), get(path), http.StatusOK)
			}
			silent(ctx, t, with(at, func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }), get(path), "TLS 1.1")
			clear := at
			clear.URL = strings.Replace(at.URL, "https://", "http://", 1)
			if r, err := clear.Do(ctx, get(path)); err == nil {
				t.Check(r.Status == http.StatusBadRequest, "%s without TLS: got %s, want no answer, or 400", at.URL, r)
			}
			answers(ctx, t, at, del(path), http.StatusOK)
			answers(ctx, t, plain[i], get(path), http.StatusNotFound)
		}
	},
}

// withTLS are the replicas at their ports with TLS.
func withTLS(t *spec.T) []spec.Endpoint {
	all := t.Env().AdminsTLS()
	if len(all) != len(t.Env().Admins()) {
		t.Brokenf("%d of %d replicas of the Admin API have TLS", len(all), len(t.Env().Admins()))
	}
	return all
}

// with is the endpoint for a client that connects otherwise.
func with(at spec.Endpoint, change func(*tls.Config)) spec.Endpoint {
	at.TLS = at.TLS.Clone()
	change(at.TLS)
	return at
}

// answers makes a call that must be answered with the status.
func answers(ctx context.Context, t *spec.T, at spec.Endpoint, c spec.Call, status int) spec.Reply {
	r, err := at.Do(ctx, c)
	if err != nil {
		t.Fatalf("%s %s: %v, want %d", c.Method, at.URL+c.Path, err, status)
	}
	t.Check(r.Status == status, "%s %s: got %s, want %d", c.Method, at.URL+c.Path, r, status)
	return r
}

// silent makes a call that must not be answered at all.
func silent(ctx context.Context, t *spec.T, at spec.Endpoint, c spec.Call, who string) {
	r, err := at.Do(ctx, c)
	t.Check(err != nil, "%s %s by %s: got %s, want no answer", c.Method, at.URL+c.Path, who, r)
}
