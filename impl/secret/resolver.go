package secret

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// DefaultRefresh is how often a secret is asked for again.
	DefaultRefresh = time.Minute
	// firstRetry is how long after a failure; each further one doubles it, up to Refresh.
	firstRetry = time.Second
	// mostReferences bounds the references that are kept, mostManagers the managers.
	mostReferences = 10_000
	mostManagers   = 100
	// askedAtOnce bounds the questions to one manager at a time.
	askedAtOnce = 4
)

// Options of a Resolver; the zero value works.
type Options struct {
	// Refresh is how often a secret is asked for again, at the latest; 0: DefaultRefresh.
	Refresh time.Duration
	// Roots are the authorities that managers are verified by; nil: the system's.
	Roots *x509.CertPool
	// Env looks up a variable of the environment; nil: os.LookupEnv.
	Env func(string) (string, bool)
	// Changed is told the users of references that stand for something else than before,
	// or that cannot be resolved for another reason. Nil: nobody.
	Changed func(users []string)
	// Jitter is a random number from 0 to 1; nil: of math/rand.
	Jitter func() float64
	Log    *slog.Logger // nil: nothing is logged
}

// A Resolver knows what references stand for while it runs.
type Resolver struct {
	o      Options
	client *http.Client
	wake   chan struct{} // something may be due

	mu        sync.Mutex
	managers  map[string]*manager
	documents map[string]*document
	users     map[string][]string // to their references
	kept      int                 // references in documents
	queue     queue
	settled   chan struct{} // closed and replaced when a document has been asked for
	good      uint64
	failed    uint64
}

// manager is one that can be asked.
type manager struct {
	vault   *vault
	busy    int
	waiting []*document
}

// document is one secret of a manager.
type document struct {
	place  // but for the key
	keys   map[string]*entry
	asked  bool // there has been an answer, or a failure
	asking bool
	of     *manager // who has said the values that are known

	failures int
	due      time.Time
	index    int // in the queue; -1: it is not there
}

// entry is what a reference stands for.
type entry struct {
	users []string
	known bool
	value string
	err   error // why there is no value, or no newer one
	since time.Time
}

// errNotYet is what a reference stands for that was not asked for yet.
var errNotYet = errors.New("its manager has not answered yet")

// New returns a resolver that has no managers and is asked for nothing.
func New(o Options) *Resolver {
	if o.Refresh <= 0 {
		o.Refresh = DefaultRefresh
	}
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	if o.Changed == nil {
		o.Changed = func([]string) {}
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	t := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: o.Roots, MinVersion: tls.VersionTLS12},
		MaxIdleConnsPerHost: askedAtOnce, IdleConnTimeout: 2 * o.Refresh, MaxResponseHeaderBytes: longestHead,
	}
	return &Resolver{
		o: o, wake: make(chan struct{}, 1), settled: make(chan struct{}),
		// A redirection would take the token to somebody else.
		client:   &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		managers: map[string]*manager{}, documents: map[string]*document{}, users: map[string][]string{},
	}
}

// Manage says how to ask the manager of an id such as vault/1; nil: there is none any
// more. A value that cannot be used changes nothing. What the manager is asked for is
// asked for again. Manage returns the users of references that stand for nothing now; it
// does not tell them.
func (r *Resolver) Manage(id string, value []byte) (users []string, err error) {
	if kind, _, _ := strings.Cut(id, "/"); kind != "vault" {
		return nil, nil // references to it say so
	}
	var m *manager
	if value != nil {
		v, err := readVault(value)
		if err != nil {
			return nil, err
		}
		m = &manager{vault: v}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.managers[id]
	switch {
	case m == nil:
		delete(r.managers, id)
	case old != nil && *old.vault == *m.vault:
		return nil, nil
	case old == nil && len(r.managers) == mostManagers:
		return nil, fmt.Errorf("there are %d managers of secrets already", mostManagers)
	default:
		r.managers[id] = m
	}
	for _, d := range r.documents {
		if d.manager == id {
			users = append(users, r.begin(d)...)
		}
	}
	r.look()
	return users, nil
}

// begin has a document asked for at once, or notes that nobody can be. It returns the
// users of what is different. r.mu is held.
func (r *Resolver) begin(d *document) []string {
	if m := r.managers[d.manager]; m == nil {
		r.drop(d)
		d.asked = true
		return d.note(nil, nil, errors.New("there is no manager "+d.manager))
	}
	if !d.asking { // else its end looks who is to be asked
		d.failures = 0
		r.enqueue(d, time.Now())
	}
	return nil
}

// Use says which references a user, such as an object, has from now on; none: it is
// gone. What is new is asked for in the background.
func (r *Resolver) Use(user string, refs []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.users[user]
	delete(r.users, user)
	if len(refs) > 0 {
		r.users[user] = slices.Clone(refs)
	}
	for _, ref := range refs {
		if !slices.Contains(old, ref) {
			r.attach(user, ref)
		}
	}
	for _, ref := range old {
		if !slices.Contains(refs, ref) {
			r.detach(user, ref)
		}
	}
	r.look()
}

func (r *Resolver) attach(user, ref string) {
	if !strings.HasPrefix(ref, secretPrefix) {
		return
	}
	p, err := parse(ref)
	if err != nil {
		return
	}
	d := r.documents[p.document()]
	if d != nil && d.keys[p.key] != nil {
		d.keys[p.key].users = append(d.keys[p.key].users, user)
		return
	}
	if r.kept == mostReferences {
		return
	}
	if d == nil {
		d = &document{place: p, keys: map[string]*entry{}, index: -1}
		r.documents[p.document()] = d
	}
	r.kept++
	d.keys[p.key] = &entry{users: []string{user}, err: errNotYet, since: time.Now()}
	r.begin(d) // its users are about to look
}

func (r *Resolver) detach(user, ref string) {
	p, err := parse(ref)
	if err != nil {
		return
	}
	d := r.documents[p.document()]
	if d == nil || d.keys[p.key] == nil {
		return
	}
	e := d.keys[p.key]
	if e.users = slices.DeleteFunc(e.users, func(u string) bool { return u == user }); len(e.users) > 0 {
		return
	}
	delete(d.keys, p.key)
	r.kept--
	if len(d.keys) == 0 {
		delete(r.documents, p.document())
		r.drop(d)
	}
}

// Lookup returns what a reference stands for, as far as it is known. The error says
// which reference it is about.
func (r *Resolver) Lookup(ref string) (string, error) {
	if isEnv(ref) {
		return fromEnv(ref, r.o.Env)
	}
	fail := func(err error) (string, error) {
		return "", fmt.Errorf("secret %s: %w", strings.TrimPrefix(ref, secretPrefix), err)
	}
	p, err := parse(ref)
	if err != nil {
		return fail(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	d := r.documents[p.document()]
	if d == nil || d.keys[p.key] == nil {
		return fail(fmt.Errorf("there are more than %d references", mostReferences))
	}
	e := d.keys[p.key]
	if !e.known {
		return fail(e.err)
	}
	return e.value, nil
}

// look makes Run look for what is due.
func (r *Resolver) look() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *Resolver) tell(users []string) {
	if len(users) == 0 {
		return
	}
	slices.Sort(users)
	r.o.Changed(slices.Compact(users))
}

// Settled returns when everything has been asked for, and whoever is concerned has been
// told, or with the error of ctx.
func (r *Resolver) Settled(ctx context.Context) error {
	for {
		r.mu.Lock()
		pending, settled := false, r.settled
		for _, d := range r.documents {
			pending = pending || !d.asked
		}
		r.mu.Unlock()
		if !pending {
			return nil
		}
		select {
		case <-settled:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
