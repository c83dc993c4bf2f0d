package admin_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// forgetful loses the answers of the next commits, after or before applying
// them.
type forgetful struct {
	*store.Store
	lose    int
	applied bool
	between func() // what happens before the answer would have come
}

func (f *forgetful) Commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (int64, error) {
	if f.lose == 0 {
		return f.Store.Commit(ctx, conds, ops...)
	}
	f.lose--
	if f.applied {
		if _, err := f.Store.Commit(ctx, conds, ops...); err != nil {
			return 0, err
		}
	}
	if f.between != nil {
		f.between()
	}
	return 0, &store.UnavailableError{Op: "commit", Unknown: true, Err: errors.New("leader lost")}
}

func TestLostAnswersOfEtcd(t *testing.T) {
	t.Parallel()
	st, err := store.Open(store.Options{Endpoints: []string{etcdtest.Start(t).Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	f := &forgetful{Store: st}
	h, err := admin.New(admin.Options{Store: f})
	if err != nil {
		t.Fatal(err)
	}
	put := func(id, ifMatch string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPut, "/apisix/admin/upstreams/"+id, strings.NewReader(`{"nodes":{}}`))
		r.Header.Set("If-Match", ifMatch)
		h.ServeHTTP(w, r)
		return w
	}
	modOf := func(id string) int64 {
		kv, _, _, err := st.Get(t.Context(), "/apisix/upstreams/"+id)
		if err != nil {
			t.Fatal(err)
		}
		return kv.Mod
	}
	for _, applied := range []bool{true, false} {
		id := map[bool]string{true: "applied", false: "dropped"}[applied]
		f.lose, f.applied = 2, applied
		w := put(id, "0")
		if w.Code != 201 || w.Header().Get("X-Unilb-Revision") == "" {
			t.Errorf("%s: got %d %s", id, w.Code, w.Body)
		}
		f.lose = 0
		if w := put(id, "0"); w.Code != 412 {
			t.Errorf("%s: the object is not there: %d %s", id, w.Code, w.Body)
		}
	}
	// Somebody else's write in between wins over If-Match, and is not taken for
	// ours.
	f.lose, f.applied = 1, false
	f.between = func() {
		if _, err := st.Commit(t.Context(), nil, store.Op{Key: "/apisix/upstreams/other", Value: []byte(`{"nodes":{"a:1":1}}`)}); err != nil {
			t.Error(err)
		}
	}
	if w := put("other", "0"); w.Code != 412 {
		t.Errorf("got %d %s, want 412", w.Code, w.Body)
	}
	if modOf("other") == 0 {
		t.Error("the other write is gone")
	}
	f.lose, f.between = 1000, nil
	if w := put("never", "0"); w.Code != 503 {
		t.Errorf("got %d %s, want 503", w.Code, w.Body)
	}
}
