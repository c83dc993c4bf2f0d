package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// nodes is what an upstream needs. Nobody lives there (RFC 5737), and who uses it sends
// no request.
const nodes = `"type":"roundrobin","nodes":{"192.0.2.1:80":1}`

func get(path string) spec.Call { return spec.Call{Method: http.MethodGet, Path: path} }

func del(path string) spec.Call { return spec.Call{Method: http.MethodDelete, Path: path} }

func put(path, body string) spec.Call {
	return spec.Call{Method: http.MethodPut, Path: path, Body: body}
}

func post(path, body string) spec.Call {
	return spec.Call{Method: http.MethodPost, Path: path, Body: body}
}

func patch(path, body string) spec.Call {
	return spec.Call{Method: http.MethodPatch, Path: path, Body: body}
}

// route is a route of this case, with more fields before its upstream: `"desc":"x",`.
func route(t *spec.T, more string) string {
	return fmt.Sprintf(`{"host":%q,"uri":"/a",%s"upstream":{%s}}`, t.Host(), more, nodes)
}

// stored reads an object that must be there: its value.
func stored(ctx context.Context, t *spec.T, path string) map[string]any {
	return valueOf(t, ask.Answered(ctx, t, get(path), http.StatusOK))
}

// valueOf is the object in an answer; without one the case ends.
func valueOf(t *spec.T, r spec.Reply) map[string]any {
	v, ok := r.JSON()["value"].(map[string]any)
	if !ok {
		t.Fatalf("got %s, want an object in \"value\"", r)
	}
	return v
}

// in walks down the members of objects; nil where there is none.
func in(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// text is a value as canonical JSON, in which equal numbers look alike.
func text(v any) string {
	b, err := json.Marshal(plain(v))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// plain makes numbers comparable: 1.50 and 1.5 are one value. Whole numbers stay
// exact.
func plain(v any) any {
	switch t := v.(type) {
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return n
		}
		f, err := t.Float64()
		if err != nil {
			return t.String()
		}
		if n := int64(f); float64(n) == f {
			return n // 2.0, 1e2
		}
		return f
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, e := range t {
			out[k] = plain(e)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = plain(e)
		}
		return out
	}
	return v
}

// items are the values of a list, and its total.
func items(ctx context.Context, t *spec.T, path string) (values []map[string]any, total any) {
	r := ask.Answered(ctx, t, get(path), http.StatusOK)
	list, ok := r.JSON()["list"].([]any)
	if !ok {
		t.Fatalf("GET %s: got %s, want an array in \"list\"", path, r)
	}
	for _, e := range list {
		v, ok := in(e, "value").(map[string]any)
		t.Check(ok, "GET %s: an item without a value: %v", path, e)
		values = append(values, v)
	}
	return values, r.JSON()["total"]
}

// no is a call that must be refused, and the whole message.
type no struct {
	call spec.Call
	msg  string
}

// refusedWith makes calls that must be refused with 400 and exactly these words.
func refusedWith(ctx context.Context, t *spec.T, all ...no) {
	refusedAs(ctx, t, http.StatusBadRequest, all...)
}

func refusedAs(ctx context.Context, t *spec.T, status int, all ...no) {
	for _, n := range all {
		r := t.Call(ctx, n.call)
		t.Check(r.Status == status && r.JSON()["error_msg"] == n.msg, "%s %s with %.200s: got %s, want %d with %s", n.call.Method, n.call.Path, n.call.Body, r, status, n.msg)
	}
}
