package control

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// each does the same with every gateway.
func each(t *spec.T, f func(gw spec.Gateway)) {
	for _, gw := range t.Env().Gateways() {
		if gw.Control.URL == "" {
			t.Brokenf("the driver names no control API of %s", gw.Ref)
		}
		f(gw)
	}
}

// get asks the control API of a gateway.
func get(ctx context.Context, t *spec.T, gw spec.Gateway, path string, header map[string]string) spec.Reply {
	r, err := gw.Control.Do(ctx, spec.Call{Method: http.MethodGet, Path: path, Header: header, NoKey: true})
	if err != nil {
		t.Fatalf("%s: %v", gw.Ref, err)
	}
	return r
}

// answered is get that must be answered with a status and, unless it is empty, this text in
// error_msg.
func answered(ctx context.Context, t *spec.T, gw spec.Gateway, path string, status int, msg string) spec.Reply {
	r := get(ctx, t, gw, path, nil)
	if r.Status != status {
		t.Fatalf("%s: %s: got %s, want %d", gw.Ref, path, r, status)
	}
	if msg != "" {
		t.Check(r.JSON()["error_msg"] == msg, "%s: %s: got %s, want error_msg %q", gw.Ref, path, r, msg)
	}
	return r
}

// list is an answer that must be an array of objects.
func list(t *spec.T, r spec.Reply) []map[string]any {
	var out []map[string]any
	d := json.NewDecoder(strings.NewReader(string(r.Body)))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		t.Fatalf("got %s, want an array of objects", r)
	}
	return out
}

// in walks down the members of objects; nil where there is none.
func in(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}
