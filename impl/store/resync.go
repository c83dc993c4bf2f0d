package store

import (
	"errors"
	"sync/atomic"
)

// Resyncs counts, since Open and over all watches, why directories were listed again,
// and the objects in them that turned out to differ from what had been handed out: no
// others are handed out again.
type Resyncs struct {
	Compacted uint64 // the revisions to continue from were compacted
	Replaced  uint64 // etcd was restored from a backup, or is another cluster
	Objects   uint64
}

type resyncCounts struct{ compacted, replaced, objects atomic.Uint64 }

// add counts a list that had to be done for that reason; nil: it had not.
func (c *resyncCounts) add(why error, objects int) {
	switch {
	case errors.Is(why, ErrCompacted):
		c.compacted.Add(1)
	case errors.Is(why, errReplaced):
		c.replaced.Add(1)
	default:
		return
	}
	c.objects.Add(uint64(objects))
}

// Resyncs returns the counts so far.
func (s *Store) Resyncs() Resyncs {
	return Resyncs{s.resyncs.compacted.Load(), s.resyncs.replaced.Load(), s.resyncs.objects.Load()}
}
