package secret

import (
	"strings"
	"time"
)

// Counts are what a resolver knows and has done.
type Counts struct {
	// Known references have a value that is up to date, Stale ones a value of before
	// their managers failed, Unknown ones none. Those to the environment are not counted.
	Known, Stale, Unknown int
	Good, Failed          uint64 // questions since the start
}

// Counts returns them.
func (r *Resolver) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := Counts{Good: r.good, Failed: r.failed}
	for _, d := range r.documents {
		for _, e := range d.keys {
			switch {
			case !e.known:
				c.Unknown++
			case e.err != nil:
				c.Stale++
			default:
				c.Known++
			}
		}
	}
	return c
}

// A Trouble is what is wrong with a reference.
type Trouble struct {
	Err   string    `json:"error"`
	Since time.Time `json:"since"`
	// Stale: a value of before stands for it.
	Stale bool `json:"stale"`
}

// Troubles are the references to managers that are not known, or not any more, by what
// stands behind $secret://, of most at most.
func (r *Resolver) Troubles(most int) map[string]Trouble {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]Trouble{}
	for _, d := range r.documents {
		for key, e := range d.keys {
			if e.err != nil && len(out) < most {
				out[strings.Join([]string{d.manager, d.path, key}, "/")] = Trouble{Err: e.err.Error(), Since: e.since, Stale: e.known}
			}
		}
	}
	return out
}
