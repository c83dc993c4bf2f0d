package history

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

// DefaultKeep is how many entries are kept.
const DefaultKeep = 10_000

const (
	// pruneEvery is how often a replica looks whether there are too many entries.
	pruneEvery = 10 * time.Second
	// slack is the part of what is kept by which it may be exceeded, so that not every
	// look has to list the entries.
	slack = 50
	// deletions is how many entries one transaction deletes: etcd takes 128 operations
	// by default.
	deletions = 100
)

// Prune deletes the oldest entries beyond the newest keep, and returns how many. Any
// number of replicas may do so at the same time.
func Prune(ctx context.Context, st *store.Store, keep int) (deleted int, err error) {
	kvs, _, err := st.Keys(ctx, Prefix)
	if err != nil || len(kvs) <= keep {
		return 0, err
	}
	// Keys sort by the clocks of replicas, revisions by what happened.
	slices.SortFunc(kvs, func(a, b store.KV) int { return cmp.Or(cmp.Compare(a.Mod, b.Mod), cmp.Compare(a.Key, b.Key)) })
	for old := range slices.Chunk(kvs[:len(kvs)-keep], deletions) {
		ops := make([]store.Op, len(old))
		for i, kv := range old {
			ops[i] = store.Op{Key: kv.Key, Delete: true}
		}
		if _, err := st.Commit(ctx, nil, ops...); err != nil {
			return deleted, err
		}
		deleted += len(old)
	}
	return deleted, nil
}

// KeepNewest prunes until ctx ends, and returns its error.
func KeepNewest(ctx context.Context, st *store.Store, keep int, log *slog.Logger) error {
	for {
		wait := time.NewTimer(pruneEvery/2 + rand.N(pruneEvery))
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		}
		n, err := st.Count(ctx, Prefix)
		if err == nil && n > int64(keep+keep/slack) {
			_, err = Prune(ctx, st, keep)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			log.Warn("history not pruned", obs.Err, err)
		}
	}
}
