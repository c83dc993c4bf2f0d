package apisix

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// DefaultKeyring is the one that APISIX ships. Everybody knows it: it hides
// nothing, but a data plane of APISIX with its default configuration can read what
// it sealed.
var DefaultKeyring = [...]string{"qeddd145sfvddff3", "edd1c9f0985e76a2"}

// A Keyring seals the secrets in objects, as APISIX 3.18 does at rest: AES-CBC
// with PKCS#7 padding, the key being its own initialisation vector, in base64. That
// is not authenticated and equal keys look equal; it is what a data plane of APISIX
// can read. The nil Keyring seals nothing and opens nothing.
//
// A Keyring is immutable and safe for concurrent use.
type Keyring struct{ entries []sealer }

type sealer struct {
	block cipher.Block
	iv    []byte
}

// NewKeyring makes a keyring of keys of 16 or 32 bytes. The first seals; all open.
func NewKeyring(keys ...string) (*Keyring, error) {
	k := &Keyring{}
	for i, key := range keys {
		block, err := aes.NewCipher([]byte(key))
		if err != nil || len(key) == 24 {
			return nil, fmt.Errorf("keyring: key %d has %d bytes, must have 16 or 32", i+1, len(key))
		}
		k.entries = append(k.entries, sealer{block, []byte(key)[:aes.BlockSize]})
	}
	return k, nil
}

// ParseKeyring makes a keyring of keys that are separated by commas; of nothing,
// that of APISIX, and says so.
func ParseKeyring(text string) (k *Keyring, everybodys bool, err error) {
	keys := DefaultKeyring[:]
	if text != "" {
		keys = strings.Split(text, ",")
	}
	k, err = NewKeyring(keys...)
	return k, text == "", err
}

// A Place says where the objects of a kind hold private keys.
type Place int

// The places.
const (
	NoKeys       Place = iota
	SSLKeys            // key and keys of an ssl object
	UpstreamKeys       // tls.client_key of an upstream
	InlineKeys         // of the upstream within a route or service
)

func (p Place) paths() [][]string {
	switch p {
	case SSLKeys:
		return [][]string{{"key"}, {"keys"}}
	case UpstreamKeys:
		return [][]string{{"tls", "client_key"}}
	case InlineKeys:
		return [][]string{{"upstream", "tls", "client_key"}}
	}
	return nil
}

// Seal encrypts the private keys of an object that are in clear. References to
// secrets, and whatever else is no PEM, stay as they are.
func (k *Keyring) Seal(o *Object, p Place) (*Object, error) {
	if k == nil || len(k.entries) == 0 {
		return o, nil
	}
	return o.mapped(p.paths(), func(s string) string {
		if !isPEM(s) {
			return s
		}
		return k.seal(s)
	})
}

// Open decrypts the private keys of an object. What no key of the ring opens stays
// as it is; the checks of the kind refuse it.
func (k *Keyring) Open(o *Object, p Place) (*Object, error) {
	if k == nil {
		return o, nil
	}
	return o.mapped(p.paths(), func(s string) string {
		if isPEM(s) || isReference(s) {
			return s
		}
		if key, ok := k.open(s, isPEM); ok {
			return key
		}
		return s
	})
}

// SealMembers encrypts the strings at paths of members, which must be in clear;
// arrays on the way, and at the end, are walked. References to secrets stay as they
// are.
func (k *Keyring) SealMembers(o *Object, paths [][]string) (*Object, error) {
	if k == nil || len(k.entries) == 0 {
		return o, nil
	}
	return o.mapped(paths, func(s string) string {
		if isReference(s) {
			return s
		}
		return k.seal(s)
	})
}

// OpenMembers decrypts what SealMembers has sealed. As in APISIX, what no key of the
// ring opens was stored in clear.
func (k *Keyring) OpenMembers(o *Object, paths [][]string) (*Object, error) {
	if k == nil {
		return o, nil
	}
	return o.mapped(paths, func(s string) string {
		if plain, ok := k.open(s, utf8.ValidString); ok && !isReference(s) {
			return plain
		}
		return s
	})
}

func (k *Keyring) seal(text string) string {
	s := k.entries[0]
	pad := aes.BlockSize - len(text)%aes.BlockSize
	b := append([]byte(text), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(s.block, s.iv).CryptBlocks(b, b)
	return base64.StdEncoding.EncodeToString(b)
}

// open tries all keys. A wrong one gives a valid padding once in 256 times, so
// that what comes out must be right, too.
func (k *Keyring) open(text string, right func(string) bool) (string, bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) == 0 || len(b)%aes.BlockSize != 0 {
		return "", false
	}
	out := make([]byte, len(b))
	for _, s := range k.entries {
		cipher.NewCBCDecrypter(s.block, s.iv).CryptBlocks(out, b)
		pad := int(out[len(out)-1])
		if pad < 1 || pad > aes.BlockSize || !bytes.Equal(out[len(out)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
			continue
		}
		if plain := string(out[:len(out)-pad]); right(plain) {
			return plain, true
		}
	}
	return "", false
}

// mapped returns the object with f applied to the strings at some paths. Every other
// member stays exactly as it was written.
func (o *Object) mapped(paths [][]string, f func(string) string) (*Object, error) {
	var changed map[string]string
	for _, path := range paths {
		if !within(o.tree, path) { // most objects hold none
			continue
		}
		name := path[0]
		was, again := changed[name]
		if !again {
			was = o.text(name)
		}
		now, err := mapStrings(bytesOf(was), path[1:], f)
		if err != nil {
			return nil, fmt.Errorf("member %s: %w", strings.Join(path, "."), err)
		}
		if string(now) == was {
			continue
		}
		if changed == nil {
			changed = map[string]string{}
		}
		changed[name] = string(now)
	}
	if changed == nil {
		return o, nil
	}
	return o.withTexts(changed)
}

// within reports whether there is something at a path.
func within(v any, path []string) bool {
	switch t := v.(type) {
	case map[string]any:
		return len(path) == 0 || within(t[path[0]], path[1:])
	case []any:
		return slices.ContainsFunc(t, func(item any) bool { return within(item, path) })
	}
	return v != nil && len(path) == 0
}

// mapStrings applies f to the strings at a path, walking lists.
func mapStrings(raw json.RawMessage, path []string, f func(string) string) (json.RawMessage, error) {
	var members map[string]json.RawMessage
	var items []json.RawMessage
	var text *string
	switch {
	case json.Unmarshal(raw, &items) == nil && items != nil:
		changed := false
		for i := range items {
			v, err := mapStrings(items[i], path, f)
			if err != nil {
				return nil, err
			}
			changed = changed || !bytes.Equal(v, items[i])
			items[i] = v
		}
		if changed {
			return marshal(items)
		}
	case len(path) > 0:
		if json.Unmarshal(raw, &members) != nil || members[path[0]] == nil {
			return raw, nil // not there, or not what the schema wants
		}
		v, err := mapStrings(members[path[0]], path[1:], f)
		if err != nil || bytes.Equal(v, members[path[0]]) {
			return raw, err
		}
		members[path[0]] = v
		return marshal(members)
	case json.Unmarshal(raw, &text) == nil && text != nil:
		if s := f(*text); s != *text {
			return marshal(s)
		}
	}
	return raw, nil
}
