package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/unilb/unilb/impl/apisix"
)

// Secret is what a reference stands for: a value, or the reason why there is none.
type Secret struct {
	Value string
	Err   error
}

// A MissingSecret is why a change is refused that would be in force if its references
// stood for something.
type MissingSecret struct{ Err error }

func (e *MissingSecret) Error() string { return e.Err.Error() }

// Unwrap is why a reference stands for nothing.
func (e *MissingSecret) Unwrap() error { return e.Err }

// References returns the references to secrets ($secret://, $env://) in the object of a
// change, sorted, each once. Whoever applies the change says in Secrets what they stand
// for, and applies it again when that is something else.
func References(c Change) []string {
	if !mayRefer(c) {
		return nil
	}
	o, err := apisix.Parse(c.Value)
	if err != nil {
		return nil // refused for that
	}
	return o.References(places[c.Kind])
}

// mayRefer spares most objects to be parsed twice. (Names and values may be written with
// escapes.)
func mayRefer(c Change) bool {
	if c.Delete || places[c.Kind] == apisix.NoKeys {
		return false
	}
	escaped := bytes.Contains(c.Value, []byte(`\u`))
	return escaped || bytes.IndexByte(c.Value, '$') >= 0 && (c.Kind == SSLs || bytes.Contains(c.Value, []byte("client_")))
}

// Blind returns a snapshot, into which objects come without what their references stand
// for: for those who ask what would become of requests, and serve none. Certificates that
// are references are not in it.
func (s *Snapshot) Blind() *Snapshot {
	blind := *s
	blind.blind = true
	return &blind
}

// fill puts the values of references in their places. The change is refused as long as
// one of them has none.
func (c *Change) fill() error {
	refs := References(*c)
	if len(refs) == 0 {
		return nil
	}
	values := make(map[string]string, len(refs))
	for _, ref := range refs {
		s, asked := c.Secrets[ref]
		switch {
		case !asked:
			return fmt.Errorf("secret %s: nobody has looked for it", strings.TrimPrefix(ref, "$secret://"))
		case s.Err != nil:
			return &MissingSecret{s.Err}
		}
		values[ref] = s.Value
	}
	o, err := apisix.Parse(c.Value)
	if err != nil {
		return err
	}
	place := places[c.Kind]
	if o, err = o.Filled(place, values); err != nil {
		return err
	}
	if len(o.References(place)) > 0 {
		return errors.New("a reference to a secret stands for another reference")
	}
	c.Value = o.Encode()
	return nil
}
