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

	clientv3 "go.etcd.io/etcd/client/v3"

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
	between func()   // what happens before the answer would have come
	op      store.Op // the first of the last commit
	rev     int64    // the revision of the last commit that was applied
}

func (f *forgetful) Commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (int64, error) {
	f.op = ops[0]
	lost := f.lose > 0
	if !lost || f.applied {
		rev, err := f.Store.Commit(ctx, conds, ops...)
		if err != nil {
			return 0, err
		}
		f.rev = rev
	}
	if !lost {
		return f.rev, nil
	}
	f.lose--
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

// others are what somebody else does between a commit and its answer, one commit
// after the other.
type others struct {
	st      *store.Store
	etcd    *etcdtest.Server
	ops     []store.Op
	compact bool    // etcd forgets all of it
	revs    []int64 // of the commits
}

func (o *others) write(t *testing.T) {
	for _, op := range o.ops {
		rev, err := o.st.Commit(t.Context(), nil, op)
		if err != nil {
			t.Error(err)
		}
		o.revs = append(o.revs, rev)
	}
	if !o.compact || len(o.revs) == 0 {
		return
	}
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{o.etcd.Endpoint()}})
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	if _, err := c.Compact(t.Context(), o.revs[len(o.revs)-1], clientv3.WithCompactPhysical()); err != nil {
		t.Error(err)
	}
}

func TestDeleteWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	const key = "/apisix/upstreams/1"
	etcd := etcdtest.Start(t)
	st, err := store.Open(store.Options{Endpoints: []string{etcd.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	put := store.Op{Key: key, Value: []byte(`{"nodes":{}}`)}
	del := store.Op{Key: key, Delete: true}
	other := store.Op{Key: "/elsewhere", Value: []byte("x")}
	for _, tc := range []struct {
		name    string
		lose    int
		applied bool
		between []store.Op // by somebody else
		compact bool
		match   bool // If-Match is given
		code    int
		theirs  bool // the revision is that of the first of between
		left    bool // an object is there afterwards
	}{
		{name: "done", lose: 1, applied: true, code: 200},
		{name: "done, with If-Match", lose: 1, applied: true, match: true, code: 200},
		{name: "done, and others went on", lose: 1, applied: true, between: []store.Op{other, other}, code: 200},
		{name: "done, and compacted", lose: 1, applied: true, between: []store.Op{other, other}, compact: true, code: 200},
		{name: "not done", lose: 2, code: 200},
		{name: "not done, and others went on", lose: 2, between: []store.Op{other}, code: 200},
		{name: "changed", lose: 1, between: []store.Op{put}, code: 200},
		{name: "changed, with If-Match", lose: 1, between: []store.Op{put}, match: true, code: 412, left: true},
		{name: "deleted by somebody else", lose: 1, between: []store.Op{del, other}, code: 200, theirs: true},
		{name: "changed and deleted by somebody else", lose: 1, between: []store.Op{put, del}, code: 404},
		{name: "changed and deleted by somebody else, with If-Match", lose: 1, between: []store.Op{put, del}, match: true, code: 412},
		{name: "changed, deleted and created anew", lose: 1, between: []store.Op{put, del, put}, code: 200},
		{name: "changed, deleted and created anew, with If-Match", lose: 1, between: []store.Op{put, del, put}, match: true, code: 412, left: true},
		{name: "done and created anew", lose: 1, applied: true, between: []store.Op{other, put}, code: 200, left: true},
		{name: "never answered", lose: 1000, code: 503, left: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			mod, err := st.Commit(t.Context(), nil, put)
			if err != nil {
				t.Fatal(err)
			}
			o := &others{st: st, etcd: etcd, ops: tc.between, compact: tc.compact}
			f := &forgetful{Store: st, lose: tc.lose, applied: tc.applied, between: func() { o.write(t) }}
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
			want := f.rev
			if tc.theirs {
				want = o.revs[0]
			}
			rev, _ := strconv.ParseInt(w.Header().Get("X-Unilb-Revision"), 10, 64)
			if tc.code == 200 && rev != want && (!tc.compact || rev < want) {
				t.Errorf("got revision %d, want %d, at which the object was deleted (others wrote at %v)", rev, want, o.revs)
			}
		})
	}
}

func TestWriteWhoseAnswerWasLost(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Start(t)
	st, err := store.Open(store.Options{Endpoints: []string{etcd.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	const theirs = `{"nodes":{"a:1":1}}`
	put := store.Op{Value: []byte(theirs)}
	del := store.Op{Delete: true}
	other := store.Op{Key: "/elsewhere", Value: []byte("x")}
	for _, tc := range []struct {
		name    string
		method  string
		have    bool // an object is there before
		match   bool // If-Match is given
		lost    bool // the write is not applied
		between []store.Op
		same    bool // somebody else writes the same once more
		compact bool
		code    int
		left    string // what is there afterwards: "ours", "theirs", or nothing
	}{
		{name: "created, and others went on", method: "PUT", between: []store.Op{other}, code: 201, left: "ours"},
		{name: "created and replaced", method: "PUT", between: []store.Op{put}, code: 201, left: "theirs"},
		{name: "created and replaced, with If-Match", method: "PUT", match: true, between: []store.Op{put}, code: 201, left: "theirs"},
		{name: "created and deleted", method: "PUT", between: []store.Op{del, other}, code: 201},
		{name: "created, deleted and created anew", method: "PUT", between: []store.Op{del, put}, code: 201, left: "theirs"},
		{name: "created under an id of ours and replaced", method: "POST", between: []store.Op{put}, code: 201, left: "theirs"},
		{name: "replaced twice", method: "PUT", have: true, between: []store.Op{put}, code: 200, left: "theirs"},
		{name: "replaced twice, with If-Match", method: "PUT", have: true, match: true, between: []store.Op{put}, code: 200, left: "theirs"},
		{name: "replaced twice by the same", method: "PUT", have: true, same: true, code: 200, left: "ours"},
		{name: "replaced and deleted", method: "PUT", have: true, between: []store.Op{del}, code: 200},
		{name: "patched and replaced", method: "PATCH", have: true, between: []store.Op{put}, code: 200, left: "theirs"},
		{name: "patched, and compacted", method: "PATCH", have: true, between: []store.Op{other, other}, compact: true, code: 200, left: "ours"},
		{name: "not created, and others went on", method: "PUT", lost: true, between: []store.Op{other}, code: 201, left: "ours"},
		{name: "created by somebody else", method: "PUT", lost: true, between: []store.Op{put}, code: 200, left: "ours"},
		{name: "created by somebody else, with If-Match", method: "PUT", lost: true, match: true, between: []store.Op{put}, code: 412, left: "theirs"},
		{name: "not created, and compacted", method: "PUT", lost: true, between: []store.Op{other, other}, compact: true, code: 201, left: "ours"},
		{name: "not patched, but replaced", method: "PATCH", have: true, lost: true, between: []store.Op{put}, code: 503, left: "theirs"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			const key = "/apisix/upstreams/1"
			before, err := st.Commit(t.Context(), nil, store.Op{Key: key, Delete: true})
			mod := int64(0)
			if tc.have {
				before, err = st.Commit(t.Context(), nil, store.Op{Key: key, Value: []byte(`{"nodes":{}}`)})
				mod = before
			}
			if err != nil {
				t.Fatal(err)
			}
			f := &forgetful{Store: st}
			o := &others{st: st, etcd: etcd, compact: tc.compact}
			at := key
			f.between = func() {
				at = f.op.Key // of a POST it is new each time
				for _, op := range tc.between {
					if op.Key == "" {
						op.Key = at
					}
					o.ops = append(o.ops, op)
				}
				if tc.same {
					o.ops = append(o.ops, f.op)
				}
				o.write(t)
			}
			h, err := admin.New(admin.Options{Store: skipsCounter{f, !tc.lost}})
			if err != nil {
				t.Fatal(err)
			}
			path := "/apisix/admin/upstreams/1"
			if tc.method == http.MethodPost {
				path = "/apisix/admin/upstreams"
			}
			r := httptest.NewRequest(tc.method, path, strings.NewReader(`{"nodes":{"ours:1":1}}`))
			if tc.match {
				r.Header.Set("If-Match", strconv.FormatInt(mod, 10))
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			kv, _, _, err := st.Get(t.Context(), at)
			left := ""
			switch {
			case string(kv.Value) == theirs:
				left = "theirs"
			case strings.Contains(string(kv.Value), "ours:1"):
				left = "ours"
			}
			if w.Code != tc.code || left != tc.left || err != nil {
				t.Errorf("got %d %s, then %q is there, %v; want %d, %q", w.Code, w.Body, left, err, tc.code, tc.left)
			}
			rev, _ := strconv.ParseInt(w.Header().Get("X-Unilb-Revision"), 10, 64)
			if tc.code < 300 && (rev != f.rev || rev <= before) {
				t.Errorf("got revision %d, want %d, at which it was written (others wrote at %v)", rev, f.rev, o.revs)
			}
		})
	}
}

// skipsCounter loses the answer of the first commit that is not of the counter by
// which ids are made.
type skipsCounter struct {
	*forgetful
	applied bool
}

func (s skipsCounter) Commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (int64, error) {
	if !strings.HasSuffix(ops[0].Key, "/gen_id") && s.op.Key == "" {
		s.lose, s.forgetful.applied = 1, s.applied
	}
	if strings.HasSuffix(ops[0].Key, "/gen_id") {
		return s.Store.Commit(ctx, conds, ops...)
	}
	return s.forgetful.Commit(ctx, conds, ops...)
}
