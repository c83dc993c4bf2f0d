package gateway

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/explain"
	"github.com/unilb/unilb/impl/proxy"
	"github.com/unilb/unilb/impl/route"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/lastgood"
)

// Reading is how a gateway that nobody runs would read objects.
type Reading struct {
	Prefix  string // of the APISIX layout
	Keyring *apisix.Keyring
	Router  route.Router
	Paths   proxy.Paths
	Peers   proxy.Peers
}

// Explained compiles objects as a gateway does that finds them at its start, and returns
// what answers questions about requests. Nobody's health is known to it, and no secret that
// objects refer to.
func (r *Reading) Explained(contents ...lastgood.Content) *explain.Source {
	s := &explain.Source{Prefix: r.Prefix, Paths: r.Paths, Peers: r.Peers, Applied: map[string]int64{}, Refused: map[string]string{}, Now: time.Now()}
	snap := config.Empty(r.Keyring).Blind().By(r.Router)
	for _, c := range contents {
		var changes []config.Change
		for _, kv := range c.KVs {
			ch := change(c.Prefix, kv.Key)
			ch.Value, ch.Create, ch.Mod = kv.Value, kv.Create, kv.Mod
			changes = append(changes, ch)
		}
		next, d := snap.Apply(changes)
		snap, s.Applied[c.Prefix] = next, c.Revision
		for key, err := range d.Refused {
			s.Refused[key] = err.Error()
		}
	}
	s.Snapshot = snap
	return s
}

// WholeConfiguration reads the objects of one JSON document as the Admin API takes it for
// a whole configuration: lists of objects by the names of their directories.
func WholeConfiguration(prefix string, text []byte) (lastgood.Content, error) {
	c := lastgood.Content{Prefix: prefix}
	var sections map[string]json.RawMessage
	if err := json.Unmarshal(text, &sections); err != nil {
		return c, err
	}
	for _, dir := range config.Directories() {
		if sections[dir] == nil {
			continue
		}
		var objects []json.RawMessage
		if err := json.Unmarshal(sections[dir], &objects); err != nil {
			return c, fmt.Errorf("%s: %w", dir, err)
		}
		for i, o := range objects {
			named, err := apisix.Parse(o)
			if err != nil {
				return c, fmt.Errorf("%s, item %d: %w", dir, i+1, err)
			}
			id := apisix.IDText(named.Value("id"))
			if name := apisix.IDText(named.Value("username")); name != "" {
				id = name // of a consumer, whatever its id
			}
			if id == "" {
				return c, fmt.Errorf("%s, item %d has no id", dir, i+1)
			}
			c.KVs = append(c.KVs, store.KV{Key: prefix + "/" + dir + "/" + id, Value: o})
		}
	}
	return c, nil
}
