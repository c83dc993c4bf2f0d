package disk

import (
	"sync"
	"syscall"
	"time"
)

// MaxDelay bounds the delay of one operation. A process that is killed while it
// waits for its disk ends when the disk answers, as with a real one.
const MaxDelay = 10 * time.Second

// A Slowness is what a disk does to its users. The zero value leaves it as it is.
type Slowness struct {
	Fsync time.Duration // added to each fsync and fdatasync; at most MaxDelay
	Write time.Duration // added to each write; at most MaxDelay
	Err   syscall.Errno // what each write, fsync and fallocate fails with, after its delay; 0: they do not
}

// Stats count since the disk was mounted.
type Stats struct {
	Fsyncs  uint64
	Writes  uint64
	Bytes   uint64 // written
	Delayed uint64 // writes and fsyncs that were delayed
	Failed  uint64 // that failed because they were told to
}

// A meddler stands between the users of a disk and what is behind it.
type meddler struct {
	mu      sync.Mutex
	slow    Slowness
	changed chan struct{} // closed when slow changes
	stats   Stats
}

func newMeddler() *meddler { return &meddler{changed: make(chan struct{})} }

// set changes the disk, and lets go of who waits under the old rule.
func (m *meddler) set(s Slowness) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.slow = s
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *meddler) snapshot() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}

// fsync is called before each fsync; the caller fails with what it returns.
func (m *meddler) fsync() syscall.Errno {
	m.mu.Lock()
	m.stats.Fsyncs++
	return m.holdLocked(m.slow.Fsync)
}

// write is called before each write.
func (m *meddler) write(bytes int) syscall.Errno {
	m.mu.Lock()
	m.stats.Writes++
	m.stats.Bytes += uint64(bytes)
	return m.holdLocked(m.slow.Write)
}

// allocate is called before each fallocate, which is never delayed: it moves no
// data.
func (m *meddler) allocate() syscall.Errno {
	m.mu.Lock()
	return m.holdLocked(0)
}

// holdLocked unlocks, waits and says what becomes of the operation. Interrupts are
// not listened to: the Go runtime sends its own threads signals all the time, and
// few programs expect EINTR from an fsync.
func (m *meddler) holdLocked(d time.Duration) syscall.Errno {
	changed, fate := m.changed, m.slow.Err
	if d > 0 {
		m.stats.Delayed++
	}
	if fate != 0 {
		m.stats.Failed++
	}
	m.mu.Unlock()
	if d > 0 {
		timer := time.NewTimer(min(d, MaxDelay))
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-changed:
		}
	}
	return fate
}
