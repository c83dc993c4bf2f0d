package static

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/unilb/unilb/conformance/model"
)

// MaxObjects is how many objects a store takes.
const MaxObjects = 100_000

// ErrNotFound says that there is no such object.
var ErrNotFound = errors.New("key not found")

// A Store holds objects at revisions.
type Store struct {
	mu      sync.Mutex
	rev     int64
	objects map[string]stored // by "routes/x"
	changed chan struct{}     // closed and replaced at each change
}

type stored struct {
	model.Object
	modified int64
}

// NewStore makes an empty store at revision 1.
func NewStore() *Store {
	return &Store{rev: 1, objects: map[string]stored{}, changed: make(chan struct{})}
}

// Put writes an object. It refuses what is not a good one (*model.Invalid,
// *model.NoWord) and what refers to something that is not there.
func (s *Store) Put(kind, id string, body []byte) (rev int64, created bool, err error) {
	o := model.Object{Kind: kind, ID: id, Body: slices.Clone(body)}
	if err := o.Check(); err != nil {
		return 0, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ref := range o.References() {
		if _, ok := s.objects[ref]; !ok {
			what, id, _ := strings.Cut(ref, "/")
			what = strings.TrimSuffix(what, "s")
			return 0, false, &model.Invalid{Object: kind + "/" + o.ID, What: fmt.Sprintf("failed to fetch %s info by %s id [%s], response code: 404", what, what, id)}
		}
	}
	old, exists := s.objects[kind+"/"+id]
	if !exists && len(s.objects) >= MaxObjects {
		return 0, false, fmt.Errorf("%d objects are all that this store takes", MaxObjects)
	}
	rev = s.bump()
	if o.Created = rev; exists {
		o.Created = old.Created
	}
	s.objects[kind+"/"+id] = stored{o, rev}
	return rev, !exists, nil
}

// Delete removes an object; ErrNotFound when there is none.
func (s *Store) Delete(kind, id string) (rev int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.objects[kind+"/"+id]; !ok {
		return 0, ErrNotFound
	}
	delete(s.objects, kind+"/"+id)
	return s.bump(), nil
}

// bump begins a new revision. The lock is held.
func (s *Store) bump() int64 {
	s.rev++
	close(s.changed)
	s.changed = make(chan struct{})
	return s.rev
}

func (s *Store) get(kind, id string) (stored, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[kind+"/"+id]
	return o, ok
}

func (s *Store) list(kind string) []stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []stored
	for _, o := range s.objects {
		if o.Kind == kind {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b stored) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Objects are all objects and the revision at which they are, and what is closed
// when they are not any more.
func (s *Store) Objects() (objects []model.Object, rev int64, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.objects {
		objects = append(objects, o.Object)
	}
	slices.SortFunc(objects, func(a, b model.Object) int { return strings.Compare(a.Kind+"/"+a.ID, b.Kind+"/"+b.ID) })
	return objects, s.rev, s.changed
}
