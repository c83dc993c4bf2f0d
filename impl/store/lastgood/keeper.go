package lastgood

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

const (
	// DefaultEvery is how often a file is written at most.
	DefaultEvery = 10 * time.Second
	// share bounds what writing takes of the time: a file of many objects on a slow disk
	// is written less often.
	share = 20
)

// Options of a Keeper. Dir is required.
type Options struct {
	// Dir is where the file lies. It is made when it is missing.
	Dir string
	// Every is the shortest time between two writes; 0: DefaultEvery.
	Every time.Duration
	// Stored is what of an object is written; false: nothing. nil: the object as it is.
	Stored func(prefix string, kv store.KV) ([]byte, bool)
	// Log receives failures; nil discards them.
	Log *slog.Logger
}

// A Keeper writes what is in force to a file, behind whoever puts it in force: who
// calls Note waits for no disk.
type Keeper struct {
	o Options

	mu      sync.Mutex
	pending map[string]*step // by prefix: what is in force and not yet in kept
	dirty   chan struct{}    // has an element when pending has one
	status  Status

	kept   map[string]*directory // by prefix; Run's
	onDisk map[string]bool       // prefixes that the file has, and whether objects of them; nil: unknown. Run's
}

// step is what happened to a directory.
type step struct {
	revision int64
	reset    bool
	objects  map[string]*store.KV // nil: gone
}

type directory struct {
	revision int64
	objects  map[string]store.KV
}

// Status is how a Keeper fares.
type Status struct {
	Saved     time.Time        // of the file; zero: this process has written none
	Bytes     int64            // its size
	Revisions map[string]int64 // by prefix, in the file
	Writes    uint64           // that succeeded
	Failures  uint64
	Err       string // of the last write; "": it succeeded
}

// New returns a Keeper of the file in o.Dir. The error is about the directory.
func New(o Options) (*Keeper, error) {
	const dirMode = 0o700
	if o.Every <= 0 {
		o.Every = DefaultEvery
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(o.Dir, dirMode); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	return &Keeper{o: o, pending: map[string]*step{}, dirty: make(chan struct{}, 1), kept: map[string]*directory{}}, nil
}

// Read returns what the file holds; see Read.
func (k *Keeper) Read() (*Image, error) { return Read(k.o.Dir) }

// Begin says that what was read of a prefix is in force. That alone is no reason to
// write it again.
func (k *Keeper) Begin(c *Content) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := &step{revision: c.Revision, reset: true, objects: make(map[string]*store.KV, len(c.KVs))}
	for i := range c.KVs {
		s.objects[c.KVs[i].Key] = &c.KVs[i]
	}
	k.pending[c.Prefix] = s
}

// Note says that a batch is in force, but for the objects that were refused: of those
// the version stays that is kept already, if there is one.
func (k *Keeper) Note(prefix string, b store.Batch, refused func(key string) bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.pending[prefix]
	if s == nil || b.Reset {
		s = &step{reset: b.Reset, objects: map[string]*store.KV{}}
		k.pending[prefix] = s
	}
	s.revision = b.Revision
	for _, key := range b.Deletes {
		s.objects[key] = nil
	}
	for i := range b.Puts {
		if kv := b.Puts[i]; !refused(kv.Key) {
			s.objects[kv.Key] = &kv
		}
	}
	k.wake()
}

func (k *Keeper) wake() {
	select {
	case k.dirty <- struct{}{}:
	default:
	}
}

// Status returns how it fares.
func (k *Keeper) Status() Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.status
	revisions := map[string]int64{}
	maps.Copy(revisions, s.Revisions)
	s.Revisions = revisions
	return s
}

// Run writes the file until ctx ends, and then once more if there is something to
// write. It may be called again. It returns ctx's error. No other process may run a
// Keeper of that directory at the same time.
func (k *Keeper) Run(ctx context.Context) error {
	sweep(k.o.Dir)
	for {
		select {
		case <-k.dirty:
		case <-ctx.Done():
			select {
			case <-k.dirty:
				_ = k.save() // it has logged
			default:
			}
			return ctx.Err()
		}
		began := time.Now()
		if k.save() != nil {
			k.wake() // and try again
		}
		wait := time.NewTimer(max(k.o.Every, share*time.Since(began)))
		select {
		case <-wait.C:
		case <-ctx.Done():
		}
		wait.Stop()
	}
}

// save takes what is pending and writes everything.
func (k *Keeper) save() error {
	k.mu.Lock()
	pending := k.pending
	k.pending = map[string]*step{}
	k.mu.Unlock()
	for prefix, s := range pending {
		k.take(prefix, s)
	}
	img := k.image(time.Now())
	err := k.spare(img)
	var size int64
	if err == nil {
		size, err = write(k.o.Dir, img)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.status.Failures++
		k.status.Err = err.Error()
		k.o.Log.Error("last good configuration not written", "path", k.o.Dir, obs.Err, err)
		return err
	}
	k.onDisk = filled(img)
	k.status.Writes++
	k.status.Saved, k.status.Bytes, k.status.Err = img.Saved, size, ""
	k.status.Revisions = map[string]int64{}
	for _, c := range img.Contents {
		k.status.Revisions[c.Prefix] = c.Revision
	}
	return nil
}

func (k *Keeper) take(prefix string, s *step) {
	d := k.kept[prefix]
	if d == nil || s.reset {
		d = &directory{objects: map[string]store.KV{}}
		k.kept[prefix] = d
	}
	d.revision = s.revision
	for key, kv := range s.objects {
		if kv == nil {
			delete(d.objects, key)
			continue
		}
		stored, ok := *kv, true
		if k.o.Stored != nil {
			stored.Value, ok = k.o.Stored(prefix, *kv)
		}
		if ok {
			d.objects[key] = stored
		} else {
			delete(d.objects, key)
		}
	}
}

// image is everything that is kept, in the order of prefixes and keys.
func (k *Keeper) image(now time.Time) *Image {
	img := &Image{Saved: now}
	for _, prefix := range slices.Sorted(maps.Keys(k.kept)) {
		d := k.kept[prefix]
		c := Content{Prefix: prefix, Revision: d.revision, KVs: make([]store.KV, 0, len(d.objects))}
		for _, key := range slices.Sorted(maps.Keys(d.objects)) {
			c.KVs = append(c.KVs, d.objects[key])
		}
		img.Contents = append(img.Contents, c)
	}
	return img
}
