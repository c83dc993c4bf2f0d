package admin_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/admin"
)

func TestFirstWholeConfigurationDeletesNothingThatOthersWroteUnlessForced(t *testing.T) {
	t.Parallel()
	a := newAPIWith(t, func(*admin.Options) {})
	for i := range 3 {
		a.must(201, fmt.Sprintf("PUT /routes/%d", i), `{"uri":"/","plugins":{}}`)
	}
	before := a.under("/apisix/")
	b := a.replica(nil)
	const text = "/apisix/routes/0 was written by no whole configuration, which would delete or replace all objects below /apisix: delete them first, or send it with ?force=true"
	for _, body := range []string{`{}`, `{"routes":[{"id":"0","uri":"/new","plugins":{}}]}`, `{"routes_conf_version":0,"upstreams":[]}`} {
		if r := b.must(409, "PUT /configs", body, "X-Digest", "d"); r.body["error_msg"] != text {
			t.Errorf("%s: got %s, want %s", body, r.raw, text)
		}
		if now := a.under("/apisix/"); !maps.Equal(now, before) {
			t.Fatalf("%s: what was refused has left %v of %v", body, now, before)
		}
	}
	if r := b.must(400, "PUT /configs?force=true", `{"routes":[{"id":"0"}]}`, "X-Digest", "d"); strings.Contains(r.raw, "force") {
		t.Errorf("got %s, want what is wrong with the route", r.raw)
	}
	b.must(202, "PUT /configs?force=true", `{"routes":[{"id":"1","uri":"/new","plugins":{}}]}`, "X-Digest", "d")
	if now := a.under("/apisix/routes/"); len(now) != 1 || now["1"] == 0 {
		t.Errorf("by force: etcd has routes %v, want 1 alone", now)
	}
	// From then on the directory is that of configurations.
	b.must(202, "PUT /configs", `{}`, "X-Digest", "e")
	if now := a.under("/apisix/"); len(now) != 0 {
		t.Errorf("etcd has %v, want nothing", now)
	}
}

func TestUnknownSectionIsRefusedByName(t *testing.T) {
	t.Parallel()
	a := newStandalone(t)
	a.replace(202, `{"upstreams":[{"id":"u","nodes":[]}]}`)
	const text = "unknown section [upstream]: known are routes, services, upstreams, consumers, ssls, global_rules, stream_routes, plugin_metadata, plugin_configs, consumer_groups, protos, secrets"
	for _, body := range []string{`{"upstream":[]}`, `{"upstream":null,"upstreams":[]}`, `{"zz":1,"upstream":{"id":"u"}}`} {
		if r := a.replace(400, body); r.body["error_msg"] != text {
			t.Errorf("%s: got %s, want %s", body, r.raw, text)
		}
		r := a.must(400, "POST /configs/validate", body)
		want(t, any(r.body), fmt.Sprintf(`{"error_msg":"Configuration validation failed","errors":[{"resource_type":"upstream","error":%q}]}`, text))
	}
	if now := a.under("/apisix/"); now["upstreams/u"] == 0 {
		t.Errorf("what was refused has left %v", now)
	}
	a.replace(202, `{"upstream_conf_version":3,"upstreams":[]}`)     // it names no objects
	newAPI(t).must(200, "POST /configs/validate", `{"upstream":[]}`) // as APISIX: nothing is deleted
}
