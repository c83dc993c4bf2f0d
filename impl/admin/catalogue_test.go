package admin_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/store"
)

func TestPluginsAreListedByPriority(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var names []string
	r := a.must(200, "GET /plugins/list", "")
	if err := json.Unmarshal([]byte(r.raw), &names); err != nil {
		t.Fatalf("%s: %v", r.raw, err)
	}
	// In the order in which they run.
	last := -1
	for _, name := range []string{"real-ip", "cors", "ip-restriction", "basic-auth", "jwt-auth", "key-auth", "proxy-rewrite", "limit-count", "prometheus", "example-plugin", "ext-plugin-post-resp"} {
		i := slices.Index(names, name)
		if i <= last {
			t.Errorf("%s is at %d, the one before at %d: %v", name, i, last, names)
		}
		last = i
	}
	if slices.Contains(names, "mqtt-proxy") {
		t.Error("mqtt-proxy is listed for HTTP")
	}
	if r.header.Get("X-API-VERSION") != "" {
		t.Error("the list has X-API-VERSION")
	}
	if r := a.must(200, "GET /plugins/list?subsystem=stream", ""); !strings.HasPrefix(r.raw, `["ip-restriction","limit-conn","mqtt-proxy"`) {
		t.Errorf("for streams: got %s", r.raw)
	}
	if r := a.must(400, "GET /plugins/list?subsystem=xxx", ""); r.raw != "invalid subsystem passed" {
		t.Errorf("of another subsystem: got %q", r.raw)
	}
}

func TestSchemasOfPluginsAreServed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, tc := range []struct {
		line string
		code int
		has  string
	}{
		{"GET /plugins/key-auth", 200, `"anonymous_consumer"`},
		{"GET /plugins/key-auth", 200, `"$comment":"this is a mark for our injected plugin schema"`},
		{"GET /plugins/key-auth", 200, `"_meta":{`},
		{"GET /schema/plugins/key-auth", 200, `"anonymous_consumer"`},
		{"GET /plugins/key-auth?schema_type=consumer", 200, `"required":["key"]`},
		{"GET /schema/plugins/basic-auth?schema_type=consumer", 200, `"required":["username","password"]`},
		{"GET /plugins/mqtt-proxy?subsystem=stream", 200, `"type":"object"`},
		{"GET /plugins/cors?schema_type=consumer", 400, `{"error_msg":"not found schema"}`},
		{"GET /plugins/nobody", 404, `{"error_msg":"plugin not found in subsystem http"}`},
		{"GET /plugins", 404, `{"error_msg":"plugin not found in subsystem http"}`},
		{"GET /plugins/mqtt-proxy", 404, `{"error_msg":"plugin not found in subsystem http"}`},
		{"GET /schema/plugins/key-auth?subsystem=stream", 404, `{"error_msg":"plugin not found in subsystem stream"}`},
		{"GET /plugins/key-auth?subsystem=udp", 400, `{"error_msg":"unsupported subsystem: udp"}`},
		{"GET /plugins/key-auth?subsystem=", 400, `{"error_msg":"unsupported subsystem: "}`},
		{"GET /plugins/list?subsystem=", 400, `invalid subsystem passed`},
		{"POST /plugins", 404, `{"error_msg":"not found"}`},
		{"PUT /plugins/key-auth", 404, `{"error_msg":"not found"}`},
		{"DELETE /plugins/list", 404, `{"error_msg":"not found"}`},
		{"GET /pluginsx", 404, `{"error_msg":"Unsupported resource type: pluginsx"}`},
	} {
		r := a.must(tc.code, tc.line, "")
		if !strings.Contains(r.raw, tc.has) {
			t.Errorf("%s: got %s, want it to have %s", tc.line, r.raw, tc.has)
		}
	}
	if r := a.must(200, "GET /plugins/key-auth", ""); r.header.Get("X-API-VERSION") != "v3" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("got headers %v", r.header)
	}
	if r := a.must(401, "GET /plugins/list", "", "X-API-KEY", ""); r.body["description"] != "missing apikey" {
		t.Errorf("without a key: got %s", r.raw)
	}
	all := a.must(200, "GET /plugins?all=true", "").body
	want(t, all["example-plugin"].(map[string]any)["priority"], `0`)
	want(t, all["key-auth"].(map[string]any)["type"], `"auth"`)
	for name, fields := range map[string][]string{"key-auth": {"consumer_schema", "schema", "version"}, "limit-count": {"metadata_schema", "schema"}, "server-info": {"scope"}} {
		for _, field := range fields {
			if all[name].(map[string]any)[field] == nil {
				t.Errorf("%s lacks %s: %v", name, field, all[name])
			}
		}
	}
	if gzip := all["gzip"].(map[string]any); len(gzip) != 3 {
		t.Errorf("gzip has more than version, priority and schema: %v", gzip)
	}
	stream := a.must(200, "GET /plugins?all=true&subsystem=stream", "").body
	if len(stream) != 6 || stream["key-auth"] != nil {
		t.Errorf("for streams: got %d plugins", len(stream))
	}
}

func TestPluginEndpointsLookForTheHandlerFirst(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.rows(
		row{"no handler, bad body", "POST /plugins", "{", 404, "not found"},
		row{"bad body", "GET /plugins/key-auth", "{", 400, "invalid request body: Expected object key string but found T_END at character 2"},
		row{"bad ttl", "GET /plugins/key-auth?ttl=x", "", 400, "invalid argument ttl: should be a number"},
		row{"schema, no handler, bad body", "PUT /schema/route", "{", 404, "not found"},
		row{"schema, bad body", "GET /schema/route", "{", 400, "invalid request body: Expected object key string but found T_END at character 2"},
		row{"schema, bad ttl", "GET /schema/route?ttl=x", "", 400, "invalid argument ttl: should be a number"},
	)
	for _, line := range []string{"POST /plugins", "PUT /schema/route"} {
		if r := a.must(404, line, ""); r.header.Get("X-API-VERSION") != "" {
			t.Errorf("%s: has X-API-VERSION", line)
		}
	}
}

func TestReloadPublishesThePluginsOfADataPlane(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	atStart := a.stored("/apisix/plugins")
	if _, err := a.st.Commit(t.Context(), nil, store.Op{Key: "/apisix/plugins", Value: []byte("[]")}); err != nil {
		t.Fatal(err)
	}
	a.start(func(*admin.Options) {})
	if kept := a.stored("/apisix/plugins"); kept != "[]" {
		t.Errorf("another start has replaced somebody's list by %s", kept)
	}
	if r := a.must(200, "PUT /plugins/reload", ""); r.raw != "done" {
		t.Errorf("got %q", r.raw)
	}
	var list []struct {
		Name   string
		Stream bool
	}
	kept := a.stored("/apisix/plugins")
	if kept != atStart {
		t.Errorf("the first start published %s, want what a reload does", atStart)
	}
	if err := json.Unmarshal([]byte(kept), &list); err != nil || len(list) == 0 || list[0].Name != "real-ip" {
		t.Fatalf("etcd holds %s (%v)", kept, err)
	}
	if !strings.Contains(kept, `{"name":"key-auth"}`) || !strings.HasSuffix(kept, `{"name":"mqtt-proxy","stream":true},{"name":"syslog","stream":true}]`) || strings.Contains(kept, "log-rotate") {
		t.Errorf("etcd holds %s", kept)
	}
	if r := a.must(405, "GET /plugins/reload", ""); r.body["error_msg"] != "please use PUT method to reload the plugins, GET method is not allowed." {
		t.Errorf("got %s", r.raw)
	}
	if r := a.must(401, "PUT /plugins/reload", "", "X-API-KEY", "view"); r.body["description"] != "invalid method for role viewer" {
		t.Errorf("by a viewer: got %s", r.raw)
	}
}
