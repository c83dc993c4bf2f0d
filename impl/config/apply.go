package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/route"
	"github.com/unilb/unilb/impl/route/hamt"
)

// Change is one object that was put or deleted.
type Change struct {
	Kind   Kind
	ID     string
	Key    string // in etcd, for reports
	Value  []byte
	Create int64 // revision at which the object was created
	Mod    int64 // revision of this version
	Delete bool
	// Sum is what this version adds to the sum over all objects that are in force, such as
	// a hash of it. See Delta.
	Sum uint64
	// Secrets are what the references in Value stand for, see References.
	Secrets map[string]Secret

	written []byte // Value before it was opened and filled
}

// name is what an object of that directory is called among all, a part of its key where
// that ends with it.
func (c *Change) name(dir string) string {
	if before, ok := strings.CutSuffix(c.Key, c.ID); ok && strings.HasSuffix(before, dir) {
		return c.Key[len(before)-len(dir):]
	}
	return dir + c.ID
}

// Delta is what a batch did, for the state that lives beside snapshots.
type Delta struct {
	// Upstreams that are new or changed, by key; nil: gone.
	Upstreams map[string]*Upstream
	// Certificates that are new or changed, by id of their ssl object; nil: gone, or not
	// served any more.
	Certificates map[string]*certs.Certificate
	// Refused objects by key in etcd; their previous versions stay.
	Refused map[string]error
	// Accepted are the keys of the changed objects that are in force, or gone; some more
	// than once.
	Accepted []string
	// Sum is by how much the sum over all objects that are in force has changed.
	Sum uint64
	// ListenersChanged: the set of listeners is not what it was.
	ListenersChanged bool
}

// Apply returns the snapshot after the changes, which are applied in order.
func (s *Snapshot) Apply(changes []Change) (*Snapshot, Delta) {
	next := *s
	next.edit = hamt.Begin() // nobody sees what is between the changes
	d := Delta{Accepted: make([]string, 0, len(changes))}
	for i := range changes {
		c := &changes[i]
		if c.Kind == Other {
			continue
		}
		if err := next.apply(*c, &d); err != nil {
			if errors.Is(err, apisix.ErrSealed) {
				err = fmt.Errorf("%w: no key of UNILB_KEYRING opens it", err)
			}
			set(&d.Refused, c.Key, err)
			continue
		}
		delete(d.Refused, c.Key)
		d.Accepted = append(d.Accepted, c.Key)
	}
	if len(d.Refused) > 0 {
		d.Accepted = slices.DeleteFunc(d.Accepted, func(key string) bool { return d.Refused[key] != nil })
	}
	next.edit = 0
	return &next, d
}

var errNoObject = errors.New("value is no JSON object")

// apply tells what is no JSON from what is wrong.
func (s *Snapshot) apply(c Change, d *Delta) error {
	if !c.Delete && !isObject(c.Value) {
		return errNoObject
	}
	c.written = c.Value
	err := s.open(&c)
	if err == nil && !s.blind {
		err = c.fill()
	}
	if err == nil {
		err = s.take(&c, d)
	}
	if err == nil && c.Kind != Routes {
		s.keep(&c, d)
	}
	var syntax *apisix.SyntaxError
	if errors.As(err, &syntax) {
		return errNoObject
	}
	return err
}

func (s *Snapshot) take(c *Change, d *Delta) error {
	switch c.Kind {
	case Routes:
		return s.applyRoute(c, d)
	case Services:
		return s.applyService(c, d)
	case Upstreams:
		return s.applyUpstream(c, d)
	case SSLs:
		return s.applySSL(c, d)
	case Listeners:
		return s.applyListener(c, d)
	case GlobalRules:
		return s.applyGlobalRule(c)
	case PluginConfigs:
		return s.applyPluginConfig(c)
	case ConsumerGroups:
		return s.applyConsumerGroup(c)
	case Consumers:
		return s.applyConsumer(c)
	case Credentials:
		return s.applyCredential(c)
	case PluginMetadata:
		if !c.Delete {
			return checkMetadata(c)
		}
	}
	return nil
}

func (s *Snapshot) applyRoute(c *Change, d *Delta) error {
	old, _ := s.routes.Get(c.ID)
	var next *Route
	var rule *route.Rule[*Route]
	if !c.Delete {
		var err error
		if next, err = compileRoute(c, c.ID); err != nil {
			return err
		}
		rule = next.ruleWith(s.service(next.ServiceID))
		next.written = written{value: c.written, mod: c.Mod, sum: c.Sum}
		if old != nil {
			next.updates = old.updates + 1
		}
	}
	table, err := s.table.ReplaceIn(s.edit, s.indexed(old), rule)
	if err != nil {
		return err
	}
	s.table = table
	if old != nil {
		d.Sum -= old.written.sum
	}
	if next != nil {
		d.Sum += c.Sum
		s.routes = s.routes.SetIn(s.edit, c.ID, next)
	} else {
		s.routes = s.routes.DeleteIn(s.edit, c.ID)
	}
	s.inherit(old, next, rule)
	s.regap(old != nil && old.active, next != nil && next.active)
	d.replaced(inlineOf(old), inlineOf(next))
	return nil
}

func (s *Snapshot) applyUpstream(c *Change, d *Delta) error {
	old, _ := s.upstreams.Get(c.ID)
	if c.Delete {
		s.upstreams = s.upstreams.DeleteIn(s.edit, c.ID)
		d.replaced(old, nil)
		return nil
	}
	spec, err := decodeUpstream(c)
	if err != nil {
		return err
	}
	s.upstreams = s.upstreams.SetIn(s.edit, c.ID, spec)
	d.replaced(old, spec)
	return nil
}

func (s *Snapshot) applyListener(c *Change, d *Delta) error {
	if c.Delete {
		s.listeners = s.listeners.DeleteIn(s.edit, c.ID)
		d.ListenersChanged = true
		return nil
	}
	l, err := compileListener(c.ID, c.Value)
	if err != nil {
		return err
	}
	s.listeners = s.listeners.SetIn(s.edit, c.ID, l)
	d.ListenersChanged = true
	return nil
}

// replaced notes that an upstream took the place of another; either may be nil.
func (d *Delta) replaced(old, next *Upstream) {
	switch {
	case next != nil:
		set(&d.Upstreams, next.Key, next)
	case old != nil:
		set(&d.Upstreams, old.Key, nil)
	}
}

// set makes the map when it gets its first key: most changes need one or two.
func set[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}

// isObject tells an object from the text "init_dir", which APISIX keeps under
// the name of each directory. Whether it is one to its end shows when it is read.
func isObject(v []byte) bool { return bytes.HasPrefix(bytes.TrimLeft(v, " \t\r\n"), []byte("{")) }
