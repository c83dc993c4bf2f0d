package node

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/store"
)

// registry is the part of the store that a node needs.
type registry interface {
	Get(ctx context.Context, key string) (kv store.KV, ok bool, rev int64, err error)
	List(ctx context.Context, prefix string) (kvs []store.KV, rev int64, err error)
	Frontier(prefix string) int64
	Commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (rev int64, err error)
	Watch(ctx context.Context, prefix string, apply func(store.Batch)) error
	Reach() store.Reach
}

// A Node is this process's place in the region.
type Node struct {
	reg      Registration // State apart, it never changes
	st       registry
	log      *slog.Logger
	instance string
	started  time.Time
	held     chan struct{} // closed when reports may be written; nil: they may

	compareEvery time.Duration // mean

	// ask tells which process answers at the status listener of a registration.
	ask func(context.Context, Registration) (instance string, err error)

	mu       sync.Mutex
	state    State                 // what the process itself says
	drained  bool                  // what the registration in etcd says
	applied  map[string]int64      // by watched prefix
	hash     map[string]store.Hash // of what is in force there, where somebody says
	past     map[string]*past      // of the same
	refused  map[string]string
	drifts   []Drift
	compared map[string]int // by prefix, with how many others at the last time
	changed  chan struct{}  // closed and replaced at every change of the above
}

// Options of a Node.
type Options struct {
	// Log receives what befalls this node and others of its kind, and has its name already;
	// nil discards it.
	Log *slog.Logger
	// CompareEvery is the mean time between two comparisons with others of the kind;
	// 0: DefaultCompareEvery. Each reads the reports of all of them: following them would
	// send each report to each node.
	CompareEvery time.Duration
}

// New returns a node that is starting. Until Run is called it exists in this
// process only; a nil store is allowed then (and Run must not be called).
func New(reg Registration, st *store.Store, o Options) *Node {
	if st == nil {
		return newNode(reg, nil, o)
	}
	return newNode(reg, st, o)
}

func newNode(reg Registration, st registry, o Options) *Node {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var id [8]byte
	_, _ = rand.Read(id[:])                          // documented to never fail
	reg.Watches = append([]string{}, reg.Watches...) // [] rather than null in JSON
	n := &Node{
		reg: reg, st: st, log: o.Log, ask: NewClient(0).Instance,
		compareEvery: cmp.Or(o.CompareEvery, DefaultCompareEvery),

		instance: hex.EncodeToString(id[:]),
		started:  time.Now(),
		applied:  make(map[string]int64, len(reg.Watches)),
		hash:     make(map[string]store.Hash),
		past:     make(map[string]*past),
		refused:  make(map[string]string),
		changed:  make(chan struct{}),
	}
	for _, p := range reg.Watches {
		n.applied[clean(p)] = 0
	}
	return n
}

// HoldReports has the node write no report until release is called: another process
// still reports for it. The node registers nevertheless. Call it before Run.
func (n *Node) HoldReports() (release func()) {
	held := make(chan struct{})
	n.held = held
	return sync.OnceFunc(func() { close(held) })
}

// clean gives one spelling to a prefix that may or may not end in a slash.
func clean(prefix string) string { return strings.TrimSuffix(prefix, "/") }

// notify wakes everyone who waits for a change. n.mu is held.
func (n *Node) notify() {
	close(n.changed)
	n.changed = make(chan struct{})
}

// Applied says that every event under prefix up to revision rev is in force now.
// It wakes waiters and the reporter. A revision smaller than the last one is
// believed: etcd was restored from a backup.
func (n *Node) Applied(prefix string, rev int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	prefix = clean(prefix)
	if old, ok := n.applied[prefix]; ok && old == rev {
		return
	}
	n.applied[prefix] = rev
	n.notify()
}

// InForce is Applied for who also tells the hash of what is in force under the prefix.
func (n *Node) InForce(prefix string, rev int64, hash store.Hash) {
	n.mu.Lock()
	defer n.mu.Unlock()
	prefix = clean(prefix)
	if old, ok := n.hash[prefix]; ok && old == hash && n.applied[prefix] == rev {
		return
	}
	if n.past[prefix] == nil || rev < n.applied[prefix] { // the second: another history
		n.past[prefix] = &past{}
	}
	n.applied[prefix], n.hash[prefix] = rev, hash
	n.past[prefix].add(step{rev, hash})
	n.notify()
}

// Wait returns when rev is in force under prefix, or with the error of ctx.
func (n *Node) Wait(ctx context.Context, prefix string, rev int64) error {
	prefix = clean(prefix)
	for {
		n.mu.Lock()
		at, changed := n.applied[prefix], n.changed
		n.mu.Unlock()
		if at >= rev {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Refuse says that the object at key cannot be used and that its previous
// version, if there is one, stays in force.
func (n *Node) Refuse(key string, err error) {
	text := ErrorText(err)
	n.mu.Lock()
	defer n.mu.Unlock()
	old, known := n.refused[key]
	if old == text && known || !known && len(n.refused) >= keptErrors {
		return
	}
	n.refused[key] = text
	n.notify()
}

// Accept takes back Refuse: the object at key is fine again, or gone.
func (n *Node) Accept(key string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.refused[key]; !ok {
		return
	}
	delete(n.refused, key)
	n.notify()
}

// SetState sets what the status listener answers. It does not touch the
// registration: a process that drains in order to restart is not taken out of
// the region. A node that is registered as draining answers draining whatever
// its own state.
func (n *Node) SetState(s State) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state != s {
		n.state = s
		n.notify()
	}
}

// Serve says that a starting node serves now, and reports whether it was
// starting: a node whose end began before its start was over goes on draining.
func (n *Node) Serve() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state != Starting {
		return false
	}
	n.state = Serving
	n.notify()
	return true
}

// State returns what the status listener answers.
func (n *Node) State() State {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stateLocked()
}

func (n *Node) stateLocked() State {
	if n.drained {
		return Draining
	}
	return n.state
}

// report returns the node's report as of now, and a channel that is closed when
// it is out of date.
func (n *Node) report() (Report, <-chan struct{}) { return n.reportUpTo(listedErrors, "") }

// reportUpTo is report with at most limit errors, and those of one key only unless
// that is empty.
func (n *Node) reportUpTo(limit int, key string) (Report, <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := Report{
		Name: n.reg.Name, Kind: n.reg.Kind, Instance: n.instance,
		Applied: maps.Clone(n.applied), Hash: maps.Clone(n.hash),
		Errors: []ObjectError{},
	}
	if key != "" {
		if text, ok := n.refused[key]; ok {
			r.Errors = append(r.Errors, ObjectError{Key: key, Error: text})
		}
		return r, n.changed
	}
	for _, key := range slices.Sorted(maps.Keys(n.refused)) {
		if len(r.Errors) == limit {
			break
		}
		r.Errors = append(r.Errors, ObjectError{Key: key, Error: n.refused[key]})
	}
	return r, n.changed
}
