package gateway

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/lastgood"
)

// lastGood is the configuration on disk: what this process keeps there, and what it
// began with. A nil lastGood is valid: nothing is kept.
type lastGood struct {
	keeper  *lastgood.Keeper
	keyring *apisix.Keyring
	log     *slog.Logger
	read    func() (*lastgood.Image, error) // once
	turn    sync.Mutex                      // of begin and end
	keeping reporting

	mu    sync.Mutex
	began map[string]Began // by prefix, of those that etcd has not been heard of
	err   string           // why the file that is there was not used
}

// Began is what of the file is in force.
type Began struct {
	Revision int64     `json:"revision"`
	Saved    time.Time `json:"saved"`
	Age      int64     `json:"age_seconds"`
}

// newLastGood makes the one of o.StateDir; nil when there is no such directory.
func newLastGood(o Options) (*lastGood, error) {
	if o.StateDir == "" {
		return nil, nil
	}
	keep := func(prefix string, kv store.KV) ([]byte, bool) { return sealed(o.Keyring, prefix, kv) }
	k, err := lastgood.New(lastgood.Options{Dir: o.StateDir, Every: o.StateEvery, Stored: keep, Log: o.Log})
	if err != nil {
		return nil, err
	}
	return &lastGood{keeper: k, keyring: o.Keyring, log: o.Log, read: sync.OnceValues(k.Read), began: map[string]Began{}}, nil
}

// clearKey is in every private key that is not sealed.
var clearKey = []byte("PRIVATE KEY-----")

// sealed is what of an object may stand in the file. Private keys that somebody wrote to
// etcd in clear are sealed; an object with one elsewhere is left out.
func sealed(k *apisix.Keyring, prefix string, kv store.KV) ([]byte, bool) {
	if id := manager(prefix, kv.Key); id != "" {
		return sealedManager(k, id, kv.Value)
	}
	if !bytes.Contains(kv.Value, clearKey) {
		return kv.Value, true
	}
	place := apisix.NoKeys
	switch change(prefix, kv.Key).Kind {
	case config.SSLs:
		place = apisix.SSLKeys
	case config.Upstreams:
		place = apisix.UpstreamKeys
	case config.Routes, config.Services:
		place = apisix.InlineKeys
	}
	o, err := apisix.Parse(kv.Value)
	if err == nil {
		o, err = k.Seal(o, place)
	}
	if err != nil {
		return nil, false
	}
	b := o.Encode()
	return b, !bytes.Contains(b, clearKey)
}

// begin lets the keeper write; end returns when it does not any more: another process
// may begin then. Neither need have been called before the other.
func (l *lastGood) begin(ctx context.Context) {
	if l == nil {
		return
	}
	l.turn.Lock()
	defer l.turn.Unlock()
	l.keeping.begin(ctx, l.keeper)
}

func (l *lastGood) end() {
	if l == nil {
		return
	}
	l.turn.Lock()
	defer l.turn.Unlock()
	if l.keeping.stop != nil {
		l.keeping.end()
	}
}

// flush writes what is in force, for a process that is about to begin with it.
func (l *lastGood) flush(ctx context.Context) {
	if l == nil {
		return
	}
	l.turn.Lock()
	defer l.turn.Unlock()
	if l.keeping.stop != nil { // else there is nothing yet
		l.keeping.end()
		l.keeping.begin(ctx, l.keeper)
	}
}

// note says that a batch of etcd is in force, but for the objects that were refused; of
// which a previous version may stay.
func (l *lastGood) note(prefix string, b store.Batch, refused map[string]bool) {
	if l == nil {
		return
	}
	b.Deletes = slices.Clip(b.Deletes)
	for key, stays := range refused {
		if !stays {
			b.Deletes = append(b.Deletes, key)
		}
	}
	l.keeper.Note(prefix, b, func(key string) bool { _, is := refused[key]; return is })
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.began[prefix]; ok {
		delete(l.began, prefix)
		l.log.Info("etcd is back: its configuration is in force", obs.Prefix, prefix, obs.Rev, b.Revision,
			"puts", len(b.Puts), "deletes", len(b.Deletes))
	}
}

// anew says that objects, which etcd has as before, are in force now that were refused.
func (l *lastGood) anew(prefix string, revision int64, kvs []store.KV) {
	if l == nil {
		return
	}
	l.keeper.Note(prefix, store.Batch{Prefix: prefix, Revision: revision, Puts: kvs}, func(string) bool { return false })
}

// of returns what the file has of a prefix; nil: nothing that can be used.
func (l *lastGood) of(prefix string) *lastgood.Content {
	img, err := l.read()
	c := img.Of(prefix)
	if c != nil {
		for i, kv := range c.KVs {
			if manager(prefix, kv.Key) != "" {
				c.KVs[i].Value = openManager(l.keyring, kv.Value)
			}
		}
		return c
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = errors.New("there is none")
	case err == nil:
		err = errors.New("it has nothing of " + prefix)
	}
	l.log.Error("etcd does not answer and the last good configuration cannot be used: waiting for etcd", obs.Prefix, prefix, obs.Err, err)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err.Error()
	return nil
}

// use says that the content is in force.
func (l *lastGood) use(c *lastgood.Content) {
	img, _ := l.read() // it has c
	l.keeper.Begin(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.began[c.Prefix] = Began{Revision: c.Revision, Saved: img.Saved}
	l.log.Warn("etcd does not answer: the last good configuration is in force", obs.Prefix, c.Prefix, obs.Rev, c.Revision,
		"saved", img.Saved, "objects", len(c.KVs))
}

// lastGoodStatus is what the status listener says of the file.
type lastGoodStatus struct {
	// InForce is what this process began with and has not heard from etcd since.
	InForce map[string]Began `json:"in_force"`
	// Unused says why there was nothing to begin with though etcd was away.
	Unused string `json:"unused,omitempty"`
	// Saved is when the file was written, by this process; absent: it has not been.
	Saved     *time.Time       `json:"saved,omitempty"`
	Bytes     int64            `json:"bytes"`
	Revisions map[string]int64 `json:"revisions"`
	Writes    uint64           `json:"writes"`
	Failures  uint64           `json:"failures"`
	Err       string           `json:"error,omitempty"`
}

// status returns nil when nothing is kept.
func (l *lastGood) status(now time.Time) *lastGoodStatus {
	if l == nil {
		return nil
	}
	k := l.keeper.Status()
	s := &lastGoodStatus{InForce: map[string]Began{}, Bytes: k.Bytes, Revisions: k.Revisions, Writes: k.Writes, Failures: k.Failures, Err: k.Err}
	if !k.Saved.IsZero() {
		s.Saved = &k.Saved
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for prefix, b := range l.began {
		b.Age = int64(now.Sub(b.Saved) / time.Second)
		s.InForce[prefix] = b
	}
	s.Unused = l.err
	return s
}
