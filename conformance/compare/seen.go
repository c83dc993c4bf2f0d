package compare

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
)

// Limits of what is kept of one run of a case. What is beyond them is not compared.
const (
	maxGroups = 500 // different requests
	maxValues = 24  // different values of one facet
)

// itself is who answered when no backend did.
const itself = "the gateway itself"

// Seen is what clients and backends saw of one run of a case: its requests, those
// that are alike together, and for each group how often which value of which facet
// was seen. Names that belong to the run, times and ports that the kernel chose are
// left out, so that two runs of one build have the same to show.
type Seen struct {
	Case    string        `json:"case"`
	Round   int           `json:"round"` // from 0
	State   spec.State    `json:"state"`
	Reason  *spec.Reason  `json:"reason,omitempty"`
	Says    []string      `json:"says,omitempty"`
	Took    time.Duration `json:"took"`
	Groups  []Group       `json:"groups,omitempty"`
	Dropped int           `json:"dropped,omitempty"` // requests that were one group too many
}

// A Group is all requests of a run that are alike.
type Group struct {
	Asked  string                   `json:"asked"` // "GET {case}.example/a from client/inet-1 to 10.1.1.1:80"
	N      int                      `json:"n"`
	Facets map[Facet]map[string]int `json:"facets"`
}

// Own is what belongs to one run of a case alone.
type Own struct {
	Round int
	ID    string // the names of its hosts, objects and streams begin with it
	Port  uint16 // its backends have ports from here on
}

// Observe makes out of the evidence of one run of a case what it showed.
func Observe(h *history.History, own Own, r spec.Result) Seen {
	id, p := own.ID, plain{own}
	s := Seen{Case: r.Case, Round: own.Round, State: r.State, Reason: r.Reason, Says: r.Says, Took: r.Took}
	arrived := h.ByID()
	groups := map[string]*Group{}
	for _, op := range h.Ops {
		if !strings.HasPrefix(op.Stream, id+"-") {
			continue
		}
		key := p.asked(op)
		g := groups[key]
		if g == nil {
			if len(groups) == maxGroups {
				s.Dropped++
				continue
			}
			g = &Group{Asked: key, Facets: map[Facet]map[string]int{}}
			groups[key] = g
		}
		g.N++
		g.op(p, op, arrived[op.ID])
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		s.Groups = append(s.Groups, *groups[key])
	}
	return s
}

// plain takes out of texts what belongs to one run alone.
type plain struct{ own Own }

// portIn finds ports in addresses and in the names of backends: "10.1.1.1:20017",
// "idc/bj/blue-1-p20017".
var portIn = regexp.MustCompile(`(:|-p)([0-9]{5})\b`)

// ownPorts is how many ports count as a run's own.
const ownPorts = 256

// text says "{case}" for the run's name, and "+3" for the fourth of its ports.
func (p plain) text(s string) string {
	s = strings.ReplaceAll(s, p.own.ID, "{case}")
	if p.own.Port == 0 || !strings.ContainsAny(s, ":p") {
		return s
	}
	return portIn.ReplaceAllStringFunc(s, func(m string) string {
		at := strings.IndexAny(m, "0123456789")
		port, err := strconv.Atoi(m[at:])
		if k := port - int(p.own.Port); err == nil && k >= 0 && k < ownPorts {
			return m[:at] + "+" + strconv.Itoa(k)
		}
		return m
	})
}

// asked says what was asked, by whom and of whom; equal texts make a group.
func (p plain) asked(op history.Op) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s%s from %s to %s", op.Request.Method, p.text(op.Request.Host), p.text(op.Request.Target), op.Client, op.To)
	if op.Kind != "http" {
		fmt.Fprintf(&b, " (%s)", op.Kind)
	}
	lines := slices.Clone(op.Request.Header)
	slices.SortStableFunc(lines, func(a, b history.Field) int { return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	for _, f := range lines {
		fmt.Fprintf(&b, ", %s: %s", f.Name, p.text(f.Value))
	}
	if op.Request.BodyLen > 0 {
		fmt.Fprintf(&b, ", a body of %d bytes", op.Request.BodyLen)
	}
	return b.String()
}

// add counts one value.
func (g *Group) add(f Facet, value string) {
	values := g.Facets[f]
	if values == nil {
		values = map[string]int{}
		g.Facets[f] = values
	}
	if _, known := values[value]; !known && len(values) == maxValues {
		value = "(others)"
	}
	values[value]++
}

// op counts what one request showed.
func (g *Group) op(p plain, op history.Op, arrived []history.Arrival) {
	g.add(facetConnection, ending(op))
	if op.Conn != 0 {
		g.add(facetReuse, map[bool]string{true: "an old connection", false: "a new connection"}[op.Reused > 0])
	}
	g.add(facetArrivals, fmt.Sprint(min(len(arrived), 3)))
	if r := op.Response; r != nil {
		g.answer(p, *r, arrived)
	}
	for _, a := range arrived {
		g.arrival(p, op, a)
	}
}

// ending says how the connection served: that it carried an answer, whichever, or
// why it did not.
func ending(op history.Op) string {
	if op.Response != nil && op.Class != history.ClassProtocol {
		return "an answer"
	}
	return string(cmp.Or(op.Class, history.ClassOther))
}

// answer counts what came back.
func (g *Group) answer(p plain, r history.Response, arrived []history.Arrival) {
	by := "a backend"
	if r.Backend == "" {
		by = "the gateway"
	}
	g.add(facetStatus, fmt.Sprintf("%d of %s", r.Status, by))
	g.add(facetBackend, cmp.Or(p.text(string(r.Backend)), itself))
	g.add(facetBody, p.body(r, arrived))
	if r.Header == nil {
		return // it was not recorded
	}
	g.headers(answerHeader, p, r.Header, func(name, value string) string {
		if name == "content-length" && value == fmt.Sprint(r.BodyLen) {
			return "the length of the body"
		}
		return value
	})
}

// body says what became of the body that a backend sent, or what the gateway sent
// by itself. What backends send differs from run to run: they tell what they saw.
func (p plain) body(r history.Response, arrived []history.Arrival) string {
	if r.Backend != "" {
		for _, a := range arrived {
			if a.Backend == r.Backend && a.Answer != nil && a.Answer.BodySum == r.BodySum && a.Answer.BodyLen == r.BodyLen {
				return "as the backend sent it"
			}
		}
		return "not what a backend sent"
	}
	if r.BodyLen == 0 {
		return "none"
	}
	return fmt.Sprintf("%d bytes %s", r.BodyLen, r.BodySum)
}

// arrival counts what a backend saw.
func (g *Group) arrival(p plain, op history.Op, a history.Arrival) {
	g.add(facetLine, fmt.Sprintf("%s %s %s", a.Seen.Method, p.text(a.Seen.Target), a.Seen.Proto))
	switch {
	case a.Unread:
	case a.Cut:
		g.add(facetSentBody, "cut")
	case a.Seen.BodySum == op.Request.BodySum && a.Seen.BodyLen == op.Request.BodyLen:
		g.add(facetSentBody, "as the client sent it")
	default:
		g.add(facetSentBody, "not what the client sent")
	}
	if a.Seen.Header == nil {
		return
	}
	g.headers(requestHeader, p, a.Seen.Header, func(_, value string) string { return value })
}

// headers counts the values of each name, several lines of one name together, and
// how many heads there were, without which nobody could tell that a name was
// absent.
func (g *Group) headers(kind Facet, p plain, lines []history.Field, reword func(name, value string) string) {
	values := map[string]string{}
	for _, f := range lines {
		name := strings.ToLower(f.Name)
		if ignored(name) {
			continue
		}
		v := reword(name, p.text(f.Value))
		if old, twice := values[name]; twice {
			v = old + " | " + v
		}
		values[name] = v
	}
	g.add(kind, "")
	for name, v := range values {
		g.add(kind+Facet(name), v)
	}
}

// ignored names say who answered whom, which is compared by itself, or the time.
func ignored(name string) bool {
	return name == "date" || name == "x-op-id" || strings.HasPrefix(name, "x-echo-")
}
