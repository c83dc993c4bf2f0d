package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Limits of Edits.
const (
	MaxEditors = 64
	MaxKeys    = 1000
	MaxCalls   = 1_000_000 // of one editor
)

// Edits are a load on the Admin API: editors who put, get and delete the same keys
// at the same time. What each calls is a pure function of Seed, Name, the editor
// and the number of the call; only the order in which the editors' calls meet is
// left to the day.
type Edits struct {
	Name      string  // part of keys and values, unique in its run; at most 40 of a-z, 0-9 and -
	Editors   int     // each makes one call at a time
	Keys      int     // that they share
	Calls     int     // of each editor; 0: until the context ends
	PerSecond float64 // calls of each editor, at most; 0: one after the other
	// Puts, Gets and Deletes are the shares of the calls; 4, 4 and 1 when all are 0.
	Puts, Gets, Deletes int
	Seed                uint64
	// Object makes the object of a put; nil: a route to nowhere, for a host of its
	// own. Mark is different for each put and must be in the object: checks tell
	// writes apart by what they wrote.
	Object func(key, mark string) json.RawMessage
}

// A Tally counts calls by outcome.
type Tally struct{ OK, Fail, Info int }

// Edit lets the editors call until each has made its calls or ctx ends; calls
// under way then come to their own end. Editor i is recorded as Options.Ref with
// "#i", from 1; nobody else of the run may have these names. That calls fail is no error of Edit.
func Edit(ctx context.Context, o Options, e Edits) (Tally, error) {
	if err := e.check(); err != nil {
		return Tally{}, err
	}
	var editors []*Client
	for i := range e.Editors {
		own := o
		own.Ref = topology.Ref(fmt.Sprintf("%s#%d", o.Ref, i+1))
		c, err := New(own)
		if err != nil {
			return Tally{}, err
		}
		editors = append(editors, c)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var sum Tally
	for i, c := range editors {
		all.Go(func() {
			t := e.edit(ctx, c, i)
			mu.Lock()
			defer mu.Unlock()
			sum.OK, sum.Fail, sum.Info = sum.OK+t.OK, sum.Fail+t.Fail, sum.Info+t.Info
		})
	}
	all.Wait()
	return sum, nil
}

// edit is the life of one editor.
func (e Edits) edit(ctx context.Context, c *Client, editor int) (t Tally) {
	calls := cmp.Or(e.Calls, MaxCalls)
	begin := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := range calls {
		if e.PerSecond > 0 {
			timer.Reset(time.Until(begin.Add(time.Duration(float64(n) / e.PerSecond * float64(time.Second)))))
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return t
		}
		switch c.Do(context.WithoutCancel(ctx), e.Call(editor, n)).Outcome {
		case history.OK:
			t.OK++
		case history.Fail:
			t.Fail++
		default:
			t.Info++
		}
	}
	return t
}

// Call is what an editor, from 0, calls as its nth call, from 0.
func (e Edits) Call(editor, n int) Call {
	chance := traffic.Chance(e.Seed, fmt.Sprintf("%s#%d", e.Name, editor), uint64(n))
	c := Call{Key: fmt.Sprintf("/routes/%s-%d", e.Name, chance.IntN(e.Keys))}
	puts, gets, deletes := e.Puts, e.Gets, e.Deletes
	if puts+gets+deletes == 0 {
		puts, gets, deletes = 4, 4, 1
	}
	switch draw := chance.IntN(puts + gets + deletes); {
	case draw < puts:
		object := e.Object
		if object == nil {
			object = e.route
		}
		c.Verb, c.Object = Put, object(c.Key, fmt.Sprintf("%s#%d-%d", e.Name, editor+1, n))
	case draw < puts+gets:
		c.Verb = Get
	default:
		c.Verb = Delete
	}
	return c
}

// route is an object that no traffic meets.
func (e Edits) route(key, mark string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"host":"%s.edit.example","uri":%q,"desc":%q,"upstream":{"type":"roundrobin","nodes":{"192.0.2.1:80":1}}}`, e.Name, key, mark))
}

func (e Edits) check() error {
	switch {
	case e.Editors < 1 || e.Editors > MaxEditors || e.Keys < 1 || e.Keys > MaxKeys || e.Calls < 0 || e.Calls > MaxCalls:
		return fmt.Errorf("edits %q: want 1 to %d editors, 1 to %d keys and at most %d calls, got %d, %d and %d",
			e.Name, MaxEditors, MaxKeys, MaxCalls, e.Editors, e.Keys, e.Calls)
	case e.PerSecond < 0 || e.PerSecond > 1000 || e.Puts < 0 || e.Gets < 0 || e.Deletes < 0:
		return fmt.Errorf("edits %q: want a rate of 0 to 1000 and no negative share, got %v and %d, %d, %d", e.Name, e.PerSecond, e.Puts, e.Gets, e.Deletes)
	}
	for _, c := range e.Name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return fmt.Errorf("edits %q: name: want a-z, 0-9 and -", e.Name)
		}
	}
	if e.Name == "" || len(e.Name) > 40 {
		return fmt.Errorf("edits %q: name: want 1 to 40 characters", e.Name)
	}
	return nil
}
