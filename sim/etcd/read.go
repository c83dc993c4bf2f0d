package etcd

import (
	"context"
	"fmt"
)

// A KV is one key at one revision.
type KV struct {
	Key       []byte `json:"key"`
	Value     []byte `json:"value"`
	CreateRev int64  `json:"create_revision,string"`
	ModRev    int64  `json:"mod_revision,string"`
}

// A Query says what to read.
type Query struct {
	// Prefix of the keys; "": every key.
	Prefix string
	// Serializable reads what the member has, without asking the others: it needs
	// no quorum and may be old.
	Serializable bool
	// Revision to read at; 0: the newest.
	Revision int64
	// Limit on the number of keys, 0: none.
	Limit int64
	// KeysOnly leaves the values out.
	KeysOnly bool

	from []byte // where a page begins, instead of Prefix
}

// An Answer is what a query found.
type Answer struct {
	KVs      []KV // in the order of their keys
	Revision int64
	More     bool // there are more than Limit
}

// Range reads. ErrCompacted is found in the error when the revision is forgotten.
func (m *Member) Range(ctx context.Context, q Query) (Answer, error) {
	type question struct {
		Key          []byte `json:"key"`
		End          []byte `json:"range_end,omitempty"`
		Limit        int64  `json:"limit,string,omitempty"`
		Revision     int64  `json:"revision,string,omitempty"`
		Serializable bool   `json:"serializable,omitempty"`
		KeysOnly     bool   `json:"keys_only,omitempty"`
	}
	var a struct {
		Header header `json:"header"`
		KVs    []KV   `json:"kvs"`
		More   bool   `json:"more"`
	}
	key, end := span(q.Prefix)
	if q.from != nil {
		key = q.from
	}
	err := m.call(ctx, "/v3/kv/range", question{key, end, q.Limit, q.Revision, q.Serializable, q.KeysOnly}, &a)
	return Answer{KVs: a.KVs, Revision: a.Header.Revision, More: a.More}, err
}

// span is the range of keys with a prefix. To etcd a zero byte as the end means
// every key from the beginning on.
func span(prefix string) (key, end []byte) {
	if prefix == "" {
		return []byte{0}, []byte{0}
	}
	end = []byte(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return []byte(prefix), end[:i+1]
		}
	}
	return []byte(prefix), []byte{0}
}

// probeKey is asked for by Revision. Nobody has it.
const probeKey = "/lbsim/no such key"

// Revision is the newest revision of the cluster. It is read together with a key
// that is not there, which only a member with a quorum behind it can do: an error
// of a member that answers serializable reads says that it has none.
func (m *Member) Revision(ctx context.Context) (int64, error) {
	a, err := m.Range(ctx, Query{Prefix: probeKey, Limit: 1})
	return a.Revision, err
}

// Compact makes the cluster forget what was before a revision. With physical it
// returns when the member has done so on disk, too.
func (m *Member) Compact(ctx context.Context, revision int64, physical bool) error {
	question := struct {
		Revision int64 `json:"revision,string"`
		Physical bool  `json:"physical,omitempty"`
	}{revision, physical}
	var a struct{}
	return m.call(ctx, "/v3/kv/compaction", question, &a)
}

// Limits of a dump.
const (
	dumpPage = 1000
	dumpKeys = 1 << 20
)

// Dump reads every key with the prefix as they were at one moment, for evidence.
// It reads what the member has, so it works without a quorum.
func (m *Member) Dump(ctx context.Context, prefix string) ([]KV, error) {
	q := Query{Prefix: prefix, Serializable: true, Limit: dumpPage}
	var out []KV
	for {
		a, err := m.Range(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("dump %q: %w", prefix, err)
		}
		out = append(out, a.KVs...)
		if !a.More || len(a.KVs) == 0 {
			return out, nil
		}
		if len(out) > dumpKeys {
			return nil, fmt.Errorf("dump %q: more than %d keys", prefix, dumpKeys)
		}
		if q.Revision == 0 {
			q.Revision = a.Revision
		}
		q.from = append(a.KVs[len(a.KVs)-1].Key, 0)
	}
}
