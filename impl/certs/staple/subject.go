package staple

import (
	"errors"
	"slices"
	"time"

	"github.com/unilb/unilb/impl/certs"
)

const (
	// refreshLeast bounds how soon a responder is asked again after a good answer.
	refreshLeast = 5 * time.Second
	// retryFirst is the wait after the first failure. It doubles with each further one,
	// up to retryMost.
	retryFirst = time.Minute
	retryMost  = time.Hour
)

// A subject is a certificate that is to be stapled, and what is known of it.
type subject struct {
	*order
	pairs  map[*certs.Pair]string // that serve it, with the id of their object
	answer answer
	fails  int // in a row
	due    time.Time
	index  int       // among those that wait; -1: it does not
	told   time.Time // when its failures were logged last; zero: not since it was good
}

// object is the id of an object that serves the certificate: the first by name.
func (u *subject) object() string {
	first := ""
	for _, id := range u.pairs {
		if first == "" || id < first {
			first = id
		}
	}
	return first
}

// take keeps a good answer, unless what is known is newer and holds: that one is a
// copy that was played again, or that of a cache.
func (u *subject) take(a answer, now time.Time, jitter float64) {
	if !a.since.Before(u.answer.since) || !now.Before(u.answer.until) {
		u.answer = a
		for p := range u.pairs {
			p.Staple(a.raw, a.until)
		}
	}
	u.fails = 0
	// Half of what remains: half of the whole, for an answer that is fresh.
	u.due = now.Add(max(refreshLeast, spread(u.answer.until.Sub(now)/2, jitter)))
}

// miss notes that no good answer came. One that we have holds on, except against the
// word of the authority that the certificate is revoked: nginx staples the old answer
// until it expires, which tells clients something that we know to be wrong.
func (u *subject) miss(err error, now time.Time, jitter float64) {
	if errors.Is(err, errRevoked) {
		u.answer = answer{}
		for p := range u.pairs {
			p.Staple(nil, time.Time{})
		}
	}
	const doublings = 6 // retryFirst comes to retryMost
	wait := min(retryFirst<<min(u.fails, doublings), retryMost)
	u.fails++
	u.due = now.Add(spread(wait, jitter))
}

// spread makes a wait a tenth shorter or longer, by a number from 0 to 1: gateways
// that took in a certificate together do not ask together for ever.
func spread(d time.Duration, jitter float64) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*jitter))
}

// queue are the subjects that wait, as container/heap wants them: the first that is
// due is at 0.
type queue []*subject

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i]; q[i].index, q[j].index = i, j }

// Push is heap.Interface's.
func (q *queue) Push(x any) {
	u := x.(*subject)
	u.index = len(*q)
	*q = append(*q, u)
}

// Pop is heap.Interface's.
func (q *queue) Pop() any {
	last := len(*q) - 1
	u := (*q)[last]
	u.index = -1
	*q = slices.Delete(*q, last, last+1)
	return u
}

// A line is those who wait at one responder while it is asked as often as it may be.
type line struct {
	busy    int
	waiting []*subject
}
