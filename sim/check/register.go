package check

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/unilb/unilb/sim/history"
)

// A register is one key of the Admin API with all that was done to it.
type register struct {
	ops          []call // by the time they returned
	gets, writes int
}

// A call is what an Admin call asked and learnt, with values made comparable.
type call struct {
	history.AdminCall
	value  string // put: written; get: read
	absent bool   // the answer says that there was nothing
	pure   bool   // it has no effect
	maybe  bool   // it may take effect at any later time, or never
}

// registerOf reads the calls of one key. Calls that teach nothing are left out; a
// verb that is not understood spoils the key.
func registerOf(calls []history.AdminCall) (r register, verb string) {
	written := fieldsOf(calls)
	for _, a := range calls {
		c := call{AdminCall: a, maybe: a.Outcome != history.OK && a.Outcome != history.Fail}
		c.absent = a.Status == 404 && a.Verb != "put" && !c.maybe
		c.pure = a.Verb == "get" || a.Outcome == history.Fail
		switch a.Verb {
		case "put":
			c.value = canonical(a.Object, written)
		case "get":
			c.value = canonical(a.Got, written)
		case "delete":
		default:
			return register{}, a.Verb
		}
		switch {
		case c.pure && !c.absent && (a.Verb != "get" || a.Outcome != history.OK):
			continue // refused, or a get without an answer
		case a.Verb == "get":
			r.gets++
		case !c.pure:
			r.writes++
		}
		r.ops = append(r.ops, c)
	}
	slices.SortStableFunc(r.ops, func(a, b call) int { return cmp.Compare(a.end(), b.end()) })
	return r, ""
}

// end is when the call had its effect at the latest.
func (c call) end() time.Duration {
	if c.maybe {
		return forever
	}
	return c.Return
}

// A cell is what a register holds.
type cell struct {
	known   bool // false: nobody has written or read it yet
	present bool
	value   string
	rev     int64 // of the write that made it so; 0: not known
}

var cells = porcupine.Model{
	Init:  func() any { return cell{} },
	Step:  func(state, input, _ any) (bool, any) { return step(state.(cell), input.(call)) },
	Equal: func(a, b any) bool { return a == b },
}

// step says whether a call may find the register so, and what it makes of it.
func step(s cell, c call) (bool, any) {
	if c.absent {
		if s.known && s.present {
			return false, s
		}
		return true, cell{known: true, rev: s.rev}
	}
	if c.pure { // a get that was answered
		switch {
		case !s.known:
			return true, cell{known: true, present: true, value: c.value, rev: c.Rev}
		case !s.present || s.value != c.value || s.rev != 0 && c.Rev != 0 && s.rev != c.Rev:
			return false, s
		}
		s.rev = cmp.Or(s.rev, c.Rev)
		return true, s
	}
	// When the store has lost the answers of two deletes, each finds that the object
	// is gone since a revision, and neither can know whose that is.
	same := c.Verb == "delete" && s.known && !s.present && c.Rev == s.rev
	if c.Rev != 0 && s.rev != 0 && c.Rev <= s.rev && !same {
		return false, s
	}
	return true, cell{known: true, present: c.Verb == "put", value: c.value, rev: c.Rev}
}

func (r register) check(until time.Time) porcupine.CheckResult { return linearizable(r.ops, until) }

func linearizable(calls []call, until time.Time) porcupine.CheckResult {
	left := time.Until(until)
	if left <= 0 {
		return porcupine.Unknown
	}
	ops := make([]porcupine.Operation, len(calls))
	for i, c := range calls {
		ops[i] = porcupine.Operation{ClientId: i, Input: c, Call: int64(c.Call), Return: int64(c.end())}
	}
	return porcupine.CheckOperationsTimeout(cells, ops, left)
}

// first finds the first call, by its return, with which no order explains what was
// seen until then, and tells it with the last write before it and those beside it.
func (r register) first(until time.Time) (call, string) {
	lo, hi := 0, len(r.ops)-1 // ops[:hi+1] has no order, ops[:lo] has one
	for lo < hi {
		mid := (lo + hi) / 2
		if linearizable(r.upTo(mid), until) == porcupine.Illegal {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	bad := r.ops[lo]
	tale := bad.String()
	if last, ok := r.lastWrite(bad); ok {
		tale += "; the last write that had returned before: " + last.String()
	}
	beside := 0
	for _, c := range r.ops {
		if !c.pure && c.Seq != bad.Seq && c.Call <= bad.Return && c.end() >= bad.Call {
			beside++
		}
	}
	return bad, fmt.Sprintf("%s; %d writes were under way meanwhile", tale, beside)
}

// upTo is what was known when the i-th call had returned: calls that had not
// returned then may have taken effect.
func (r register) upTo(i int) []call {
	at := r.ops[i].Return
	known := slices.Clone(r.ops[:i+1])
	for _, c := range r.ops[i+1:] {
		if !c.pure && c.Call <= at {
			c.maybe, c.Rev, c.absent = true, 0, false
			known = append(known, c)
		}
	}
	return known
}

func (r register) lastWrite(before call) (last call, ok bool) {
	for _, c := range r.ops {
		if !c.pure && !c.maybe && c.Return < before.Call && (!ok || c.Return > last.Return) {
			last, ok = c, true
		}
	}
	return last, ok
}

// String is the call as evidence shows it.
func (c call) String() string {
	s := fmt.Sprintf("%s by %s at +%s to +%s", c.Verb, c.Client, c.Call.Round(time.Microsecond), c.Return.Round(time.Microsecond))
	switch {
	case c.absent:
		s += " found nothing"
	case c.maybe:
		s += " had no answer"
	case c.Verb == "get":
		s += " read " + shorten(c.value)
	case c.Verb == "put":
		s += " wrote " + shorten(c.value)
	}
	if c.Rev != 0 {
		s += fmt.Sprintf(" (revision %d)", c.Rev)
	}
	return s
}

func shorten(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
