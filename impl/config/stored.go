package config

import (
	"maps"
	"slices"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
)

// Stored is an object as it stands in etcd, in the version that is in force: an object
// that was refused is still stored as it was before.
type Stored struct {
	// Value as it was written, private keys sealed or not; nil for kinds that nobody
	// lists. It must not be changed.
	Value []byte
	// Create and Mod are the revisions of etcd that made the object and this version.
	Create, Mod int64
	// Updates is how often the object was replaced since this process knows it.
	Updates int
	// Sum of the Change.
	Sum uint64
}

// written is a route as it stands in etcd. There may be a hundred thousand of them: it is
// part of the route, and says what that does not know yet.
type written struct {
	value []byte
	mod   int64
	sum   uint64
}

// listed are the kinds whose values are kept: those that the control API lists.
var listed = [kinds]bool{Services: true, Upstreams: true, PluginMetadata: true}

// keep takes in a change, but of a route, that is in force as it was written.
func (s *Snapshot) keep(c *Change, d *Delta) {
	old, ok := s.stored[c.Kind].Get(c.ID)
	d.Sum -= old.Sum
	if c.Delete {
		s.stored[c.Kind] = s.stored[c.Kind].DeleteIn(s.edit, c.ID)
		return
	}
	next := Stored{Create: c.Create, Mod: c.Mod, Sum: c.Sum}
	d.Sum += c.Sum
	if ok {
		next.Updates = old.Updates + 1
	}
	if listed[c.Kind] {
		next.Value = c.written
	}
	s.stored[c.Kind] = s.stored[c.Kind].SetIn(s.edit, c.ID, next)
}

// Stored returns an object as it was written.
func (s *Snapshot) Stored(k Kind, id string) (Stored, bool) {
	if k != Routes {
		return s.stored[k].Get(id)
	}
	r, ok := s.routes.Get(id)
	if !ok {
		return Stored{}, false
	}
	return Stored{Value: r.written.value, Create: r.rule.Age, Mod: r.written.mod, Updates: int(r.updates), Sum: r.written.sum}, true
}

// IDs returns the ids of the objects of a kind in their order.
func (s *Snapshot) IDs(k Kind) []string {
	ids := make([]string, 0, s.stored[k].Len())
	if k == Routes {
		ids = slices.Grow(ids, s.routes.Len())
		for id := range s.routes.All() {
			ids = append(ids, id)
		}
	}
	for id := range s.stored[k].All() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// checkMetadata checks what is set for all uses of a plugin. A plugin that the catalogue
// does not know may have anything; nobody runs it.
func checkMetadata(c *Change) error {
	o, err := apisix.Parse(c.Value)
	if err != nil {
		return err
	}
	p, known := plugin.Lookup(c.ID)
	if !known {
		if p, known = plugin.LookupStream(c.ID); !known {
			return nil
		}
	}
	conf := maps.Clone(o.Tree())
	delete(conf, "id")
	return p.Check(conf, plugin.Metadata)
}
