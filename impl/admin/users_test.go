package admin_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// between does something right before the next commit.
type between struct {
	*store.Store
	do func()
}

func (b *between) Commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (int64, error) {
	if do := b.do; do != nil {
		b.do = nil
		do()
	}
	return b.Store.Commit(ctx, conds, ops...)
}

func ask(t *testing.T, h *admin.Handler, line, body string) (code int, text string) {
	t.Helper()
	method, path, _ := strings.Cut(line, " ")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, "/apisix/admin"+path, strings.NewReader(body)))
	return w.Code, strings.TrimSpace(w.Body.String())
}

// crowded is an etcd with more routes than a deletion holds as they are, and two replicas of
// the Admin API; the first does something of the test before its next commit.
func crowded(t *testing.T) (etcd *clientv3.Client, st *between, first, second *admin.Handler) {
	t.Helper()
	server := etcdtest.Start(t)
	plain, err := store.Open(store.Options{Endpoints: []string{server.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	for i := 0; i < 1100; i += 100 {
		var ops []store.Op
		for n := i; n < i+100; n++ {
			ops = append(ops, store.Op{Key: fmt.Sprintf("/apisix/routes/%d", n), Value: []byte(`{"uri":"/","plugins":{}}`)})
		}
		if _, err := plain.Commit(t.Context(), nil, ops...); err != nil {
			t.Fatal(err)
		}
	}
	st = &between{Store: plain}
	handlers := [2]*admin.Handler{}
	for i, s := range []admin.Store{st, plain} {
		if handlers[i], err = admin.New(admin.Options{Store: s}); err != nil {
			t.Fatal(err)
		}
	}
	etcd, err = store.Dial(store.Options{Endpoints: []string{server.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = etcd.Close() })
	return etcd, st, handlers[0], handlers[1]
}

func TestAmongManyRoutesAReferenceThatAppearsBeforeADeletionIsSeen(t *testing.T) {
	t.Parallel()
	_, st, h, other := crowded(t)
	for name, route := range map[string]string{
		"by id":       `{"uri":"/x","upstream_id":"u"}`,
		"by a plugin": `{"uri":"/x","plugins":{"traffic-split":{"rules":[{"weighted_upstreams":[{"upstream_id":"u","weight":1}]}]}}}`,
	} {
		if code, text := ask(t, h, "PUT /upstreams/u", `{"nodes":{}}`); code > 201 {
			t.Fatal(code, text)
		}
		st.do = func() {
			if code, text := ask(t, other, "PUT /routes/5", route); code != 200 {
				t.Error(code, text)
			}
		}
		code, text := ask(t, h, "DELETE /upstreams/u", "")
		if code != 400 || !strings.Contains(text, "route [5] is still using it now") {
			t.Errorf("%s: got %d %s, want that route 5 uses it", name, code, text)
		}
		if code, text := ask(t, other, "PUT /routes/5", `{"uri":"/","plugins":{}}`); code != 200 {
			t.Fatal(code, text)
		}
		if code, text := ask(t, h, "DELETE /upstreams/u", ""); code != 200 {
			t.Errorf("%s: got %d %s for an upstream that nobody uses any more", name, code, text)
		}
	}
}

func TestADeletionFollowsWhatOthersWriteToEtcd(t *testing.T) {
	t.Parallel()
	etcd, _, h, _ := crowded(t)
	put := func(key, value string) {
		t.Helper()
		if _, err := etcd.Put(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	deleted := func(want int, wantText string) {
		t.Helper()
		put("/apisix/upstreams/u", `{"nodes":{}}`)
		if code, text := ask(t, h, "DELETE /upstreams/u", ""); code != want || !strings.Contains(text, wantText) {
			t.Errorf("got %d %s, want %d %s", code, text, want, wantText)
		}
	}
	deleted(200, "")
	put("/apisix/stream_routes/s", `{"upstream_id":"u"}`)
	put("/apisix/routes/9", `{"uri":"/","upstream_id":"u"}`)
	put("/apisix/routes/10", `{"uri":"/","upstream_id":"u"}`)
	deleted(400, "route [10] is still")
	put("/apisix/routes/10", `{"uri":"/","upstream_id":"v"}`)
	deleted(400, "route [9] is still")
	put("/apisix/routes/9", `init_dir`)
	// One that mentions it at two places beside one other: neither is forgotten with the other.
	both := `{"uri":"/","upstream_id":"u","plugins":{"traffic-split":{"rules":[{"weighted_upstreams":[{"upstream_id":"u","weight":1}]}]}}}`
	put("/apisix/routes/11", both)
	deleted(400, "route [11] is still")
	put("/apisix/routes/11", `init_dir`)
	deleted(400, "stream_route [s] is still")
	if _, err := etcd.Delete(t.Context(), "/apisix/stream_routes/s"); err != nil {
		t.Fatal(err)
	}
	deleted(200, "")
	put("/apisix/services/1", `{"upstream_id":"u"}`)
	resp, err := etcd.Get(t.Context(), "x")
	if err == nil {
		_, err = etcd.Compact(t.Context(), resp.Header.Revision)
	}
	if err != nil {
		t.Fatal(err)
	}
	deleted(400, "service [1] is still")
}
