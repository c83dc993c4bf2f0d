package admin_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// overtaken lets somebody else write right before the next commit.
type overtaken struct {
	*store.Store
	t   *testing.T
	ops []store.Op
}

func (o *overtaken) Commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (int64, error) {
	if first := o.ops; first != nil {
		o.ops = nil
		if _, err := o.Store.Commit(ctx, nil, first...); err != nil {
			o.t.Error(err)
		}
	}
	return o.Store.Commit(ctx, conds, ops...)
}

func TestWriteThatIsOvertaken(t *testing.T) {
	t.Parallel()
	const upstream, route = "/apisix/upstreams/1", "/apisix/routes/1"
	for _, tc := range []struct {
		name  string
		have  []store.Op
		first store.Op
		line  string
		body  string
		code  int
		text  string
	}{
		{"upstream vanishes before its route is written", []store.Op{{Key: upstream, Value: []byte(`{"nodes":{}}`)}},
			store.Op{Key: upstream, Delete: true}, "PUT /routes/1", `{"uri":"/","upstream_id":1}`, 400, "failed to fetch upstream info by upstream id [1]"},
		{"route appears before its upstream is deleted", []store.Op{{Key: upstream, Value: []byte(`{"nodes":{}}`)}},
			store.Op{Key: route, Value: []byte(`{"uri":"/","upstream_id":"1"}`)}, "DELETE /upstreams/1", "", 400, "route [1] is still using it"},
		{"object changes before it is patched", []store.Op{{Key: upstream, Value: []byte(`{"nodes":{}}`)}},
			store.Op{Key: upstream, Value: []byte(`{"nodes":{"a:1":1}}`)}, "PATCH /upstreams/1", `{"retries":1}`, 503, "value changed before overwritten"},
		{"another rule changes before a rule is patched", []store.Op{{Key: "/apisix/global_rules/1", Value: []byte(`{"plugins":{}}`)}},
			store.Op{Key: "/apisix/global_rules/2", Value: []byte(`{"plugins":{"cors":{}}}`)}, "PATCH /global_rules/1", `{"plugins":{"gzip":{}}}`, 200, `"gzip"`},
		{"another rule takes the plugin before a rule is patched", []store.Op{{Key: "/apisix/global_rules/1", Value: []byte(`{"plugins":{}}`)}},
			store.Op{Key: "/apisix/global_rules/2", Value: []byte(`{"plugins":{"cors":{}}}`)}, "PATCH /global_rules/1", `{"plugins":{"cors":{}}}`, 400, "already exists in global rule"},
		{"consumer goes before its credential is written", []store.Op{{Key: "/apisix/consumers/jack", Value: []byte(`{"username":"jack"}`)}},
			store.Op{Key: "/apisix/consumers/jack", Delete: true}, "PUT /consumers/jack/credentials/c", `{}`, 404, "consumer not found"},
		{"certificate changes its type before it is referred to", []store.Op{{Key: "/apisix/ssls/c", Value: []byte(`{"type":"client"}`)}},
			store.Op{Key: "/apisix/ssls/c", Value: []byte(`{"type":"server"}`)}, "PUT /upstreams/1", `{"nodes":{},"tls":{"client_cert_id":"c"}}`, 400, "wrong ssl type"},
		{"object changes before it is replaced", []store.Op{{Key: upstream, Value: []byte(`{"nodes":{},"create_time":1}`)}},
			store.Op{Key: upstream, Value: []byte(`{"nodes":{},"create_time":77}`)}, "PUT /upstreams/1", `{"nodes":{}}`, 200, `"create_time":77`},
		{"object vanishes before it is replaced", []store.Op{{Key: upstream, Value: []byte(`{"nodes":{}}`)}},
			store.Op{Key: upstream, Delete: true}, "PUT /upstreams/1", `{"nodes":{}}`, 201, "key"},
		{"object vanishes before it is deleted", []store.Op{{Key: upstream, Value: []byte(`{"nodes":{}}`)}},
			store.Op{Key: upstream, Delete: true}, "DELETE /upstreams/1", "", 404, "Key not found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			st, err := store.Open(store.Options{Endpoints: []string{etcdtest.Start(t).Endpoint()}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = st.Close() })
			if _, err := st.Commit(t.Context(), nil, tc.have...); err != nil {
				t.Fatal(err)
			}
			h, err := admin.New(admin.Options{Store: &overtaken{Store: st, t: t, ops: []store.Op{tc.first}}})
			if err != nil {
				t.Fatal(err)
			}
			method, path, _ := strings.Cut(tc.line, " ")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, "/apisix/admin"+path, strings.NewReader(tc.body)))
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.text) {
				t.Errorf("got %d %s, want %d with %q", w.Code, w.Body, tc.code, tc.text)
			}
		})
	}
}
