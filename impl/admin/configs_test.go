package admin_test

import (
	"strings"
	"testing"
)

func TestSchemasAreServed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for kind := range strings.SplitSeq("route service upstream consumer credential ssl proto global_rule stream_route plugin_config consumer_group plugins", " ") {
		r := a.must(200, "GET /schema/"+kind, "")
		if r.body["type"] != "object" || strings.Contains(r.raw, "$ref") || kind != "plugins" && r.body["additionalProperties"] != false {
			t.Errorf("schema of %s: got %.200s", kind, r.raw)
		}
		if r.header.Get("X-API-VERSION") != "v3" {
			t.Errorf("schema of %s: no X-API-VERSION", kind)
		}
	}
	a.rows(
		row{"plural", "GET /schema/routes", "", 400, "not found schema: routes"},
		row{"none", "GET /schema/secret_vault", "", 400, "not found schema: secret_vault"},
		row{"put", "PUT /schema/route", "{}", 404, "not found"},
	)
}

func TestObjectsAreValidatedByTheirSchemaAlone(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.rows(
		row{"fine", "POST /schema/validate/routes", `{"uri":"/","upstream_id":"none","plugins":{"no":{}}}`, 200, ""},
		row{"times", "POST /schema/validate/upstreams", `{"nodes":{},"create_time":1}`, 200, ""},
		row{"no prefix", "POST /schema/validate/services", `{"x":1}`, 400, "additional properties forbidden, found x"},
		row{"consumers", "POST /schema/validate/consumers", `{}`, 400, `property "username" is required`},
		row{"credentials", "POST /schema/validate/credentials", `{"plugins":{"a":{},"b":{}}}`, 400, `property "plugins" validation failed: expect object to have at most 1 properties`},
		row{"rules need an id", "POST /schema/validate/global_rules", `{"plugins":{}}`, 400, `property "id" is required`},
		row{"what follows the kind", "POST /schema/validate/services/1", `{"x":1}`, 400, "additional properties forbidden, found x"},
		row{"singular", "POST /schema/validate/route", `{}`, 404, "Unsupported resource type: route"},
		row{"no body", "POST /schema/validate/routes", ``, 400, "wrong type: expected object, got nil"},
		row{"no object", "POST /schema/validate/routes", `"x"`, 400, "wrong type: expected object, got string"},
		row{"no JSON", "POST /schema/validate/routes", `{`, 400, "invalid request body: Expected object key string but found T_END at character 2"},
	)
	for _, line := range []string{"POST /schema/validate/routes", "POST /configs/validate"} {
		if r := a.call(line, `{}`); r.header.Get("X-API-VERSION") != "" {
			t.Errorf("%s: has X-API-VERSION", line)
		}
	}
}

func TestWholeConfigurations(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	failed := func(errs string) string {
		return `{"error_msg":"Configuration validation failed","errors":[` + errs + `]}`
	}
	const line = "POST /configs/validate"
	a.rows(
		row{"nothing", line, `{}`, 200, `{}`},
		row{"empty", line, "", 400, "invalid request body: empty request body"},
		row{"no object", line, "[1]", 400, "invalid request body: wrong type: expected object, got table"},
		row{"all kinds", line, `{"routes":[{"id":"r","uri":"/","upstream_id":"not-checked"}],"services":[{"id":1,"create_time":5}],"upstreams":[{"id":"u","nodes":{}}],
			"consumers":[{"username":"jack","plugins":{"key-auth":{"key":"a"}}},{"id":"jack/credentials/c","plugins":{"key-auth":{"key":"b"}}}],
			"global_rules":[{"id":"1","plugins":{"proxy-control":{}}}],"stream_routes":[{"id":"s","server_port":9000}],"plugin_metadata":[{"id":"prometheus"}],
			"plugin_configs":[{"id":"p","plugins":{}}],"consumer_groups":[{"id":"g","plugins":{}}],"protos":[{"id":"1","content":"syntax = \"proto3\";"}],
			"secrets":[{"id":"vault/1","uri":"http://v","prefix":"p","token":"t"}],"ssls":{},"routes_conf_version":7}`, 200, `{}`},
		row{"all errors", line, `{"routes":[{"id":"r","uri":"/"},{"id":"ok","uri":"/","plugins":{}},{"id":"p","uri":"/","plugins":{"no":{}}}],"upstreams":[{"id":"u","nodes":{"a:70000":1}}]}`, 400,
			failed(`{"resource_type":"routes","resource_id":"r","index":0,"error":"invalid configuration: object matches none of the required: [\"plugins\",\"uri\"] or [\"upstream\",\"uri\"] or ` +
				`[\"upstream_id\",\"uri\"] or [\"service_id\",\"uri\"] or [\"plugins\",\"uris\"] or [\"upstream\",\"uris\"] or [\"upstream_id\",\"uris\"] or [\"service_id\",\"uris\"] or ` +
				`[\"script\",\"uri\"] or [\"script\",\"uris\"]"},{"resource_type":"routes","resource_id":"p","index":2,"error":"unknown plugin [no]"},` +
				`{"resource_type":"upstreams","resource_id":"u","index":0,"error":"invalid port 70000"}`)},
		row{"duplicates", line, `{"routes":[{"id":1,"uri":"/","plugins":{}},{"id":"1","uri":"/","plugins":{}}],"consumers":[{"username":"a"},{"username":"a"},
			{"id":"a/credentials/c"},{"id":"a/credentials/c"}]}`, 400,
			failed(`{"resource_type":"routes","resource_id":"1","index":1,"error":"found duplicate id 1 in routes"},` +
				`{"resource_type":"consumers","resource_id":"a","index":1,"error":"found duplicate username a in consumers"},` +
				`{"resource_type":"consumers","resource_id":"a/credentials/c","index":3,"error":"found duplicate credential id a/credentials/c in consumers"}`)},
		row{"empty list for an object", line, `{"services":[[]],"routes":[[]]}`, 400,
			failed(`{"resource_type":"routes","index":0,"error":"invalid configuration: object matches none of the required: [\"plugins\",\"uri\"] or [\"upstream\",\"uri\"] or ` +
				`[\"upstream_id\",\"uri\"] or [\"service_id\",\"uri\"] or [\"plugins\",\"uris\"] or [\"upstream\",\"uris\"] or [\"upstream_id\",\"uris\"] or [\"service_id\",\"uris\"] or ` +
				`[\"script\",\"uri\"] or [\"script\",\"uris\"]"}`)},
		row{"version", line, `{"routes_conf_version":"x","routes":[]}`, 400,
			failed(`{"resource_type":"routes","error":"routes_conf_version must be a number, got string"}`)},
		row{"secret", line, `{"secrets":[{"id":"1"}]}`, 400, failed(`{"resource_type":"secrets","resource_id":"1","index":0,"error":"invalid secret id: 1"}`)},
		row{"shared keys", line, `{"consumers":[{"username":"a","plugins":{"key-auth":{"key":"k"}}},{"username":"b","plugins":{"key-auth":{"key":"k"}}}],
			"global_rules":[{"id":"1","plugins":{"proxy-control":{}}},{"id":"2","plugins":{"proxy-control":{}}}]}`, 400,
			failed(`{"resource_type":"consumers","resource_id":"b","index":1,"error":"duplicate key of plugin key-auth found with consumer: a"},` +
				`{"resource_type":"global_rules","resource_id":"2","index":1,"error":"plugin 'proxy-control' already exists in global rule with id '1'"}`)},
		row{"only POST", "PUT /configs/validate", `{}`, 404, "Unsupported resource type: configs"},
	)
	yaml := "routes:\n  - id: r\n    uri: /\n    priority: 10\n    upstream:\n      nodes: {\"a:80\": 1}\n"
	if r := a.call(line, yaml, "Content-Type", "application/yaml"); r.code != 200 || r.raw != "{}\n" {
		t.Errorf("YAML: got %d %s", r.code, r.raw)
	}
	if r := a.call(line, yaml); r.code != 400 || r.body["req_body"] != yaml {
		t.Errorf("YAML as JSON: got %d %s", r.code, r.raw)
	}
	if r := a.call(line, "a: &a [x]\nroutes: [*a, *a]", "Content-Type", "application/yaml"); r.code != 400 || !strings.Contains(r.raw, "aliases") {
		t.Errorf("aliases: got %d %s", r.code, r.raw)
	}
	if r := a.call(line, `{}`, "X-API-KEY", "view"); r.code != 401 {
		t.Errorf("a viewer validates: got %d %s", r.code, r.raw)
	}
	if r := a.call("GET /routes", ""); r.body["total"] != 0.0 {
		t.Errorf("validation stored something: %s", r.raw)
	}
}
