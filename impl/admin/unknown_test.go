package admin_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

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

func TestDeleteWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	const key = "/apisix/upstreams/1"
	st, err := store.Open(store.Options{Endpoints: []string{etcdtest.Start(t).Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	put := store.Op{Key: key, Value: []byte(`{"nodes":{}}`)}
	for _, tc := range []struct {
		name    string
		lose    int
		applied bool
		between []store.Op // by somebody else
		match   bool       // If-Match is given
		code    int
		left    bool // an object is there afterwards
	}{
		{name: "done", lose: 1, applied: true, code: 200},
		{name: "done, with If-Match", lose: 1, applied: true, match: true, code: 200},
		{name: "not done", lose: 2, code: 200},
		{name: "changed", lose: 1, between: []store.Op{put}, code: 200},
		{name: "changed, with If-Match", lose: 1, between: []store.Op{put}, match: true, code: 412, left: true},
		{name: "done and created anew", lose: 1, applied: true, between: []store.Op{put}, code: 200, left: true},
		{name: "never answered", lose: 1000, code: 503, left: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			mod, err := st.Commit(t.Context(), nil, put)
			if err != nil {
				t.Fatal(err)
			}
			f := &forgetful{Store: st, lose: tc.lose, applied: tc.applied}
			if tc.between != nil {
				f.between = func() {
					if _, err := st.Commit(t.Context(), nil, tc.between...); err != nil {
						t.Error(err)
					}
				}
			}
			h, err := admin.New(admin.Options{Store: f})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			if tc.code == 503 { // we do not wait until it gives up
				ctx, cancel = context.WithTimeout(t.Context(), 300*time.Millisecond)
			}
			defer cancel()
			r := httptest.NewRequestWithContext(ctx, http.MethodDelete, "/apisix/admin/upstreams/1", nil)
			if tc.match {
				r.Header.Set("If-Match", strconv.FormatInt(mod, 10))
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			_, left, _, err := st.Get(t.Context(), key)
			if w.Code != tc.code || left != tc.left || err != nil {
				t.Errorf("got %d %s, object left: %v %v; want %d, %v", w.Code, w.Body, left, err, tc.code, tc.left)
			}
			rev, _ := strconv.ParseInt(w.Header().Get("X-Unilb-Revision"), 10, 64)
			if tc.code == 200 && rev <= mod {
				t.Errorf("revision %d is not after that of the object, %d", rev, mod)
			}
		})
	}
}
