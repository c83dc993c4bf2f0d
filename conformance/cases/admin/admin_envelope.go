package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API with envelopes of its own: another status for create
// than for replace, indexes missing on GET or present on PUT, a total that is
// not the list's length, defaults written into the stored object, a delete that
// deletes nothing.
var adminEnvelope = spec.Case{
	ID: "ADMIN-ENVELOPE", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "PUT, GET, list and DELETE of routes, services and upstreams answer with APISIX's statuses and envelopes, and say what is stored.",
	Refs:  []string{"APISIX 3.18 Admin API, response envelope"},
	Run: func(ctx context.Context, t *spec.T) {
		upstream := `"type":"roundrobin","nodes":{"192.0.2.1:80":1}`
		for _, k := range []lifecycle{
			{"routes", fmt.Sprintf(`{"host":%q,"uri":"/a","labels":{"k":"v"},"desc":"one","upstream":{%s}}`, t.Host(), upstream), "priority"},
			{"services", fmt.Sprintf(`{"desc":"one","upstream":{%s}}`, upstream), "enable_websocket"},
			{"upstreams", fmt.Sprintf(`{"desc":"one",%s}`, upstream), "scheme"},
		} {
			k.run(ctx, t)
		}
	},
}

// A lifecycle is the life of one object: created, replaced, read, listed, deleted.
type lifecycle struct {
	kind    string
	body    string // with "desc":"one"
	unasked string // an attribute with a default, which body does not set
}

func (k lifecycle) run(ctx context.Context, t *spec.T) {
	id := t.Name("r")
	path := "/" + k.kind + "/" + id
	t.Track(path[1:])
	ask.Missing(ctx, t, spec.Call{Method: http.MethodGet, Path: path})

	t.Step("create %s", path)
	r := ask.Answered(ctx, t, spec.Call{Method: http.MethodPut, Path: path, Body: k.body}, http.StatusCreated)
	created := envelopeOf(t, r, k.kind, id, false)
	t.Check(created["desc"] == "one", "create %s: stored %v", path, created)
	_, defaults := created[k.unasked]
	t.Check(!defaults, "create %s: the stored object holds a default that was not sent: %v", path, created)

	t.Step("replace")
	r = ask.Answered(ctx, t, spec.Call{Method: http.MethodPut, Path: path, Body: strings.Replace(k.body, `"one"`, `"two"`, 1)}, http.StatusOK)
	replaced := envelopeOf(t, r, k.kind, id, false)
	t.Check(replaced["desc"] == "two", "replace %s: stored %v", path, replaced)
	t.Check(replaced["create_time"] == created["create_time"], "replace %s: create_time changed from %v to %v", path, created["create_time"], replaced["create_time"])

	t.Step("read")
	r = ask.Answered(ctx, t, spec.Call{Method: http.MethodGet, Path: path}, http.StatusOK)
	t.Check(envelopeOf(t, r, k.kind, id, true)["desc"] == "two", "read %s: got %s", path, r)

	t.Step("list")
	r = ask.Answered(ctx, t, spec.Call{Method: http.MethodGet, Path: "/" + k.kind}, http.StatusOK)
	list, _ := r.JSON()["list"].([]any)
	t.Check(len(list) > 0 && r.JSON()["total"] == json.Number(fmt.Sprint(len(list))), "list %s: total %v for %d items", k.kind, r.JSON()["total"], len(list))
	t.Check(countID(list, id) == 1, "list %s: the object is in it %d times, want once", k.kind, countID(list, id))

	t.Step("delete")
	r = ask.Answered(ctx, t, spec.Call{Method: http.MethodDelete, Path: path}, http.StatusOK)
	m := r.JSON()
	t.Check(m["deleted"] == "1" && isKey(m["key"], k.kind, id), "delete %s: got %s, want deleted \"1\" and the key", path, r)
	ask.Missing(ctx, t, spec.Call{Method: http.MethodGet, Path: path})
	ask.Missing(ctx, t, spec.Call{Method: http.MethodDelete, Path: path})
}

// envelope checks what a route comes in, and returns the route.
func envelope(t *spec.T, r spec.Reply, id string, indexes bool) map[string]any {
	return envelopeOf(t, r, "routes", id, indexes)
}

func envelopeOf(t *spec.T, r spec.Reply, kind, id string, indexes bool) map[string]any {
	m := r.JSON()
	value, ok := m["value"].(map[string]any)
	if !ok {
		t.Fatalf("got %s, want an object in \"value\"", r)
	}
	t.Check(isKey(m["key"], kind, id), "key: got %v, want one that ends with /%s/%s", m["key"], kind, id)
	t.Check(value["id"] == id, "value.id: got %v, want %q", value["id"], id)
	for _, k := range []string{"create_time", "update_time"} {
		t.Check(isInt(value[k]), "value.%s: got %v, want seconds", k, value[k])
	}
	for _, k := range []string{"createdIndex", "modifiedIndex"} {
		if indexes {
			t.Check(isInt(m[k]), "%s: got %v, want a revision", k, m[k])
		} else {
			t.Check(m[k] == nil, "%s: got %v on a write, APISIX shows it on GET only", k, m[k])
		}
	}
	return value
}

func isInt(v any) bool {
	n, ok := v.(json.Number)
	if !ok {
		return false
	}
	_, err := n.Int64()
	return err == nil
}

func isKey(v any, kind, id string) bool {
	s, ok := v.(string)
	return ok && strings.HasPrefix(s, "/") && strings.HasSuffix(s, "/"+kind+"/"+id)
}

func countID(list []any, id string) int {
	n := 0
	for _, e := range list {
		m, _ := e.(map[string]any)
		if v, _ := m["value"].(map[string]any); v["id"] == id && isInt(m["modifiedIndex"]) {
			n++
		}
	}
	return n
}
