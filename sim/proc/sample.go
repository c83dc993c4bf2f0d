package proc

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"
)

// A Sample is what one running process has used up to a moment.
type Sample struct {
	At   time.Duration `json:"at"`   // on the clock that was given
	Name string        `json:"name"` // Spec.Name
	Pid  int           `json:"pid"`
	Usage
}

// Sample gives take what every running process uses, in the order of their names,
// at once and then again after each period until ctx is done. The calls of take
// do not overlap.
func (r *Runner) Sample(ctx context.Context, every time.Duration, now func() time.Duration, take func(Sample)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		r.mu.Lock()
		running := slices.SortedFunc(maps.Keys(r.running), func(a, b *Process) int { return cmp.Compare(a.spec.Name, b.spec.Name) })
		r.mu.Unlock()
		for _, p := range running {
			if u, err := p.Usage(); err == nil { // else it has ended meanwhile
				take(Sample{At: now(), Name: p.Name(), Pid: p.Pid(), Usage: u})
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
