package admin_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store"
)

func TestIfMatch(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	body := `{"nodes":{"a:80":1}}`
	a.must(412, "PUT /upstreams/1", body, "If-Match", "5")
	first := a.must(201, "PUT /upstreams/1", body, "If-Match", "0").header.Get("X-Unilb-Revision")
	if r := a.must(412, "PUT /upstreams/1", body, "If-Match", "0"); r.body["error_msg"] == nil {
		t.Errorf("412 without error_msg: %s", r.raw)
	}
	second := a.must(200, "PUT /upstreams/1", body, "If-Match", first).header.Get("X-Unilb-Revision")
	a.must(412, "PUT /upstreams/1", body, "If-Match", first)
	a.must(412, "DELETE /upstreams/1", "", "If-Match", first)
	a.must(400, "PUT /upstreams/1", body, "If-Match", "abc")
	a.must(200, "DELETE /upstreams/1", "", "If-Match", second)
	a.must(412, "DELETE /upstreams/1", "", "If-Match", second)
}

func TestDeleteOfUsedObjects(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, id := range []string{"u1", "u2", "u3"} {
		a.must(201, "PUT /upstreams/"+id, `{"nodes":{"a:80":1}}`)
	}
	a.must(201, "PUT /services/s1", `{"upstream_id":"u2"}`)
	a.must(201, "PUT /routes/r1", `{"uri":"/","upstream_id":"u1"}`)
	a.must(201, "PUT /routes/r2", `{"uri":"/","service_id":"s1","plugins":{"traffic-split":{"rules":[{"weighted_upstreams":[{"weight":1},{"upstream_id":"u3"}]}]}}}`)
	for line, msg := range map[string]string{
		"DELETE /upstreams/u1": "can not delete this upstream, route [r1] is still using it now",
		"DELETE /upstreams/u2": "can not delete this upstream, service [s1] is still using it now",
		"DELETE /upstreams/u3": "can not delete this upstream, plugin in route [r2] is still using it now",
		"DELETE /services/s1":  "can not delete this service directly, route [r2] is still using it now",
	} {
		if r := a.must(400, line, ""); r.body["error_msg"] != msg {
			t.Errorf("%s: got %s, want %s", line, r.raw, msg)
		}
	}
	a.must(200, "DELETE /upstreams/u1?force=true", "")
	a.must(200, "DELETE /routes/r2", "")
	a.must(200, "DELETE /services/s1", "")
	a.must(200, "DELETE /upstreams/u2", "")
}

// A route must never be left behind with an upstream that is gone, whichever of
// the two writes comes first.
func TestReferenceAndDeleteRace(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for round := range 20 {
		id := fmt.Sprintf("race-%d", round)
		a.must(201, "PUT /upstreams/"+id, `{"nodes":{"a:80":1}}`)
		var route, gone reply
		var wg sync.WaitGroup
		wg.Go(func() { route = a.call("PUT /routes/"+id, `{"uri":"/","upstream_id":"`+id+`"}`) })
		wg.Go(func() { gone = a.call("DELETE /upstreams/"+id, "") })
		wg.Wait()
		if (route.code == 201) == (gone.code == 200) {
			t.Fatalf("round %d: route %d %s, delete %d %s", round, route.code, route.raw, gone.code, gone.raw)
		}
	}
}

func TestConcurrentWritesWithIfMatchLetOneWin(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	rev := a.must(201, "PUT /upstreams/1", `{"nodes":{}}`).header.Get("X-Unilb-Revision")
	codes := make([]int, 8)
	var wg sync.WaitGroup
	for i := range codes {
		wg.Go(func() { codes[i] = a.call("PUT /upstreams/1", `{"nodes":{}}`, "If-Match", rev).code })
	}
	wg.Wait()
	won := 0
	for _, c := range codes {
		if c == 200 {
			won++
		} else if c != 412 {
			t.Errorf("got %d, want 412", c)
		}
	}
	if won != 1 {
		t.Errorf("%d writers won, want 1: %v", won, codes)
	}
}

func TestPatch(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.must(201, "PUT /routes/1", `{"uri":"/a","methods":["GET","PUT"],"upstream":{"nodes":{"a:80":1,"b:80":2},"retries":1}}`)
	a.at(2000)
	r := a.must(200, "PATCH /routes/1", `{"methods":["POST"],"upstream":{"nodes":{"a:80":null,"c:80":3},"retries":null},"status":0}`)
	want(t, any(r.body), `{"key":"/apisix/routes/1","value":{"id":"1","uri":"/a","methods":["POST"],"status":0,
		"upstream":{"nodes":{"b:80":2,"c:80":3}},"create_time":1000,"update_time":2000}}`)
	r = a.must(200, "PATCH /routes/1/upstream/nodes", `{"d:80":1}`)
	want(t, r.body["value"].(map[string]any)["upstream"], `{"nodes":{"d:80":1}}`)
	if r := a.must(400, "PATCH /routes/1/uri/x", `1`); r.body["error_msg"] != "invalid sub-path: /uri" {
		t.Errorf("got %s", r.raw)
	}
	if r := a.must(400, "PATCH /routes/1/upstream"+strings.Repeat("/x", 999), `{}`); r.body["error_msg"] != "invalid sub-path: the object would be nested too deep" {
		t.Errorf("got %s", r.raw)
	}
	if r := a.must(400, "PATCH /routes/1/vars"+strings.Repeat("/x", 998), `{}`); !strings.HasPrefix(r.raw, `{"error_msg":"invalid configuration: property \"vars\"`) {
		t.Errorf("got %s", r.raw)
	}
	a.must(400, "PATCH /routes/1", `{"uri":null}`)
	r = a.must(200, "PATCH /routes/1/", `{"uri":"/new","plugins":{}}`)
	want(t, r.body["value"], `{"id":"1","uri":"/new","plugins":{},"create_time":2000,"update_time":2000}`)
	a.at(3000)
	r = a.must(200, "PATCH /routes/1", `{"create_time":null,"update_time":null}`)
	want(t, r.body["value"], `{"id":"1","uri":"/new","plugins":{},"create_time":3000,"update_time":3000}`)
	a.at(4000)
	r = a.must(200, "PATCH /routes/./1/upstream", `{"nodes":{},"update_time":5}`)
	want(t, r.body["value"], `{"id":"1","uri":"/new","plugins":{},"upstream":{"nodes":{},"update_time":5},"create_time":3000,"update_time":4000}`)
}

// Others may have put anything under the key, and what is written must be readable.
func TestAReplacedObjectKeepsItsTimeIfThatIsOne(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for was, kept := range map[string]string{`5`: `5`, `"x"`: `1000`, `1.5`: `1000`, `{}`: `1000`, `null`: `1000`, `1e30`: `1000`} {
		if _, err := a.st.Commit(t.Context(), nil, store.Op{Key: "/apisix/routes/1", Value: []byte(`{"create_time":` + was + `}`)}); err != nil {
			t.Fatal(err)
		}
		r := a.must(200, "PUT /routes/1", `{"uri":"/a","plugins":{}}`)
		want(t, r.body["value"], `{"id":"1","uri":"/a","plugins":{},"create_time":`+kept+`,"update_time":1000}`)
	}
}

func TestTTL(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.must(201, "PUT /upstreams/1?ttl=1", `{"nodes":{}}`)
	a.must(201, "PUT /upstreams/2?ttl=1", `{"nodes":{}}`)
	a.must(200, "PUT /upstreams/2", `{"nodes":{}}`)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	gone := false
	_ = a.st.Watch(ctx, "/apisix/upstreams", func(b store.Batch) {
		present := false
		for _, kv := range b.Puts {
			present = present || kv.Key == "/apisix/upstreams/1"
		}
		if b.Reset && !present || len(b.Deletes) > 0 {
			gone = true
			cancel()
		}
	})
	if !gone {
		t.Fatal("the object did not vanish")
	}
	a.must(404, "GET /upstreams/1", "")
	a.must(200, "GET /upstreams/2", "")
}

func TestPlaceholders(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	kvs, _, err := a.st.List(t.Context(), "/apisix")
	if err != nil {
		t.Fatal(err)
	}
	kvs = slices.DeleteFunc(kvs, func(kv store.KV) bool { return kv.Key == "/apisix/plugins" }) // a list
	if len(kvs) != 13 {
		t.Errorf("%d placeholders, want 13", len(kvs))
	}
	for _, kv := range kvs {
		if !strings.HasSuffix(kv.Key, "/") || string(kv.Value) != "init_dir" || kv.Create != kv.Mod {
			t.Errorf("placeholder %s = %s", kv.Key, kv.Value)
		}
	}
}

func TestStoredValueIsCompactAndWithoutDefaults(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.must(201, "PUT /routes/1", `{ "uri" : "/<a>" , "priority" : 10000000000, "upstream": { "nodes": {"b:1": 1, "a:1": 1} } }`)
	kv, _, _, err := a.st.Get(t.Context(), "/apisix/routes/1")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"create_time":1000,"id":"1","priority":10000000000,"update_time":1000,"upstream":{"nodes":{"b:1":1,"a:1":1}},"uri":"/<a>"}`
	if string(kv.Value) != want {
		t.Errorf("stored %s\nwant   %s", kv.Value, want)
	}
}
