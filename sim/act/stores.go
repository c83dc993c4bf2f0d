package act

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/unilb/unilb/sim/etcd"
	"github.com/unilb/unilb/sim/stored"
	"github.com/unilb/unilb/topology"
)

// Stores are the regions that have a store.
func (r *Region) Stores() []string {
	var out []string
	seen := map[string]bool{}
	for _, n := range r.Plan.OfKind(topology.KindEtcd) {
		if !seen[n.Region] {
			seen[n.Region] = true
			out = append(out, n.Region)
		}
	}
	return out
}

// A Key is one key of a store, for evidence.
type Key struct {
	Key     string `json:"key"`
	Value   string `json:"value"`
	Created int64  `json:"created"` // revision
	Changed int64  `json:"changed"`
}

// DumpStore reads all keys of a region's store from the first member that
// answers.
func (r *Region) DumpStore(ctx context.Context, region string) ([]Key, error) {
	var errs []error
	for _, n := range r.Plan.OfKind(topology.KindEtcd) {
		if n.Region != region {
			continue
		}
		node, err := r.Lab.Node(n.Ref)
		if err != nil {
			return nil, err
		}
		kvs, err := etcd.New(node, netip.AddrPortFrom(n.Underlay, topology.EtcdClientPort)).Dump(ctx, "")
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out := make([]Key, 0, len(kvs))
		for _, kv := range kvs {
			out = append(out, Key{Key: string(kv.Key), Value: string(kv.Value), Created: kv.CreateRev, Changed: kv.ModRev})
		}
		return out, nil
	}
	return nil, fmt.Errorf("no member of region %s answers: %w", region, errors.Join(errs...))
}

// objectsPrefix is where the objects of the configuration are in a store.
const objectsPrefix = "/apisix"

// NotTaken are the objects of a store that no data plane of APISIX would take, and the
// placeholders that it would look for in vain.
func NotTaken(keys []Key) []stored.Problem {
	objects := make([]stored.Object, len(keys))
	for i, k := range keys {
		objects[i] = stored.Object{Key: k.Key, Value: []byte(k.Value)}
	}
	return append(stored.Check(objectsPrefix, objects), stored.Placeholders(objectsPrefix, objects)...)
}
