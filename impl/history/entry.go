package history

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/unilb/unilb/impl/store"
)

// Prefix is where entries are kept.
const Prefix = "/unilb/history"

const (
	// maxEntry bounds what the value of an entry adds to a transaction, in bytes: one
	// may have 1.5 MiB by etcd's default. Beyond it the entry says what was changed, and
	// not how.
	maxEntry = 512 << 10
	// maxPacked is the size from which objects are packed.
	maxPacked = 2 << 10
	// maxObject bounds what is unpacked, in bytes: more than etcd takes.
	maxObject = 16 << 20
)

// A Who is who changes something, and why.
type Who struct {
	// Author is the name of the API key, or of whoever goes round the Admin API.
	Author string `json:"author"`
	// Request tells this request from others.
	Request string `json:"request,omitempty"`
	// What is method and path, or another word for what was done.
	What string `json:"what,omitempty"`
}

// An Entry is one transaction.
type Entry struct {
	// Revision is the transaction's. It is that of the entry's key and not in its value.
	Revision int64     `json:"-"`
	Time     time.Time `json:"time"` // by the clock of the replica that wrote it
	Who
	Changes []Change `json:"changes"`
	// Omitted: the objects were too large to be kept; Changes do not have them.
	Omitted bool `json:"omitted,omitempty"`
}

// A Change is one key of a transaction.
type Change struct {
	Key string `json:"key"`
	// Prev is the revision of the object before; 0: there was none.
	Prev int64 `json:"prev,omitempty"`
	// Before is the object as it was in etcd; nil: there was none.
	Before Object `json:"before,omitempty"`
	// Deleted says that there is none after it.
	Deleted bool `json:"deleted,omitempty"`
	// TTL is after how many seconds what was put vanishes by itself; 0: it stays.
	TTL int64 `json:"ttl,omitempty"`
	// Put is what was put, if it has a TTL: when it has vanished nothing else tells.
	Put Object `json:"put,omitempty"`
	// After is the object that was put. If it stays it is not kept a second time: it is
	// in etcd, or what the next change of the key has replaced; see Load.
	After Object `json:"-"`
	// AfterKnown is false where somebody replaced or deleted it who leaves no entry.
	AfterKnown bool `json:"-"`
	// Gone: what was put has vanished, or somebody deleted it who leaves no entry.
	Gone bool `json:"-"`
}

// An Object is the value of a key. In JSON it is the text, or, where that is long or
// none, a list of a word that says how it is packed, and what came of it.
type Object []byte

// packed is what stands for the object in JSON; nil: there is none. It is packed if that
// makes it smaller.
func (o Object) packed() (any, error) {
	if len(o) == 0 {
		return nil, nil
	}
	if len(o) < maxPacked && utf8.Valid(o) {
		return string(o), nil
	}
	var b bytes.Buffer
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(&b)
	if _, err := w.Write(o); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return [2]string{"deflate", base64.StdEncoding.EncodeToString(b.Bytes())}, nil
}

// packers are kept: one has a megabyte.
var packers = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // the level is one
	return w
}}

// MarshalJSON packs what UnmarshalJSON unpacks. Entries are printed without it.
func (o Object) MarshalJSON() ([]byte, error) {
	p, err := o.packed()
	if err != nil {
		return nil, err
	}
	return json.Marshal(p)
}

// UnmarshalJSON unpacks what was packed.
func (o *Object) UnmarshalJSON(b []byte) error {
	var s *string
	if json.Unmarshal(b, &s) == nil {
		if *o = nil; s != nil {
			*o = Object(*s)
		}
		return nil
	}
	var packed [2]string
	if err := json.Unmarshal(b, &packed); err != nil {
		return err
	}
	if packed[0] != "deflate" {
		return fmt.Errorf("object is packed as %q: written by another version", packed[0])
	}
	raw, err := base64.StdEncoding.DecodeString(packed[1])
	if err != nil {
		return err
	}
	plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(raw)), maxObject))
	if err != nil {
		return err
	}
	*o = Object(plain)
	return nil
}

// newKey is a key of its own that sorts by time, as far as clocks agree.
func newKey(now time.Time) string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // documented to never fail
	return fmt.Sprintf("%s/%013d-%s", Prefix, now.UnixMilli(), hex.EncodeToString(id[:]))
}

// encode makes the value of an entry, without the objects when they are too large.
func (e Entry) encode() ([]byte, error) {
	b, err := e.print()
	if err != nil || len(b) <= maxEntry {
		return b, err
	}
	short := e
	short.Omitted, short.Changes = true, make([]Change, len(e.Changes))
	for i, c := range e.Changes {
		short.Changes[i] = Change{Key: c.Key, Prev: c.Prev, Deleted: c.Deleted, TTL: c.TTL}
	}
	return short.print()
}

// print is the entry as JSON, in which objects stay as readable as they can. They are
// packed before: what a method of theirs would print is read and copied once more.
func (e Entry) print() ([]byte, error) {
	type change struct {
		Change
		Before any `json:"before,omitempty"`
		Put    any `json:"put,omitempty"`
	}
	all := struct {
		Entry
		Changes []change `json:"changes"`
	}{e, make([]change, len(e.Changes))}
	for i, c := range e.Changes {
		all.Changes[i].Change = c
		var err error
		if all.Changes[i].Before, err = c.Before.packed(); err != nil {
			return nil, err
		}
		if all.Changes[i].Put, err = c.Put.packed(); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	err := out.Encode(all)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Parse reads an entry as it is in etcd.
func Parse(kv store.KV) (Entry, error) {
	e := Entry{Revision: kv.Mod}
	if err := json.Unmarshal(kv.Value, &e); err != nil {
		return Entry{}, fmt.Errorf("history entry %s: %w", kv.Key, err)
	}
	return e, nil
}
