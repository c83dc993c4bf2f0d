package config

import (
	"bytes"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/certs"
)

// places are where objects hold private keys, which are sealed in etcd.
var places = [kinds]apisix.Place{
	Routes: apisix.InlineKeys, Services: apisix.InlineKeys, Upstreams: apisix.UpstreamKeys, SSLs: apisix.SSLKeys,
}

// open unseals the private keys of a change. What cannot be opened is for the check
// of its kind to refuse.
func (s *Snapshot) open(c *Change) error {
	place := places[c.Kind]
	// Most objects hold none, and need not be parsed twice to see it. (A name may be
	// written with escapes.)
	if c.Delete || place == apisix.NoKeys || c.Kind != SSLs && !bytes.Contains(c.Value, []byte("client_key")) && !bytes.ContainsRune(c.Value, '\\') {
		return nil
	}
	o, err := apisix.Parse(c.Value)
	if err != nil {
		return err
	}
	opened, err := s.keyring.Open(o, place)
	if err != nil || opened == o {
		return err
	}
	c.Value = opened.Encode()
	return nil
}

func (s *Snapshot) applySSL(c *Change, d *Delta) error {
	if c.Delete {
		s.ssls = s.ssls.DeleteIn(s.edit, c.ID)
		s.certs = *s.certs.Without(c.ID)
		set(&d.Certificates, c.ID, nil)
		return nil
	}
	spec, err := apisix.DecodeSSL(c.ID, c.Value)
	if err != nil {
		return err
	}
	if spec.Type != "server" || !spec.Enabled() {
		s.certs = *s.certs.Without(c.ID)
		set(&d.Certificates, c.ID, nil)
		s.ssls = s.ssls.SetIn(s.edit, c.ID, spec)
		return nil
	}
	served := certs.Spec{ID: c.ID, Age: c.Create, Names: spec.Names, Pairs: spec.Pairs, Protocols: spec.Protocols}
	if spec.Client != nil {
		served.Client = &certs.ClientSpec{CA: spec.Client.CA, Depth: spec.Client.Depth, Skip: spec.Client.SkipURIs}
	}
	compiled, err := certs.Compile(served)
	if err != nil {
		return err
	}
	s.certs = *s.certs.With(compiled)
	set(&d.Certificates, c.ID, compiled)
	s.ssls = s.ssls.SetIn(s.edit, c.ID, spec)
	return nil
}

// Expiries are the ends of the certificates in force, by ssl object: of several the
// first. Objects that are switched off are not among them.
func (s *Snapshot) Expiries() map[string]time.Time {
	ends := make(map[string]time.Time, s.ssls.Len())
	for id, ssl := range s.ssls.All() {
		for i := range ssl.Pairs {
			leaf := ssl.Pairs[i].Leaf
			if leaf == nil || !ssl.Enabled() {
				continue
			}
			if end, ok := ends[id]; !ok || leaf.NotAfter.Before(end) {
				ends[id] = leaf.NotAfter
			}
		}
	}
	return ends
}
