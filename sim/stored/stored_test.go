package stored_test

import (
	"strings"
	"testing"

	"github.com/unilb/unilb/sim/stored"
)

func TestMissingPlaceholdersAreFound(t *testing.T) {
	var all []stored.Object
	for _, dir := range []string{"upstreams", "plugins", "ssls", "stream_routes", "plugin_metadata", "secrets", "routes", "services", "consumers", "global_rules", "protos", "plugin_configs", "consumer_groups"} {
		all = append(all, stored.Object{Key: "/apisix/" + dir + "/", Value: []byte("init_dir")})
	}
	if got := stored.Placeholders("/apisix", all); len(got) > 0 {
		t.Errorf("all are there: %v", got)
	}
	if got := stored.Placeholders("/apisix", all[1:]); len(got) != 1 || got[0].Key != "/apisix/upstreams/" {
		t.Errorf("got %v, want that of upstreams", got)
	}
	if got := stored.Placeholders("/apisix", []stored.Object{{Key: "/unilb/x/", Value: nil}}); len(got) > 0 {
		t.Errorf("nobody writes below the prefix: %v", got)
	}
}

func TestObjectsThatNoDataPlaneTakesAreFound(t *testing.T) {
	up := `"upstream":{"nodes":{"192.0.2.1:80":1}}`
	for _, tc := range []struct{ name, key, value, why string }{
		{"route", "routes/1", `{"id":"1","uri":"/a",` + up + `,"create_time":1,"update_time":1}`, ""},
		{"route with a number for an id", "routes/7", `{"id":7,"uri":"/a",` + up + `}`, ""},
		{"as Lua prints it", "routes/1", `{"uri":"/a","methods":{},"plugins":[],"upstream":{"nodes":{}}}`, ""},
		{"filled up with defaults", "routes/1", `{"uri":"/a","priority":0,"status":1,"upstream":{"type":"roundrobin","hash_on":"vars","scheme":"http","pass_host":"pass","nodes":[{"host":"a","port":80,"weight":1}]}}`, ""},
		{"unknown member", "routes/1", `{"uri":"/a","colour":"red",` + up + `}`, "colour"},
		{"wrong type", "routes/1", `{"uri":7,` + up + `}`, "/uri"},
		{"unknown member of an upstream", "services/1", `{"upstream":{"nodes":{},"colour":"red"}}`, "colour"},
		{"nobody answers", "routes/1", `{"uri":"/a"}`, "anyOf"},
		{"out of range", "upstreams/1", `{"nodes":{},"retries":-1}`, "/retries"},
		{"another id", "routes/1", `{"id":"2","uri":"/a",` + up + `}`, "the id within is 2"},
		{"not JSON", "routes/1", `{"uri"`, "not JSON"},
		{"no object", "routes/1", `["/a"]`, "no object"},
		{"address", "routes/1", `{"uri":"/a","remote_addr":"10.0.0.256",` + up + `}`, "/remote_addr"},
		{"below an object", "routes/1/2", `{}`, "below the key"},
		{"placeholder", "routes/", `init_dir`, ""},
		{"no placeholder", "routes/", `{}`, "placeholder"},
		{"consumer", "consumers/jack", `{"username":"jack","plugins":{"key-auth":{"key":"sealed"}}}`, ""},
		{"credential", "consumers/jack/credentials/c", `{"id":"c","plugins":{"key-auth":{"key":"sealed"}}}`, ""},
		{"credential with two plugins", "consumers/jack/credentials/c", `{"plugins":{"a":{},"b":{}}}`, "/plugins"},
		{"consumer without a name", "consumers/jack", `{}`, "username"},
		{"vault", "secrets/vault/1", `{"id":"vault/1","uri":"http://a","prefix":"p","token":"t"}`, ""},
		{"vault without a token", "secrets/vault/1", `{"uri":"http://a","prefix":"p"}`, "token"},
		{"global rule without plugins", "global_rules/1", `{"id":"1"}`, "plugins"},
		{"metadata", "plugin_metadata/http-logger", `{"id":"http-logger","whatever":1}`, ""},
		{"list of plugins", "plugins", `[{"name":"key-auth"},{"name":"ip-restriction","stream":true}]`, ""},
		{"placeholder of plugins", "plugins/", `init_dir`, ""},
		{"no placeholder of plugins", "plugins/", `[]`, "placeholder"},
		{"object of plugins", "plugins", `{"key-auth":1}`, "list of plugins"},
		{"of others", "unilb/anything", `not JSON`, ""},
		{"counter", "gen_id", `1`, ""},
	} {
		got := stored.Check("/apisix", []stored.Object{{Key: "/apisix/" + tc.key, Value: []byte(tc.value)}, {Key: "/apisix2/routes/1", Value: []byte("x")}})
		switch {
		case tc.why == "" && len(got) > 0:
			t.Errorf("%s: %v, want no problem", tc.name, got)
		case tc.why != "" && (len(got) != 1 || got[0].Key != "/apisix/"+tc.key || !strings.Contains(got[0].Why, tc.why)):
			t.Errorf("%s: got %v, want one problem about %s", tc.name, got, tc.why)
		}
	}
}
