package check

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// AdminTime is how long AdminLinearizable searches before it gives up.
const AdminTime = 10 * time.Second

// AdminLinearizable says that the Admin API behaves as one register for each key:
// there is an order of all calls, each somewhere between its call and its return,
// in which every get is answered with what the last put wrote, or 404 after a
// delete and before the first put. Where answers name revisions, those of a key
// only grow, and a get names that of the write it shows; deletes that nothing came
// between may name the same.
//
//   - A call without an answer (info) may take effect at any later time, or never.
//   - A refused one (fail: a 412 for an If-Match that does not hold, any other 4xx)
//     has no effect; a 404 also says that the key was absent. Whether a put was
//     answered 200 or 201 is not judged.
//   - What a key held before its first call is not known: the first get says.
//   - Values are compared as JSON, fields in any order, without create_time,
//     update_time and id, and without fields that no put of that key ever wrote:
//     the API fills in its own.
//   - Keys that are also changed by other verbs, and clients that make two calls at
//     once, give Unknown, and so does a search that takes longer than AdminTime.
func AdminLinearizable() Checker { return adminLinearizable{AdminTime} }

type adminLinearizable struct{ within time.Duration }

func (adminLinearizable) Name() string { return "AdminLinearizable" }

func (c adminLinearizable) Check(h *history.History, _ Facts) Verdict {
	f := finding{Verdict: Verdict{Check: c.Name()}}
	until := time.Now().Add(c.within) // bounds the search, decides nothing
	keys := map[string][]history.AdminCall{}
	var names []string
	for _, a := range h.AdminCalls {
		if keys[a.Key] == nil {
			names = append(names, a.Key)
		}
		keys[a.Key] = append(keys[a.Key], a)
	}
	slices.Sort(names)
	gets, writes := 0, 0
	for _, key := range names {
		r, verb := registerOf(keys[key])
		if verb != "" {
			f.doubt("%s is also changed by %q, which is not understood", key, verb)
			continue
		}
		f.Examined += len(r.ops)
		gets, writes = gets+r.gets, writes+r.writes
		switch r.check(until) {
		case porcupine.Illegal:
			bad, tale := r.first(until)
			f.violation("", bad.Call, "%s: %s", key, tale)
		case porcupine.Unknown:
			f.doubt("%s: no order was found, nor excluded, within %s", key, c.within)
		}
	}
	f.Summary = fmt.Sprintf("%d of %d keys have calls that no order explains", f.bad, len(names))
	if who, ok := overlapping(h.AdminCalls); ok {
		f = finding{Verdict: f.Verdict} // what follows from a wrong assumption says nothing
		f.Evidence = nil
		f.doubt("client %s makes two calls at once: nothing can be said of their order", who)
	}
	switch {
	case f.Examined < MinOps:
		f.doubt("only %d calls of the Admin API, want at least %d", f.Examined, MinOps)
	case gets == 0 || writes == 0:
		f.doubt("%d answered gets and %d writes; want both", gets, writes)
	}
	return f.verdict(h, fmt.Sprintf("%d calls, %d keys, %d gets answered", f.Examined, len(names), gets))
}

// overlapping finds a client with two calls at once.
func overlapping(calls []history.AdminCall) (topology.Ref, bool) {
	sorted := slices.SortedFunc(slices.Values(calls), func(a, b history.AdminCall) int {
		return cmp.Or(cmp.Compare(a.Client, b.Client), cmp.Compare(a.Call, b.Call))
	})
	for i := 1; i < len(sorted); i++ {
		if a, b := sorted[i-1], sorted[i]; a.Client == b.Client && b.Call < a.Return {
			return a.Client, true
		}
	}
	return "", false
}
