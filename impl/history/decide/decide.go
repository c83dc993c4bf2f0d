// Package decide owns the question what would become of requests in one state of the
// configuration and in another: it makes requests that the routes of both are about, and
// asks the gateway's own compiler and router. It is pure: objects in, decisions out.
package decide

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/history"
	"github.com/unilb/unilb/impl/route"
)

// MaxRequests bounds the requests that are made.
const MaxRequests = 50_000

// A Decision is a request that becomes something else.
type Decision struct {
	Request Request `json:"request"`
	From    string  `json:"from"`
	To      string  `json:"to"`
}

// A Result is how decisions differ.
type Result struct {
	Requests  int // that were made
	Decisions []Decision
	// Left out: more requests could have been made.
	LeftOut bool
}

// Options say how gateways understand objects.
type Options struct {
	Objects string          // their directory, such as /apisix
	Router  route.Router    // zero: the default of APISIX
	Keyring *apisix.Keyring // opens keys; nil: of objects in clear alone
	Routes  []string        // ids of those whose requests are made; nil: of all
}

// Compare asks both states about requests of the routes of both, those that changed
// first.
func Compare(o Options, a, b *history.State) Result {
	sa, sb := o.compiled(a), o.compiled(b)
	var r Result
	seen := map[string]bool{}
	ids := o.Routes
	if ids == nil {
		ids = order(o.Objects, a, b)
	}
	for _, id := range ids {
		for _, s := range []*history.State{a, b} {
			for _, q := range o.requestsOf(s, id) {
				if text := q.String(); !seen[text] {
					if len(seen) >= MaxRequests {
						r.LeftOut = true
						return r
					}
					seen[text] = true
					r.Requests++
					if from, to := decision(sa, q), decision(sb, q); from != to {
						r.Decisions = append(r.Decisions, Decision{q, from, to})
					}
				}
			}
		}
	}
	return r
}

// order are the ids of all routes, first those that changed.
func order(objects string, a, b *history.State) []string {
	dir := objects + "/routes/"
	changed := map[string]bool{}
	for _, c := range a.Diff(b) {
		changed[c.Key] = true
	}
	all := map[string]bool{}
	for _, s := range []*history.State{a, b} {
		for key := range s.Objects {
			if strings.HasPrefix(key, dir) {
				all[key] = true
			}
		}
	}
	keys := slices.Sorted(maps.Keys(all))
	slices.SortStableFunc(keys, func(x, y string) int {
		switch {
		case changed[x] == changed[y]:
			return 0
		case changed[x]:
			return -1
		}
		return 1
	})
	for i := range keys {
		keys[i] = strings.TrimPrefix(keys[i], dir)
	}
	return keys
}

// compiled is the state as a gateway has it that begins with it: without the objects
// that it refuses.
func (o Options) compiled(s *history.State) *config.Snapshot {
	var changes []config.Change
	for _, key := range slices.Sorted(maps.Keys(s.Objects)) {
		if kind, id := config.Locate(strings.TrimPrefix(key, o.Objects+"/")); kind != config.Other {
			changes = append(changes, config.Change{Kind: kind, ID: id, Key: key, Value: s.Objects[key], Create: s.Created[key]})
		}
	}
	snap, _ := config.Empty(o.Keyring).Blind().By(o.Router).Apply(changes)
	return snap
}

// decision is what becomes of a request.
func decision(s *config.Snapshot, q Request) string {
	r := s.Match(&route.Query{Local: q.local(), Remote: q.Remote, Method: q.Method, Host: q.name(), Authority: q.Host, Path: q.Path, Vars: q})
	if r == nil {
		return "no route"
	}
	to, err := s.Resolve(r)
	if err != nil {
		return fmt.Sprintf("route %s: %v", r.ID, err)
	}
	const most = 5
	nodes := make([]string, 0, len(to.Upstream.Targets))
	for i, t := range to.Upstream.Targets {
		nodes = append(nodes, fmt.Sprintf("%s*%d", netJoin(t.Host, t.Port), to.Upstream.Members[i].Weight))
	}
	slices.Sort(nodes)
	if more := len(nodes) - most; more > 0 {
		nodes = append(nodes[:most], fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf("route %s, %s: %s", r.ID, to.Upstream.Key, strings.Join(nodes, " "))
}

func netJoin(host string, port int) string {
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%d", host, port)
}
