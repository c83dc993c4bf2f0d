package store

import "sync"

// frontiers are the revisions up to which watches that run have handed over everything.
type frontiers struct {
	mu sync.Mutex
	of map[*watch]int64
}

func (f *frontiers) set(w *watch, rev int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = make(map[*watch]int64)
	}
	f.of[w] = rev
}

func (f *frontiers) forget(w *watch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.of, w)
}

// Frontier returns the revision up to which every change of a directory has been handed to
// the Watch of it that runs (of several to the one that is last), and 0 when there is none.
// It grows by a second or so while nothing is changed, unlike the revisions of batches.
func (s *Store) Frontier(prefix string) int64 {
	s.frontiers.mu.Lock()
	defer s.frontiers.mu.Unlock()
	least, found := int64(0), false
	for w, rev := range s.frontiers.of {
		if directory(w.prefix) == directory(prefix) && (!found || rev < least) {
			least, found = rev, true
		}
	}
	return least
}
