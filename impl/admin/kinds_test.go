package admin_test

import (
	"fmt"
	"strings"
	"testing"
)

// A row is a request and what it must be answered.
type row struct {
	name, line, body string
	code             int
	want             string // of error_msg, or of the whole answer when it begins with a brace
}

func (a *api) rows(rows ...row) {
	a.t.Helper()
	for _, tc := range rows {
		r := a.call(tc.line, tc.body)
		got, _ := r.body["error_msg"].(string)
		if strings.HasPrefix(tc.want, "{") || tc.want == "" {
			got = strings.TrimSuffix(r.raw, "\n")
		}
		if r.code != tc.code || tc.want != "*" && got != tc.want {
			a.t.Errorf("%s: %s %s:\ngot  %d %s\nwant %d %s", tc.name, tc.line, tc.body, r.code, r.raw, tc.code, tc.want)
		}
	}
}

func TestMethodsOfKinds(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.must(201, "PUT /consumers", `{"username":"jack"}`)
	for path, kinds := range map[string]string{
		"/consumers/x":                   "POST PATCH consumer",
		"/consumers/jack/credentials/x":  "POST PATCH credential",
		"/global_rules/x":                "POST global rule",
		"/plugin_configs/x":              "POST plugin config",
		"/consumer_groups/x":             "POST consumer group",
		"/plugin_metadata/proxy-control": "POST PATCH plugin_metadata",
		"/stream_routes/x":               "PATCH stream route",
		"/protos/x":                      "PATCH proto",
		"/secrets/vault/x":               "POST secret",
	} {
		for method := range strings.SplitSeq("POST PATCH", " ") {
			refused, kind := strings.HasPrefix(kinds, method+" ") || strings.HasPrefix(kinds, "POST "+method), ""
			for kind = kinds; strings.HasPrefix(kind, "P") && (strings.HasPrefix(kind, "POST ") || strings.HasPrefix(kind, "PATCH ")); {
				_, kind, _ = strings.Cut(kind, " ")
			}
			r := a.call(method+" "+path, `{}`)
			msg := fmt.Sprintf("not supported `%s` method for %s", method, kind)
			if refused != (r.code == 405) || refused && r.body["error_msg"] != msg {
				t.Errorf("%s %s: got %d %s, want 405 %v with %q", method, path, r.code, r.raw, refused, msg)
			}
			if refused && r.header.Get("X-API-VERSION") != "v3" {
				t.Errorf("%s %s: no X-API-VERSION", method, path)
			}
		}
	}
	a.rows(
		row{"the body is looked at before the method", "POST /consumers", `{`, 400, "*"},
		row{"the ttl is looked at before the method", "POST /consumers?ttl=x", `{}`, 400, "invalid argument ttl: should be a number"},
		row{"no such handler", "POST /schema/route", `{}`, 404, "not found"},
	)
}

func TestIDsOfKinds(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.must(201, "PUT /consumers", `{"username":"jack"}`)
	const long = `{"content":"syntax = \"proto3\";"}`
	a.rows(
		row{"missing consumer id", "DELETE /consumers", "", 400, "missing consumer id"},
		row{"missing plugin_metadata id", "DELETE /plugin_metadata", "", 400, "missing plugin_metadata id"},
		row{"missing plugin name", "PUT /plugin_metadata", "{}", 400, "missing plugin name"},
		row{"missing configurations come first", "PUT /plugin_metadata", "", 400, "missing configurations"},
		row{"missing global rule id", "PUT /global_rules", `{"plugins":{}}`, 400, "missing global rule id"},
		row{"missing plugin config id", "PUT /plugin_configs", `{"plugins":{}}`, 400, "missing plugin config id"},
		row{"missing consumer group id", "DELETE /consumer_groups", "", 400, "missing consumer group id"},
		row{"missing stream route id", "PUT /stream_routes", `{}`, 400, "missing stream route id"},
		row{"missing proto id", "PUT /protos", long, 400, "missing proto id"},
		row{"missing credential id", "PUT /consumers/jack/credentials", `{}`, 400, "missing credential id"},
		row{"missing credential id to delete", "DELETE /consumers/jack/credentials", ``, 400, "missing credential id"},
		row{"missing secret id", "PUT /secrets/vault", `{}`, 400, "missing secret id"},
		row{"missing secret id to delete", "DELETE /secrets/vault", ``, 400, "missing secret id"},
		row{"missing secret id to patch", "PATCH /secrets/vault", `{}`, 400, "missing secret id"},
		row{"wrong global rule id", "PUT /global_rules/1", `{"id":2,"plugins":{}}`, 400, "wrong global rule id"},
		row{"wrong credential id", "PUT /consumers/jack/credentials/1", `{"id":"2"}`, 400, "wrong credential id"},
		row{"wrong secret id", "PUT /secrets/vault/1", `{"id":"vault/2","uri":"http://v","prefix":"p","token":"t"}`, 400, "wrong secret id"},
		row{"wrong username", "PUT /consumers/jill", `{"username":"jack"}`, 400, "wrong username"},
		row{"no username", "PUT /consumers/jill", `{}`, 400, `invalid configuration: property "username" is required`},
		row{"wrong type of service id", "PUT /services", `{"id":true}`, 400, "wrong type of service id"},
		row{"wrong stream route id", "POST /stream_routes", `{"id":1}`, 400, "wrong stream route id, do not need it"},
		row{"times are forbidden", "PUT /consumers", `{"username":"jack","create_time":1}`, 400, "the property is forbidden:  create_time"},
		row{"id of a secret", "PUT /secrets/vault/a%20b", `{"uri":"http://v","prefix":"p","token":"t"}`, 400, `invalid configuration: property "id" validation failed: object matches none of the required`},
		row{"an id of a consumer is one, though nobody keeps it", "PUT /consumers", `{"username":"jack","id":"a b"}`, 400, `invalid configuration: property "id" validation failed: object matches none of the required`},
		row{"username", "PUT /consumers", `{"username":"a.b"}`, 400,
			`invalid configuration: property "username" validation failed: failed to match pattern "^[a-zA-Z0-9_\\-]+$" with "a.b"`},
	)
}

func TestObjectsOfEveryKind(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	times := `"create_time":1000,"update_time":1000`
	for _, tc := range []struct{ line, path, body, key, value string }{
		{"PUT /consumers", "/consumers/jack", `{"username":"jack","id":"jack","plugins":{"key-auth":{"key":"k"}}}`,
			"consumers/jack", `{"username":"jack","plugins":{"key-auth":{"key":"k"}},` + times + `}`},
		{"PUT /consumers/jill", "/consumers/jill", `{"username":"jill"}`, "consumers/jill", `{"username":"jill",` + times + `}`},
		{"PUT /consumers/jack/credentials/c1", "/consumers/jack/credentials/c1", `{"plugins":{"basic-auth":{"username":"u","password":"p"}}}`,
			"consumers/jack/credentials/c1", `{"id":"c1","plugins":{"basic-auth":{"username":"u","password":"p"}},` + times + `}`},
		{"PUT /consumers/jack/credentials", "/consumers/jack/credentials/c2", `{"id":"c2","desc":"d"}`,
			"consumers/jack/credentials/c2", `{"id":"c2","desc":"d",` + times + `}`},
		{"PUT /global_rules/1", "/global_rules/1", `{"plugins":{"proxy-control":{}}}`, "global_rules/1", `{"id":"1","plugins":{"proxy-control":{}},` + times + `}`},
		{"PUT /plugin_configs/1", "/plugin_configs/1", `{"plugins":{"proxy-control":{}},"name":"n"}`, "plugin_configs/1", `{"id":"1","name":"n","plugins":{"proxy-control":{}},` + times + `}`},
		{"PUT /consumer_groups/g", "/consumer_groups/g", `{"plugins":{}}`, "consumer_groups/g", `{"id":"g","plugins":{},` + times + `}`},
		{"PUT /plugin_metadata/prometheus", "/plugin_metadata/prometheus", `{"log_format":{}}`, "plugin_metadata/prometheus", `{"id":"prometheus","log_format":{}}`},
		{"PUT /plugin_metadata", "/plugin_metadata/syslog", `{"id":"syslog"}`, "plugin_metadata/syslog", `{"id":"syslog"}`},
		{"PUT /stream_routes/1", "/stream_routes/1", `{"server_port":9100,"upstream":{"nodes":{"a:1":1}},"plugins":{"prometheus":{}}}`,
			"stream_routes/1", `{"id":"1","server_port":9100,"upstream":{"nodes":{"a:1":1}},"plugins":{"prometheus":{}},` + times + `}`},
		{"PUT /protos/1", "/protos/1", `{"content":"syntax = \"proto3\"; message A { string b = 1; }"}`,
			"protos/1", `{"id":"1","content":"syntax = \"proto3\"; message A { string b = 1; }",` + times + `}`},
		{"PUT /secrets/vault/1", "/secrets/vault/1", `{"uri":"https://vault:8200","prefix":"kv/apisix","token":"t"}`,
			"secrets/vault/1", `{"id":"vault/1","uri":"https://vault:8200","prefix":"kv/apisix","token":"t",` + times + `}`},
		{"PUT /secrets/aws/2", "/secrets/aws/2", `{"access_key_id":"a","secret_access_key":"s","id":"aws/2"}`,
			"secrets/aws/2", `{"id":"aws/2","access_key_id":"a","secret_access_key":"s",` + times + `}`},
	} {
		r := a.must(201, tc.line, tc.body)
		want(t, any(r.body), `{"key":"/apisix/`+tc.key+`","value":`+tc.value+`}`)
		r = a.must(200, "GET "+tc.path, "")
		want(t, r.body["value"], tc.value)
		if r.body["key"] != "/apisix/"+tc.key || r.body["createdIndex"] == nil {
			t.Errorf("GET %s: got %s", tc.path, r.raw)
		}
		a.must(200, tc.line, tc.body)
	}
	for path, total := range map[string]int{
		"/consumers": 2, "/consumers/jack/credentials": 2, "/global_rules": 1, "/plugin_configs": 1, "/consumer_groups": 1,
		"/plugin_metadata": 2, "/stream_routes": 1, "/protos": 1, "/secrets": 2,
	} {
		if r := a.must(200, "GET "+path, ""); r.body["total"] != float64(total) || len(r.body["list"].([]any)) != total {
			t.Errorf("GET %s: got %s, want %d", path, r.raw, total)
		}
	}
	want(t, any(a.must(404, "GET /consumers/jill/credentials", "").body), `{"message":"Key not found"}`)
	want(t, any(a.must(404, "GET /consumers/jill/credentials?page=1&page_size=10", "").body), `{"message":"Key not found"}`)
	want(t, any(a.must(200, "GET /consumers/jack/credentials?name=none&page=1&page_size=10", "").body), `{"list":[],"total":0}`)
	want(t, any(a.must(200, "GET /consumers/jack/credentials?name=none", "").body), `{"list":[],"total":0}`)
	r := a.must(200, "PATCH /secrets/vault/1/token", `"u"`)
	want(t, r.body["value"], `{"id":"vault/1","uri":"https://vault:8200","prefix":"kv/apisix","token":"u",`+times+`}`)
	a.must(200, "PATCH /global_rules/1", `{"plugins":{"prometheus":{}}}`)
	want(t, any(a.must(200, "DELETE /secrets/vault/1", "").body), `{"deleted":"1","key":"/apisix/secrets/vault/1"}`)
	want(t, any(a.must(200, "DELETE /plugin_metadata/prometheus", "").body), `{"deleted":"1","key":"/apisix/plugin_metadata/prometheus"}`)
}

func TestWhatKindsRefuse(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.must(201, "PUT /consumers", `{"username":"jack","plugins":{"key-auth":{"key":"one"}}}`)
	a.must(201, "PUT /consumers/jack/credentials/c", `{"plugins":{"basic-auth":{"username":"u","password":"p"}}}`)
	a.must(201, "PUT /global_rules/1", `{"plugins":{"proxy-control":{}}}`)
	a.must(201, "PUT /stream_routes/sup", `{"protocol":{"name":"redis"}}`)
	const inv = "invalid configuration: "
	a.rows(
		row{"group", "PUT /consumers", `{"username":"a","group_id":"g"}`, 400, "failed to fetch consumer group info by consumer group id [g], response code: 404"},
		row{"consumer's unknown plugin", "PUT /consumers", `{"username":"a","plugins":{"no":{}}}`, 400, "invalid plugins configuration: unknown plugin [no]"},
		row{"consumer's plugin", "PUT /consumers", `{"username":"a","plugins":{"key-auth":{"key":1}}}`, 400,
			"invalid plugins configuration: failed to check the configuration of plugin key-auth err: property \"key\" validation failed: wrong type: expected string, got number"},
		row{"consumer's key", "PUT /consumers", `{"username":"a","plugins":{"key-auth":{"key":"one"}}}`, 400, "duplicate key of plugin key-auth found with consumer: jack"},
		row{"credential's key", "PUT /consumers/jack/credentials/d", `{"plugins":{"key-auth":{"key":"one"}}}`, 400, "duplicate key of plugin key-auth found with consumer: jack"},
		row{"key of a credential", "PUT /consumers", `{"username":"a","plugins":{"basic-auth":{"username":"u","password":"q"}}}`, 400,
			"duplicate key of plugin basic-auth found with credential: c of consumer: jack"},
		row{"two plugins in a credential", "PUT /consumers/jack/credentials/d", `{"plugins":{"key-auth":{"key":"2"},"basic-auth":{"username":"v","password":"p"}}}`, 400,
			inv + `property "plugins" validation failed: expect object to have at most 1 properties`},
		row{"no authentication in a credential", "PUT /consumers/jack/credentials/d", `{"plugins":{"proxy-control":{}}}`, 400, "only supports auth type plugins in consumer credential"},
		row{"credential of nobody", "PUT /consumers/none/credentials/d", `{}`, 404, "consumer not found"},
		row{"plugin of another rule", "PUT /global_rules/2", `{"plugins":{"prometheus":{},"proxy-control":{}}}`, 400, "plugin 'proxy-control' already exists in global rule with id '1'"},
		row{"rule without plugins", "PUT /global_rules/2", `{}`, 400, inv + `property "plugins" is required`},
		row{"metadata of nothing", "PUT /plugin_metadata/no", `{}`, 400, "invalid plugin name"},
		row{"metadata", "PUT /plugin_metadata/prometheus", `{"disabled_labels":1}`, 400, inv + `property "disabled_labels" validation failed: wrong type: expected object, got number`},
		row{"unknown manager", "PUT /secrets/safe/1", `{}`, 400, "invalid secret manager: safe"},
		row{"manager without uri", "PUT /secrets/vault/1", `{"prefix":"p","token":"t"}`, 400, inv + `property "uri" is required`},
		row{"proto", "PUT /protos/1", `{"content":""}`, 400, inv + `property "content" validation failed: string too short, expected at least 1, got 0`},
		row{"plugin for HTTP alone", "PUT /stream_routes/1", `{"plugins":{"proxy-control":{}}}`, 400, "unknown plugin [proxy-control]"},
		row{"stream plugin", "PUT /stream_routes/1", `{"plugins":{"prometheus":{"prefer_name":1}}}`, 400,
			`failed to check the configuration of stream plugin [prometheus]: property "prefer_name" validation failed: wrong type: expected boolean, got number`},
		row{"upstream of a stream route", "PUT /stream_routes/1", `{"upstream_id":"u"}`, 400, "failed to fetch upstream info by upstream id [u], response code: 404"},
		row{"service of a stream route", "PUT /stream_routes/1", `{"service_id":"s"}`, 400, "failed to fetch service info by service id [s], response code: 404"},
		row{"no superior", "PUT /stream_routes/1", `{"protocol":{"name":"redis","superior_id":"x"}}`, 400, "failed to fetch stream routes[x], response code: 404"},
		row{"another protocol", "PUT /stream_routes/1", `{"protocol":{"name":"dubbo","superior_id":"sup"}}`, 400,
			"protocol mismatch: subordinate protocol [dubbo] does not match superior protocol [redis]"},
		row{"its own superior", "PUT /stream_routes/1", `{"protocol":{"name":"dubbo","superior_id":"1"}}`, 400, "stream route can not set itself as superior_id"},
		row{"closed consumer", "PUT /consumers", `{"username":"a","x":1}`, 400, inv + "additional properties forbidden, found x"},
	)
	for line, body := range map[string]string{
		"PUT /consumers": `{"username":"jack","plugins":{"key-auth":{"key":"one"}}}`, "PUT /global_rules/1": `{"plugins":{"proxy-control":{},"prometheus":{}}}`,
		"PUT /consumers/jack/credentials/c": `{"plugins":{"basic-auth":{"username":"u","password":"p"}}}`,
	} {
		a.must(200, line, body) // one's own is no duplicate
	}
	a.must(200, "PUT /consumers", `{"username":"jack"}`)
	a.must(201, "PUT /consumers", `{"username":"heir","plugins":{"key-auth":{"key":"one"}}}`)
}

// Of two things that are wrong the one is told that is looked at first: schema,
// plugins, what a schema cannot say, references.
func TestOrderOfTheChecksOfAnObject(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.rows(
		row{"hosts before the schema", "PUT /routes/1", `{"host":"a","hosts":["b"],"uri":7}`, 400, "only one of host or hosts is allowed"},
		row{"schema before plugins", "PUT /routes/1", `{"uri":7,"plugins":{"no":{}}}`, 400, `invalid configuration: property "uri" validation failed: wrong type: expected string, got number`},
		row{"plugins before vars", "PUT /routes/1", `{"uri":"/","plugins":{"no":{}},"vars":[["a"]]}`, 400, "unknown plugin [no]"},
		row{"plugins before ports", "PUT /services/1", `{"plugins":{"no":{}},"upstream":{"nodes":{"a:0":1}}}`, 400, "unknown plugin [no]"},
		row{"vars before references", "PUT /routes/1", `{"uri":"/","vars":[["a"]],"upstream_id":"none"}`, 400, "failed to validate the 'vars' expression: rule too short"},
	)
}

func TestDeletesOfKindsThatAreUsed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for line, body := range map[string]string{
		"PUT /plugin_configs/p": `{"plugins":{}}`, "PUT /consumer_groups/g": `{"plugins":{}}`, "PUT /protos/p": `{"content":"syntax = \"proto3\";"}`,
		"PUT /stream_routes/s": `{"protocol":{"name":"redis"}}`, "PUT /upstreams/u": `{"nodes":{}}`, "PUT /services/sv": `{}`,
	} {
		a.must(201, line, body)
	}
	for _, c := range []struct{ line, body string }{
		{"PUT /routes/r", `{"uri":"/","plugin_config_id":"p","plugins":{"grpc-transcode":{"proto_id":"p"}}}`},
		{"PUT /consumers", `{"username":"jack","group_id":"g"}`},
		{"PUT /stream_routes/t", `{"protocol":{"name":"redis","superior_id":"s"},"upstream_id":"u","service_id":"sv"}`},
	} {
		a.must(201, c.line, c.body)
	}
	a.rows(
		row{"plugin config", "DELETE /plugin_configs/p", "", 400, "can not delete this plugin config, route [r] is still using it now"},
		row{"consumer group", "DELETE /consumer_groups/g", "", 400, "can not delete this consumer group, consumer [jack] is still using it now"},
		row{"proto", "DELETE /protos/p", "", 400, "can not delete this proto, route [r] is still using it now"},
		row{"stream route", "DELETE /stream_routes/s", "", 400, "can not delete this stream route directly, stream route [t] is still using it as superior_id"},
		row{"upstream", "DELETE /upstreams/u", "", 400, "can not delete this upstream, stream_route [t] is still using it now"},
		row{"service", "DELETE /services/sv", "", 400, "can not delete this service directly, stream_route [t] is still using it now"},
		row{"by force", "DELETE /protos/p?force=true", "", 200, `{"deleted":"1","key":"/apisix/protos/p"}`},
	)
}

func TestConsumerTakesItsCredentialsAlong(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.must(201, "PUT /consumers", `{"username":"jack"}`)
	a.must(201, "PUT /consumers", `{"username":"jackie"}`)
	a.must(201, "PUT /consumers/jack/credentials/c", `{}`)
	a.must(201, "PUT /consumers/jackie/credentials/c", `{}`)
	a.must(404, "DELETE /consumers/jack/credentials/none", "")
	a.must(200, "DELETE /consumers/jack", "")
	a.rows(
		row{"its credential", "GET /consumers/jack/credentials/c", "", 404, `{"message":"Key not found"}`},
		row{"deleting what went along", "DELETE /consumers/jack/credentials/c", "", 200, `{"deleted":"0","key":"/apisix/consumers/jack/credentials/c"}`},
		row{"somebody else", "DELETE /consumers/jackie/credentials/c", "", 200, `{"deleted":"1","key":"/apisix/consumers/jackie/credentials/c"}`},
	)
}

func TestStreamRoutesWithoutStreams(t *testing.T) {
	t.Parallel()
	a := newAPI(t, "stream")
	for _, line := range []string{"GET /stream_routes", "PUT /stream_routes/1", "PATCH /stream_routes/1", "POST /stream_routes"} {
		a.rows(row{"off", line, "{", 400, "stream mode is disabled, can not add stream routes"})
	}
}
