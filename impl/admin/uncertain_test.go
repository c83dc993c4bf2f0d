package admin_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/admin"
	"github.com/unilb/unilb/impl/store"
)

// mishaps is a store whose next commits, and then reads, fail; of a counter none does.
type mishaps struct {
	admin.Store
	commits []error
	reads   error // of all that come after the first commit
}

func (m *mishaps) Commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (int64, error) {
	if strings.HasSuffix(ops[0].Key, "/gen_id") || len(m.commits) == 0 {
		return m.Store.Commit(ctx, conds, ops...)
	}
	err := m.commits[0]
	if len(m.commits) > 1 { // the last one stays
		m.commits = m.commits[1:]
	}
	return 0, err
}

func (m *mishaps) Get(ctx context.Context, key string) (store.KV, bool, int64, error) {
	if m.reads != nil && len(m.commits) == 1 {
		return store.KV{}, false, 0, m.reads
	}
	return m.Store.Get(ctx, key)
}

// A client is told that a write may come whose answer was lost, whatever became of the
// tries after it, and is not where none was sent.
func TestUnavailableSaysWhetherAWriteMayHaveHappened(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	lost := &store.UnavailableError{Op: "commit", Unknown: true, Err: errors.New("leader lost")}
	away := &store.UnavailableError{Op: "commit", Err: errors.New("nobody there")}
	full := errors.New("commit: etcdserver: mvcc: database space exceeded")
	for _, tc := range []struct {
		name    string
		commits []error
		reads   error
		unknown bool
	}{
		{"not sent", []error{away}, nil, false},
		{"lost, and then not sent", []error{lost, away}, nil, true},
		{"lost, and then refused", []error{lost, full}, nil, true},
		{"lost, and then nobody can be asked", []error{lost, away}, &store.UnavailableError{Op: "get", Err: errors.New("nobody there")}, true},
	} {
		for _, call := range []struct{ line, body string }{
			{"PUT /upstreams/1", `{"nodes":{"a:1":1}}`},
			{"PATCH /upstreams/1", `{"nodes":{"b:1":1}}`},
			{"POST /upstreams", `{"nodes":{}}`},
			{"DELETE /upstreams/1", ""},
			{"PUT /configs?force=true", `{"upstreams":[{"id":"2","nodes":{}}]}`},
		} {
			if _, err := a.st.Commit(t.Context(), nil, store.Op{Key: "/apisix/upstreams/1", Value: []byte(`{"id":"1","nodes":{}}`)}); err != nil {
				t.Fatal(err)
			}
			m, b := &mishaps{}, &api{t: t, etcd: a.etcd, now: a.now}
			b.start(func(o *admin.Options) {
				o.Standalone = strings.Contains(call.line, "/configs")
				m.Store, o.Store = o.Store, m
			})
			m.commits, m.reads = slices.Clone(tc.commits), tc.reads
			r := b.call(call.line, call.body, "X-Digest", "d")
			if r.code != 503 || strings.Contains(r.raw, "outcome unknown") != tc.unknown {
				t.Errorf("%s, %s: got %d %s, want 503, its outcome unknown: %t", tc.name, call.line, r.code, r.raw, tc.unknown)
			}
		}
	}
}
