// Package census owns the counting of what is there: processes, network
// namespaces, links, mounts, pinned eBPF objects, descriptors and files, as the
// calling process sees them. Taken before a lab and after it, two censuses tell
// what the lab left behind (see history.Census.Left and check.NothingLeft).
//
// It sees the pid and mount namespaces of the caller: inside a sandbox the whole
// lab, and nothing of the machine. A namespace that only a socket keeps alive, and
// an eBPF object that nothing pins and no descriptor of the caller holds, cannot be
// seen. The package changes nothing. Its functions may be called at any time from
// any goroutine; what other goroutines open and close meanwhile may or may not be
// counted.
package census

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/unilb/unilb/sim/history"
)

// MaxThings is the most things of one kind that a census takes.
const MaxThings = 100_000

// Options choose what else is counted. The zero value works.
type Options struct {
	// Files are directories whose files are counted, such as sandbox.Dir. One that
	// does not exist has none.
	Files []string
	// Own are directories whose files, and open descriptors of those, do not
	// count: where the run keeps its evidence.
	Own []string
}

// A counter counts one kind.
type counter struct {
	kind  history.Kind
	count func(*taker) error
}

var counters = []counter{
	{history.Processes, (*taker).processes},
	{history.Namespaces, (*taker).namespaces},
	{history.Links, (*taker).links},
	{history.Mounts, (*taker).mounts},
	{history.Pins, (*taker).pins},
	{history.FDs, (*taker).descriptors},
	{history.Files, (*taker).files},
}

// errNotLooked says that there is nowhere to look.
var errNotLooked = errors.New("not looked at")

// Take counts what is there now. A kind that could not be counted is missing in
// the census, and the error says why. At is zero: the recorder knows the time.
func Take(o Options) (history.Census, error) {
	c := history.Census{Things: map[history.Kind][]history.Thing{}}
	var errs []error
	for _, k := range counters {
		t := &taker{Options: o, places: map[string]int{}, things: []history.Thing{}}
		switch err := k.count(t); {
		case errors.Is(err, errNotLooked):
		case err != nil:
			errs = append(errs, fmt.Errorf("count %s: %w", k.kind, err))
		default:
			c.Things[k.kind] = t.things
		}
	}
	return c, errors.Join(errs...)
}

// Settle counts again and again until nothing is there that was not there before,
// or ctx is done, and returns the last census: processes that were killed take a
// moment to vanish, and so do the threads of a namespace.
func Settle(ctx context.Context, before history.Census, o Options) (history.Census, error) {
	const pause = 20 * time.Millisecond
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		c, err := Take(o)
		if err != nil {
			return c, err
		}
		if left, _ := before.Left(c); len(left) == 0 {
			return c, nil
		}
		select {
		case <-ctx.Done():
			return c, nil
		case <-tick.C:
		}
	}
}

// taker takes the census of one kind.
type taker struct {
	Options
	things []history.Thing
	places map[string]int // of IDs in things
}

// add counts a thing once more.
func (t *taker) add(id, text string) error {
	if i, ok := t.places[id]; ok {
		t.things[i].Count = max(1, t.things[i].Count) + 1
		return nil
	}
	if len(t.things) == MaxThings {
		return fmt.Errorf("more than %d", MaxThings)
	}
	t.places[id] = len(t.things)
	if text == id {
		text = ""
	}
	t.things = append(t.things, history.Thing{ID: id, Text: text})
	return nil
}
