package admin_test

import (
	"context"
	"crypto/sha1"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/certs/certstest"
	"github.com/unilb/unilb/impl/store"
)

func newStandalone(t *testing.T) *api {
	t.Helper()
	return newAPIWith(t, func(o *admin.Options) { o.Standalone = true })
}

// replica is another server over the same etcd, whose store may be another.
func (a *api) replica(wrap func(admin.Store) admin.Store) *api {
	a.t.Helper()
	b := &api{t: a.t, etcd: a.etcd, now: a.now}
	b.start(func(o *admin.Options) {
		o.Standalone = true
		if wrap != nil {
			o.Store = wrap(o.Store)
		}
	})
	return b
}

// replace puts a whole configuration; the digest is that of the body unless given.
func (a *api) replace(code int, body string, headers ...string) reply {
	a.t.Helper()
	return a.must(code, "PUT /configs", body, append([]string{"X-Digest", fmt.Sprintf("%x", sha1.Sum([]byte(body)))}, headers...)...)
}

// under are the keys of a directory and their revisions, placeholders left out.
func (a *api) under(dir string) map[string]int64 {
	a.t.Helper()
	kvs, _, err := a.st.List(a.t.Context(), dir)
	if err != nil {
		a.t.Fatal(err)
	}
	out := map[string]int64{}
	for _, kv := range kvs {
		if !strings.HasSuffix(kv.Key, "/") && kv.Key != "/apisix/plugins" {
			out[strings.TrimPrefix(kv.Key, dir)] = kv.Mod
		}
	}
	return out
}

const noConfigs = `{"routes_conf_version":0,"services_conf_version":0,"upstreams_conf_version":0,"consumers_conf_version":0,"ssls_conf_version":0,
	"global_rules_conf_version":0,"stream_routes_conf_version":0,"plugin_metadata_conf_version":0,"plugin_configs_conf_version":0,
	"consumer_groups_conf_version":0,"protos_conf_version":0,"secrets_conf_version":0}`

func TestWholeConfigurationIsReplacedByVersions(t *testing.T) {
	t.Parallel()
	a := newStandalone(t)
	r := a.must(200, "HEAD /configs", "")
	if r.header.Get("X-Digest") != "" || r.header.Get("X-Last-Modified") != "" {
		t.Errorf("before the first: got %v, want neither header", r.header)
	}
	r = a.must(200, "GET /configs", "")
	want(t, any(r.body), noConfigs)
	if !strings.HasSuffix(r.raw, "}\n") || r.header.Get("Content-Type") != "application/json" || r.header.Get("X-API-VERSION") != "" {
		t.Errorf("got %q as %v", r.raw, r.header)
	}

	first := `{"routes":[{"id":"z","uri":"/z","upstream_id":"u","modifiedIndex":7},{"id":1,"uri":"/a","upstream_id":"none"}],"routes_conf_version":1700000000001,
		"upstreams":[{"id":"u","nodes":[]}],"consumers":[{"id":"jack/credentials/c","plugins":{"key-auth":{"key":"k"}}},{"username":"jack"}]}`
	r = a.must(202, "PUT /configs", first, "X-Digest", "d1")
	if r.header.Get("X-Digest") != "d1" || r.header.Get("X-Last-Modified") != "1000" || r.header.Get("X-Unilb-Revision") == "" || r.raw != "" {
		t.Errorf("accepted: got %v %q, want d1 and 1000, and no body", r.header, r.raw)
	}
	is := strings.NewReplacer(`"routes_conf_version":0`, `"routes_conf_version":1700000000001,"routes":[{"id":"z","uri":"/z","upstream_id":"u","modifiedIndex":7},{"id":1,"uri":"/a","upstream_id":"none"}]`,
		`"upstreams_conf_version":0`, `"upstreams_conf_version":1,"upstreams":[{"id":"u","nodes":[]}]`,
		`"consumers_conf_version":0`, `"consumers_conf_version":1,"consumers":[{"id":"jack/credentials/c","plugins":{"key-auth":{"key":"k"}}},{"username":"jack"}]`,
		`_version":0`, `_version":1`).Replace(noConfigs)
	r = a.must(200, "GET /configs", "")
	want(t, any(r.body), is)
	if r.header.Get("X-Digest") != "d1" || r.header.Get("X-Last-Modified") != "1000" {
		t.Errorf("GET: got %v, want d1 and 1000", r.header)
	}
	for key, text := range map[string]string{
		"routes/z": `{"id":"z","upstream_id":"u","uri":"/z"}`, "routes/1": `{"id":1,"upstream_id":"none","uri":"/a"}`,
		"consumers/jack": `{"username":"jack"}`, "upstreams/u": `{"id":"u","nodes":[]}`, // members are sorted
	} {
		if got := a.stored("/apisix/" + key); got != text {
			t.Errorf("etcd has %s at %s, want %s", got, key, text)
		}
	}
	if got := a.stored("/apisix/consumers/jack/credentials/c"); strings.Contains(got, `"k"`) {
		t.Errorf("etcd has the key in clear: %s", got)
	}
	a.at(2000)
	if r = a.must(204, "PUT /configs", first, "X-Digest", "d1"); r.raw != "" {
		t.Errorf("same digest: got %q, want no body", r.raw)
	}
	before := a.under("/apisix/")

	// The section of an equal version stays; that of a higher one is the body's.
	a.must(202, "PUT /configs", `{"routes":[],"routes_conf_version":1700000000001,"upstreams":[{"id":"u","nodes":[],"modifiedIndex":9}],"upstreams_conf_version":1700000000002}`, "X-Digest", "d2")
	got := a.must(200, "GET /configs", "").body
	want(t, got["routes"], `[{"id":"z","uri":"/z","upstream_id":"u","modifiedIndex":7},{"id":1,"uri":"/a","upstream_id":"none"}]`)
	want(t, got["upstreams"], `[{"id":"u","nodes":[],"modifiedIndex":9}]`)
	want(t, []any{got["routes_conf_version"], got["upstreams_conf_version"], got["consumers_conf_version"], got["consumers"]}, `[1700000000001,1700000000002,2,null]`)
	after := a.under("/apisix/")
	delete(before, "consumers/jack")
	delete(before, "consumers/jack/credentials/c")
	if !maps.Equal(before, after) {
		t.Errorf("objects that did not change were written: before %v, after %v", before, after)
	}

	for body, msg := range map[string]string{
		`{"routes_conf_version":1700000000000}`: "routes_conf_version must be greater than or equal to (1700000000001)",
		`{"routes_conf_version":"2"}`:           "routes_conf_version must be a number",
		`{"routes_conf_version":null}`:          "routes_conf_version must be a number",
		`{"routes":[{"id":"r","uri":1}]}`:       `invalid configuration: property "uri" validation failed: wrong type: expected string, got number`,
		`{"routes":[{"id":"r","uri":"/","plugins":{}},{"id":"r","uri":"/","plugins":{}}]}`: "found duplicate id r in routes",
		`{"consumers":[{"username":"a"},{"username":"a"}]}`:                                "found duplicate username a in consumers",
		`{"routes":[{"id":"r","uri":"/","plugins":{"no":{}}}]}`:                            "unknown plugin [no]",
		`{"routes":"x"}`: "routes: wrong type: expected array, got string",
		`{"routes":[{"id":"r","uri":"/","plugins":{},"modifiedIndex":"x"}]}`: `invalid configuration: property "modifiedIndex" validation failed: wrong type: expected integer, got string`,
		`{"routes":[{"id":"r","uri":"/","plugins":{},"modifiedIndex":1.5}]}`: `invalid configuration: property "modifiedIndex" validation failed: wrong type: expected integer, got number`,
		``: "invalid request body: empty request body",
	} {
		r := a.must(400, "PUT /configs", body, "X-Digest", "bad")
		if r.body["error_msg"] != msg {
			t.Errorf("%s: got %s, want %s", body, r.raw, msg)
		}
	}
	if r := a.must(400, "PUT /configs", "{"); r.body["error_msg"] != "missing digest header" {
		t.Errorf("without digest: got %s", r.raw)
	}
	if now := a.under("/apisix/"); !maps.Equal(now, after) {
		t.Errorf("what was refused was written: %v, want %v", now, after)
	}
	a.must(202, "PUT /configs", `{}`, "X-Digest", "d3")
	if left := a.under("/apisix/"); len(left) != 0 {
		t.Errorf("after an empty configuration etcd has %v", left)
	}
	if left := a.under("/unilb/configs/"); len(left) != 1 {
		t.Errorf("after an empty configuration etcd has %v, want one key", left)
	}
}

func TestStandaloneServesWholeConfigurationsAlone(t *testing.T) {
	t.Parallel()
	a := newStandalone(t)
	for _, line := range []string{"GET /routes", "PUT /routes/1", "GET /plugins/list", "PUT /plugins/reload", "GET /schema/route", "POST /configs", "DELETE /configs", "GET /configs/validate", "GET /configs/", "GET ", "HEAD /routes"} {
		r := a.call(line, "")
		if r.code != 404 || r.header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.HasPrefix(line, "HEAD") && !strings.Contains(r.raw, "404 Not Found") {
			t.Errorf("%s: got %d %v %.80q, want nginx's page 404", line, r.code, r.header, r.raw)
		}
	}
	a.must(200, "HEAD ", "", "X-API-KEY", "")
	for line, code := range map[string]int{"GET /configs": 200, "HEAD /configs": 401, "PUT /configs": 401, "POST /configs/validate": 401} {
		a.must(401, line, "{}", "X-API-KEY", "")
		a.must(code, line, "{}", "X-API-KEY", "view")
	}
	a.must(200, "OPTIONS /configs", "")
	a.must(200, "POST /configs/validate", `{"routes":[{"id":"r","uri":"/","plugins":{},"modifiedIndex":3}]}`)
	if r := newAPI(t).call("PUT /configs", "{}", "X-Digest", "d"); r.code != 404 || r.body["error_msg"] != "Unsupported resource type: configs" {
		t.Errorf("where objects are written one by one: got %d %s", r.code, r.raw)
	}
}

func TestWholeConfigurationHasNoLimitThatItsPartsHave(t *testing.T) {
	t.Parallel()
	a := newStandalone(t)
	large := `{"protos":[{"id":"p","content":"syntax = \"proto3\"; //` + strings.Repeat("x", 1<<19) + `"}],"plugin_metadata":[` + strings.Repeat(" ", 2<<20) + `]}`
	a.replace(202, large)
	if r := a.must(400, "POST /configs/validate", large); !strings.HasPrefix(fmt.Sprint(r.body["error_msg"]), "invalid request body: request size") {
		t.Errorf("validate: got %.200s", r.raw)
	}
	small := newAPIWith(t, func(o *admin.Options) { o.Standalone, o.MaxConfigs = true, 1000 })
	if r := small.replace(400, large); !strings.HasSuffix(fmt.Sprint(r.body["error_msg"]), "is greater than the maximum size 1000 allowed") {
		t.Errorf("got %.200s", r.raw)
	}
}

func TestWholeConfigurationIsYAMLToo(t *testing.T) {
	t.Parallel()
	a := newStandalone(t)
	a.replace(202, "routes:\n- id: r\n  uri: /a\n  plugins: {}\n  desc: 'on: \"1\"'\nroutes_conf_version: 5\n", "Content-Type", "application/yaml")
	r := a.must(200, "GET /configs", "", "Accept", "application/yaml, */*")
	var v map[string]any
	if err := yaml.Unmarshal([]byte(r.raw), &v); err != nil || r.header.Get("Content-Type") != "application/yaml" {
		t.Fatalf("got %q as %s: %v", r.raw, r.header.Get("Content-Type"), err)
	}
	text, _ := json.Marshal(map[string]any{"routes": v["routes"], "v": v["routes_conf_version"], "none": v["ssls_conf_version"]})
	if string(text) != `{"none":1,"routes":[{"desc":"on: \"1\"","id":"r","plugins":{},"uri":"/a"}],"v":5}` {
		t.Errorf("got %s from %s", text, r.raw)
	}
	a.replace(400, "routes: [", "Content-Type", "application/yaml")
}

func TestPrivateKeysOfConfigurationsAreSealedAndComeBackToWhoMayWrite(t *testing.T) {
	t.Parallel()
	a := newStandalone(t)
	cert, private := certstest.JSON(t, "a")
	a.replace(202, fmt.Sprintf(`{"ssls":[{"id":"s","snis":["a.example"],"cert":%s,"key":%s}]}`, cert, private))
	if kept := a.stored("/apisix/ssls/s"); strings.Contains(kept, "PRIVATE") || !strings.Contains(kept, `"key":"`) {
		t.Errorf("etcd holds %s", kept)
	}
	var text string
	if err := json.Unmarshal([]byte(private), &text); err != nil {
		t.Fatal(err)
	}
	s, _ := a.must(200, "GET /configs", "").body["ssls"].([]any)
	if item, _ := s[0].(map[string]any); item["key"] != text {
		t.Errorf("got key %v, want what was put", item["key"])
	}
	if r := a.must(200, "GET /configs", "", "X-API-KEY", "view"); strings.Contains(r.raw, "key\"") || !strings.Contains(r.raw, `"snis"`) {
		t.Errorf("a viewer gets %s", r.raw)
	}
}

// many is a configuration of n routes, which takes some transactions to write.
func many(n int, desc string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,{"id":"r%d","uri":"/%d","plugins":{},"desc":%q}`, i, i, desc)
	}
	return `{"routes":[` + b.String()[1:] + `],"services":[{"id":"s","desc":"` + desc + `"}]}`
}

// cutting is a store whose commits fail after the first few, as if etcd went away.
type cutting struct {
	admin.Store
	left atomic.Int64
}

func (c *cutting) Commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (int64, error) {
	if c.left.Add(-1) < 0 {
		return 0, errors.New("cut")
	}
	return c.Store.Commit(ctx, conds, ops...)
}

func TestReplacementThatWasCutShortIsNoConfiguration(t *testing.T) {
	t.Parallel()
	a := newStandalone(t)
	a.replace(202, many(120, "old"))
	first := a.must(200, "HEAD /configs", "").header.Get("X-Digest")
	var c *cutting
	b := a.replica(func(s admin.Store) admin.Store { c = &cutting{Store: s}; return c })
	c.left.Store(2)
	if r := b.replace(503, many(120, "new")); r.body["error_msg"] != "cut" {
		t.Errorf("got %s", r.raw)
	}
	descs := func() string {
		seen := map[string]bool{}
		list, _ := a.must(200, "GET /configs", "").body["routes"].([]any)
		for _, v := range list {
			m, _ := v.(map[string]any)
			seen[fmt.Sprint(m["desc"])] = true
		}
		return fmt.Sprint(len(list), slices.Sorted(maps.Keys(seen)))
	}
	if got := descs(); got != "120 [new old]" {
		t.Fatalf("after the cut there are %s, want some of both", got)
	}
	if d := a.must(200, "HEAD /configs", "").header.Get("X-Digest"); d != "" {
		t.Errorf("half a configuration has the digest %q", d)
	}
	// The same replica goes on where it was cut, though its mark is still there; the
	// one with the old digest is written, too, and versions that say that nothing has
	// changed do not keep the half.
	c.left.Store(1000)
	b.must(202, "PUT /configs", strings.Replace(many(120, "old"), `{"routes"`, `{"routes_conf_version":1,"services_conf_version":1,"routes"`, 1), "X-Digest", first)
	if got := descs(); got != "120 [old]" {
		t.Errorf("after the old one there are %s, want it whole", got)
	}
	b.must(204, "PUT /configs", "{}", "X-Digest", first)
	a.replace(202, many(120, "new"))
	if got := descs(); got != "120 [new]" {
		t.Errorf("after the new one there are %s, want it whole", got)
	}
	if left := a.under("/unilb/configs/apisix/"); left["writer"] != 0 {
		t.Error("the mark of who replaces is left")
	}
}

func TestReplicasReplaceOneAfterTheOther(t *testing.T) {
	t.Parallel()
	a := newStandalone(t)
	replicas := []*api{a, a.replica(nil), a.replica(nil)}
	var wg sync.WaitGroup
	for i, one := range replicas {
		wg.Go(func() {
			for n := range 3 {
				desc := fmt.Sprintf("%d-%d", i, n)
				if r := one.call("PUT /configs", many(60+10*i, desc), "X-Digest", desc); r.code != http.StatusAccepted {
					t.Errorf("replica %d: got %d %s", i, r.code, r.raw)
				}
			}
		})
	}
	wg.Wait()
	digest := ""
	for i, one := range replicas {
		r := one.must(200, "GET /configs", "")
		if d := r.header.Get("X-Digest"); digest != "" && d != digest {
			t.Errorf("replica %d says %s, another %s", i, d, digest)
		}
		digest = r.header.Get("X-Digest")
		list, _ := r.body["routes"].([]any)
		for _, v := range list {
			if m, _ := v.(map[string]any); m["desc"] != digest {
				t.Fatalf("configuration %s has a route of %v", digest, m["desc"])
			}
		}
		if n := 60 + 10*int(digest[0]-'0'); len(list) != n {
			t.Errorf("configuration %s has %d routes, want %d", digest, len(list), n)
		}
		want(t, r.body["routes_conf_version"], "9")
	}
}

// meddled is a store in which something happens in front of one of the next commits.
type meddled struct {
	admin.Store
	left atomic.Int64
	do   func()
}

func (m *meddled) Commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (int64, error) {
	if m.left.Add(-1) == 0 {
		m.do()
	}
	return m.Store.Commit(ctx, conds, ops...)
}

func TestReplacementThatAnotherOneOvertakesBeginsAgain(t *testing.T) {
	t.Parallel()
	a := newStandalone(t)
	var m *meddled
	b := a.replica(func(s admin.Store) admin.Store { m = &meddled{Store: s}; return m })
	for commit, size := range map[int64]int{1: 3, 2: 120} {
		a.replace(202, many(size, "first"))
		before, _ := a.must(200, "GET /configs", "").body["routes_conf_version"].(float64)
		var wg sync.WaitGroup
		other := func() { a.replace(202, many(size, "other")) }
		m.do = other
		if size > 3 {
			m.do = func() { wg.Go(other) } // it has to wait: some of ours is written
		}
		m.left.Store(commit)
		b.replace(202, many(size, "mine"))
		wg.Wait()
		r := a.must(200, "GET /configs", "").body
		list, _ := r["routes"].([]any)
		seen := map[any]bool{}
		for _, v := range list {
			item, _ := v.(map[string]any)
			seen[item["desc"]] = true
		}
		if len(list) != size || len(seen) != 1 || r["routes_conf_version"] != before+2 {
			t.Errorf("%d routes of %v at version %v, want %d of one and version %v", len(list), seen, r["routes_conf_version"], size, before+2)
		}
	}
}

func TestReplacementMayWaitForGateways(t *testing.T) {
	t.Parallel()
	a := newStandalone(t)
	g := a.gateway("bj/az1/l7-1")
	g.Applied("/apisix", future)
	r := a.must(202, "PUT /configs?wait=applied", many(60, "a"), "X-Digest", "d1")
	if v := r.applied(t); v.Applied == nil || v.Applied.InForce != 1 || r.header.Get("X-Unilb-Applied") != "1/1" || r.header.Get("X-Digest") != "d1" {
		t.Errorf("got %s with %v, want it in force on one of one", r.raw, r.header)
	}
	g.Refuse("/apisix/routes/r7", errors.New("no"))
	r = a.must(502, "PUT /configs?wait=applied", many(60, "b"), "X-Digest", "d2")
	if v := r.applied(t); !strings.Contains(v.Error, "refuses it: no") {
		t.Errorf("one route is refused: got %s", r.raw)
	}
	a.must(400, "PUT /configs?wait=x", "{}", "X-Digest", "d3")
	a.must(204, "PUT /configs?wait=applied", "{}", "X-Digest", "d2")
}
