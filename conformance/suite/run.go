package suite

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// Times around a case.
const (
	SetUpTimeout   = 60 * time.Second // backends, objects, and their coming into force
	CleanUpTimeout = 60 * time.Second
	DefaultGrace   = 5 * time.Second // for a case to notice that its time is over
)

// Options of a run. The zero value runs nothing.
type Options struct {
	Cases    []spec.Case
	Claims   []spec.Feature
	Require  []spec.Capability      // a case skipped for lack of one of these is broken
	Excluded map[string]string      // case: ticket
	Rerun    func(id string) string // command that runs the case again; may be nil
	Evidence string                 // directory for attachments; empty: they are dropped
	Nonce    string                 // part of names; random when empty
	Grace    time.Duration          // DefaultGrace when 0
	AtMost   time.Duration          // of any case's limit; 0: each has its own
	// Challenge runs what the gateway does not claim, too: Result.Challenge says
	// what became of it, and nothing counts against the gateway.
	Challenge bool
}

// Run runs the cases one after another, those of the blocking part first, and
// returns a result for each, in the order in which they ran. When ctx ends, the
// case that runs and those that follow are broken (interrupted), whatever they say:
// an interrupted case accuses nobody. An error means that the list itself is wrong.
func Run(ctx context.Context, env spec.Env, o Options) ([]spec.Result, error) {
	if err := Validate(o.Cases); err != nil {
		return nil, err
	}
	cases, err := Order(o.Cases)
	if err != nil {
		return nil, err
	}
	if o.Nonce == "" {
		o.Nonce = fmt.Sprintf("%05x", rand.Uint32N(1<<20))
	}
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	var results []spec.Result
	states := map[string]spec.State{}
	for _, c := range cases {
		r := o.one(ctx, env, c, states)
		states[c.ID] = cmp.Or(r.Challenge, r.State)
		results = append(results, r)
	}
	return results, nil
}

// one gives a case its result, whether it is run or not.
func (o Options) one(ctx context.Context, env spec.Env, c spec.Case, states map[string]spec.State) spec.Result {
	r := spec.Result{Case: c.ID, Title: c.Title, Level: c.Level, Profile: spec.ProfileOf(c), Feature: c.Needs[0], Blocking: spec.Blocking(c), Refs: c.Refs}
	if o.Rerun != nil {
		r.Rerun = o.Rerun(c.ID)
	}
	unclaimed := o.unclaimed(c)
	if unclaimed != nil && !o.Challenge {
		r.State, r.Reason = spec.Unsupported, unclaimed
		return r
	}
	if state, reason := o.applies(ctx, env, c, states); state != "" {
		r.State, r.Reason = state, reason
		if state == spec.Broken {
			r.Says = []string{"not run"}
		}
	} else {
		o.judged(ctx, env, c, &r)
	}
	if unclaimed != nil {
		r.Challenge, r.State, r.Reason = r.State, spec.Unsupported, unclaimed
	}
	return r
}

// judged runs the case and says what became of it.
func (o Options) judged(ctx context.Context, env spec.Env, c spec.Case, r *spec.Result) {
	id := strings.ToLower(c.ID) + "-" + o.Nonce
	t := spec.NewT(env, spec.Vars{ID: id, Host: id + ".example"})
	start := time.Now()
	late := o.attempt(ctx, c, t)
	interrupted := ctx.Err() != nil
	cleanup := cleanUp(ctx, t)
	r.Took = time.Since(start)
	rec := t.Close()
	r.State, r.Says, r.Story = judge(c, rec), rec.Says, rec.Story
	if late {
		r.Reason = &spec.Reason{Code: spec.Timeout}
	}
	if cleanup != nil {
		r.Says = append(r.Says, "clean up: "+cleanup.Error())
		if r.State.Counts() == spec.Passed {
			r.State = spec.Broken // what it left may disturb the next case
		}
	}
	if interrupted { // whatever it said, the gateway may not be to blame
		r.State, r.Reason = spec.Broken, &spec.Reason{Code: spec.Interrupted}
		r.Says = append([]string{"interrupted"}, r.Says...)
	}
	if r.State == spec.Pass {
		r.Story = nil
	}
	r.Evidence = o.keep(c, rec.Attachments, r)
}

// unclaimed says which features the case needs and the gateway does not claim.
func (o Options) unclaimed(c spec.Case) *spec.Reason {
	var needs []spec.Feature
	for _, f := range c.Needs {
		if !slices.Contains(o.Claims, f) {
			needs = append(needs, f)
		}
	}
	if len(needs) == 0 {
		return nil
	}
	return &spec.Reason{Code: spec.Unclaimed, Needs: needs}
}

// applies says why a case is not run; an empty state means that it is.
func (o Options) applies(ctx context.Context, env spec.Env, c spec.Case, states map[string]spec.State) (spec.State, *spec.Reason) {
	if ticket, ok := o.Excluded[c.ID]; ok {
		return spec.Skip, &spec.Reason{Code: spec.Excluded, Ticket: ticket}
	}
	var lacks []spec.Capability
	state := spec.Skip
	for _, k := range c.Env {
		if !env.Has(k) {
			lacks = append(lacks, k)
			if slices.Contains(o.Require, k) {
				state = spec.Broken
			}
		}
	}
	if len(lacks) > 0 {
		return state, &spec.Reason{Code: spec.Machine, Lacks: lacks}
	}
	if ctx.Err() != nil {
		return spec.Broken, &spec.Reason{Code: spec.Interrupted}
	}
	for _, a := range c.After {
		if s := states[a]; s.Counts() != spec.Passed {
			if s.Counts() == spec.Skipped {
				return spec.Skip, &spec.Reason{Code: spec.After, Case: a}
			}
			return spec.Unproven, &spec.Reason{Code: spec.After, Case: a}
		}
	}
	return "", nil
}
