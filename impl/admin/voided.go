package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/unilb/unilb/impl/store"
)

// Voided returns what a transaction holds and writes that changes objects of these
// sections below prefix and is no replacement: if there is a whole configuration it is
// not that any more which its digest tells. As after a replacement that was cut short it
// has no digest, the same version does not keep such a section, and a smaller one is
// refused as before. Where nobody ever put a whole configuration nothing is written.
func Voided(ctx context.Context, st *store.Store, prefix string, changed []string) ([]store.Cond, []store.Op, error) {
	key := standingKey(prefix)
	kv, ok, _, err := st.Get(ctx, key)
	if err != nil {
		return nil, nil, err
	}
	held := []store.Cond{{Key: key, Mod: kv.Mod}}
	if !ok {
		return held, nil, nil
	}
	s := parseStanding(kv.Value)
	open := len(s.Open)
	for _, section := range changed {
		if slices.Contains(sections, section) && !slices.Contains(s.Open, section) {
			s.Open = append(s.Open, section)
		}
	}
	if len(s.Open) == open {
		return held, nil, nil // it has none already
	}
	s.Digest = ""
	value, err := json.Marshal(s)
	if err != nil {
		return nil, nil, fmt.Errorf("void the digest: %w", err)
	}
	return held, []store.Op{{Key: key, Value: value}}, nil
}
