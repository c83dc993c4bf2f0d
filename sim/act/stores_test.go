package act

import "testing"

func TestObjectsThatNoDataPlaneTakesAreToldApart(t *testing.T) {
	var keys []Key
	for _, dir := range []string{"upstreams", "plugins", "ssls", "stream_routes", "plugin_metadata", "secrets", "services", "consumers", "global_rules", "protos", "plugin_configs", "consumer_groups"} {
		keys = append(keys, Key{Key: "/apisix/" + dir + "/", Value: "init_dir"})
	}
	got := NotTaken(append(keys, []Key{
		{Key: "/apisix/routes/", Value: "init_dir"}, {Key: "/apisix/upstreams/1", Value: `{"id":"1","nodes":{}}`},
		{Key: "/apisix/upstreams/2", Value: `{"id":"2","nodes":{},"colour":"red"}`}, {Key: "/unilb/listeners/1", Value: `{"colour":"red"}`},
	}...))
	if len(got) != 1 || got[0].Key != "/apisix/upstreams/2" {
		t.Errorf("got %v, want /apisix/upstreams/2 alone", got)
	}
}
