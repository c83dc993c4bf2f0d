package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/node"
)

const (
	// usualWait and longestWait bound ?wait=applied: without ?timeout=, and with it. The
	// second is that of status listeners.
	usualWait   = 10 * time.Second
	longestWait = 60 * time.Second
	// maxWaits bounds the writes of this process that wait; each asks every gateway.
	maxWaits = 256
	// nodePage is how many registrations are read at once, maxNodes how many count.
	nodePage, maxNodes = 500, 10000
	// secretPatience is how long a gateway that refuses an object may still take it: what it
	// lacks may be a secret that it has just asked for.
	secretPatience = time.Second
	// askAgain separates the first two questions to a gateway that cannot be reached; it
	// doubles up to askSeldom.
	askAgain, askSeldom = 100 * time.Millisecond, time.Second
	// answerMargin is how much earlier than the wait ends a gateway is to answer that it
	// is behind: one that answers must be told from one that does not.
	answerMargin = 200 * time.Millisecond
	// lookMargin is how long etcd may take, after the wait, to tell what a gateway that
	// does not answer has reported.
	lookMargin = time.Second
	// keptConns is how many idle connections to one gateway are kept for the next wait.
	keptConns = 64
	// listedBehind is how many gateways an answer names.
	listedBehind = 100
	// gatewayKind is the kind of the nodes that count.
	gatewayKind = "l7gw"
)

// The states of a gateway that does not serve a write, as lbc-api spells them.
const (
	stateBehind  = "behind"  // it answers, with an older revision
	stateUnknown = "unknown" // it does not answer
	stateRefused = "refused" // it has the revision, and refuses the object
)

// outcome is what an answer to a write says beside what was written when a client waited.
type outcome struct {
	Applied *applied `json:"applied,omitempty"`
	// Error says in words why the status is not that of a write that is in force.
	Error string `json:"error_msg,omitempty"`
}

// applied is what an answer says of the gateways when a client waited for them.
type applied struct {
	Revision int64    `json:"revision"`
	Nodes    int      `json:"nodes"`    // registered, and not drained
	InForce  int      `json:"in_force"` // those of them that serve the write
	Slowest  float64  `json:"slowest_ms"`
	Behind   []behind `json:"behind"`         // the others
	More     int      `json:"more,omitempty"` // of them beyond the list
}

// behind is a gateway that does not serve a write.
type behind struct {
	Node    string `json:"node"`
	State   string `json:"state"`
	Applied int64  `json:"applied"` // the revision that it told last; 0: none
	Error   string `json:"error,omitempty"`
}

// waitFor is how long a write is to wait until all gateways serve it; 0: not at all.
func waitFor(r *http.Request) (time.Duration, *failure) {
	q := arguments(r)
	if !q.Has("wait") || r.Method == http.MethodGet {
		return 0, nil
	}
	if q.Get("wait") != "applied" {
		return 0, bad("invalid argument wait: should be applied")
	}
	if !q.Has("timeout") {
		return usualWait, nil
	}
	d, err := time.ParseDuration(q.Get("timeout"))
	if err != nil || d <= 0 || d > longestWait {
		return 0, bad("invalid argument timeout: should be a duration such as 10s, at most 60s")
	}
	return d, nil
}

// beginWait takes a place among the writes that wait; end gives it back.
func (h *Handler) beginWait() (end func(), f *failure) {
	select {
	case h.waits <- struct{}{}:
		return func() { <-h.waits }, nil
	default:
		return nil, fail(http.StatusServiceUnavailable, fmt.Sprintf("nothing was written: %d other writes wait for gateways", maxWaits))
	}
}

// await adds to the answer of a write on how many gateways it is in force, when it is on
// all or the time is over. The write stands in any case.
func (h *Handler) await(ctx context.Context, a *answer, wait time.Duration) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, wait+lookMargin)
	defer cancel()
	regs, err := h.gateways(ctx)
	if err != nil {
		a.code, a.outcome = http.StatusGatewayTimeout, &outcome{Error: "written, but nobody knows where it is in force: " + err.Error()}
		return
	}
	to := &applied{Revision: a.rev, Nodes: len(regs), Behind: []behind{}}
	a.outcome = &outcome{Applied: to}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, reg := range regs {
		wg.Go(func() {
			b := h.awaitOne(ctx, reg, a, began.Add(wait))
			took := time.Since(began)
			mu.Lock()
			defer mu.Unlock()
			if b != nil {
				to.Behind = append(to.Behind, *b)
				return
			}
			to.InForce++
			to.Slowest = max(to.Slowest, float64(took.Microseconds())/1000)
		})
	}
	wg.Wait()
	slices.SortFunc(to.Behind, func(a, b behind) int { return cmp.Compare(a.Node, b.Node) })
	if len(to.Behind) > 0 {
		a.code, a.outcome.Error = verdict(to)
	}
	if n := len(to.Behind) - listedBehind; n > 0 {
		to.Behind, to.More = to.Behind[:listedBehind], n
	}
}

// verdict is the status and the text of an answer when some gateways do not serve a write:
// 504 when time ran out, 502 when all have it and some cannot use it.
func verdict(to *applied) (code int, text string) {
	worst := slices.IndexFunc(to.Behind, func(b behind) bool { return b.State != stateRefused })
	code = http.StatusGatewayTimeout
	if worst < 0 {
		code, worst = http.StatusBadGateway, 0
	}
	b := to.Behind[worst]
	text = fmt.Sprintf("written, but in force on %d of %d gateways only: %s ", to.InForce, to.Nodes, b.Node)
	switch b.State {
	case stateBehind:
		text += fmt.Sprintf("is at revision %d, not %d", b.Applied, to.Revision)
	case stateRefused:
		text += "refuses it: " + b.Error
	default:
		text += "does not answer: " + b.Error
	}
	return code, text
}

// gateways are the registered ones that follow our directory. It is read after the write:
// one that registers later begins with what is there.
func (h *Handler) gateways(ctx context.Context) ([]node.Registration, error) {
	dir := node.RegistryPrefix + gatewayKind + "/"
	var regs []node.Registration
	for from, rev := "", int64(0); ; {
		kvs, next, at, err := h.st.Page(ctx, dir, from, rev, nodePage)
		if err != nil {
			return nil, err
		}
		for _, kv := range kvs {
			reg, err := node.ParseRegistration(kv.Value)
			if err != nil || reg.State == node.Draining {
				continue
			}
			if slices.ContainsFunc(reg.Watches, func(p string) bool { return node.Covers(p, h.prefix) }) {
				regs = append(regs, reg)
			}
		}
		if next == "" {
			return regs, nil
		}
		if len(regs) > maxNodes {
			return nil, fmt.Errorf("more than %d are registered", maxNodes)
		}
		from, rev = next, at
	}
}

// awaitOne asks a gateway until it serves the write or the time is over; nil: it does.
func (h *Handler) awaitOne(ctx context.Context, reg node.Registration, a *answer, until time.Time) *behind {
	prefix := reg.Watches[slices.IndexFunc(reg.Watches, func(p string) bool { return node.Covers(p, h.prefix) })]
	prefix = strings.TrimSuffix(prefix, "/")
	b := &behind{Node: reg.Name}
	var sawRefused time.Time
	for again := askAgain; ; again = min(2*again, askSeldom) {
		left := time.Until(until)
		asking, cancel := context.WithDeadline(ctx, until)
		said, err := h.nodes.Applied(asking, reg, node.Question{Prefix: prefix, Revision: a.rev, Timeout: max(0, left-min(answerMargin, left/4)), Key: a.key})
		cancel()
		if err != nil {
			b.State, b.Error = stateUnknown, err.Error()
			said, err = h.reported(ctx, reg) // it may be in force all the same
		}
		if err == nil {
			at := said.Applied[prefix]
			b.Applied = max(b.Applied, at)
			refused := slices.IndexFunc(said.Errors, func(e node.ObjectError) bool { return a.wrote(e.Key) })
			switch {
			case at >= a.rev && refused < 0:
				return nil
			case at >= a.rev:
				b.State, b.Error = stateRefused, said.Errors[refused].Error
				if sawRefused.IsZero() {
					sawRefused = time.Now()
				}
				if time.Since(sawRefused) > secretPatience {
					return b
				}
			case b.State == "":
				b.State = stateBehind
			}
		}
		if time.Until(until) < answerMargin || !pause(ctx, min(again, time.Until(until)-answerMargin)) {
			return b
		}
		b.State, b.Error = "", ""
	}
}

// reported is what a gateway that cannot be asked has reported in etcd.
func (h *Handler) reported(ctx context.Context, reg node.Registration) (node.InForce, error) {
	kv, _, _, err := h.st.Get(ctx, node.ReportKey(reg.Kind, reg.Name))
	if err != nil {
		return node.InForce{}, err
	}
	r, err := node.ParseReport(kv.Value)
	if err == nil && r.Truncated() {
		err = errors.New("more objects are refused than a report names")
	}
	return node.InForce{Applied: r.Applied, Errors: r.Errors}, err
}
