package explain

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/health"
	"github.com/unilb/unilb/impl/proxy"
	"github.com/unilb/unilb/impl/route"
	"github.com/unilb/unilb/impl/vars"
)

// A Source is the configuration that is asked, and what beside it decides.
type Source struct {
	Snapshot *config.Snapshot
	Prefix   string           // of the APISIX layout
	Paths    proxy.Paths      // how those of requests are seen before they are matched
	Peers    proxy.Peers      // proxies that are believed
	Fallback string           // name that is served to clients which ask for none by TLS
	Applied  map[string]int64 // revision in force by prefix
	Refused  map[string]string
	// Health is that of the targets of an upstream, in their order; nil, or a nil result:
	// not known.
	Health func(*config.Upstream) []health.View
	// Next tells for each event loop which targets would be tried; nil: nobody serves.
	Next func(*config.Upstream) [][]int
	Now  time.Time
}

// Bounds of what an Answer lists.
const (
	DefaultMost = 20
	maxMost     = 1000
	maxTargets  = 100
)

// Explain answers a question.
func (s *Source) Explain(q *Question) *Answer {
	e := &account{src: s, q: q, x: exchange.Exchange{Request: q.Request, Now: s.Now}, most: q.Most, a: &Answer{
		Refused: []Candidate{}, Behind: []Candidate{}, Plugins: []Plugin{}, Applied: s.Applied, Objects: []Object{},
	}}
	e.vars = vars.Of(&e.x)
	if e.most <= 0 {
		e.most = DefaultMost
	}
	e.most = min(e.most, maxMost)
	r := &e.x.Request
	s.Peers.Apply(r)
	e.a.Request = Request{Method: r.Method, Scheme: r.Scheme, Authority: r.Authority, Host: r.Host, Target: r.Target, Path: r.Path, Query: r.Query, Consumer: q.Consumer}
	x := exchange.Exchange{Request: *r}
	path, ok := s.Paths.Apply(&x)
	e.admitted = x.Request.Path
	if ok {
		r.Path, e.a.Request.Path = path, path
	} else {
		e.answer(400, "the path has segments with parameters that make it ambiguous")
	}
	if r.Remote.IsValid() {
		e.a.Request.Remote = r.Remote.Addr().Unmap().String()
	}
	if r.Local.IsValid() {
		e.a.Request.Local = r.Local.String()
	}
	e.query = route.Query{Local: r.Local, Remote: r.Remote.Addr().Unmap(), Method: r.Method, Host: r.Host, Authority: r.Authority, Path: r.Path, Vars: &e.vars}
	e.handshake()
	matched := e.search()
	e.merge(matched)
	e.resolve(matched)
	e.unusable()
	e.conclude()
	return e.a
}

// account is an Answer in the making.
type account struct {
	src   *Source
	q     *Question
	x     exchange.Exchange // of its request, as it would come
	vars  vars.Request
	a     *Answer
	query route.Query
	most  int
	// admitted is the path that certificates of clients are demanded for.
	admitted string
}

// handshake tells which certificate the name meets.
func (e *account) handshake() {
	r := &e.x.Request
	if r.Scheme != "https" {
		return
	}
	t := &TLS{SNI: strings.ToLower(e.q.SNI)}
	e.a.TLS = t
	name := t.SNI
	if name == "" {
		name = strings.ToLower(e.src.Fallback)
	}
	cert := e.src.Snapshot.Certificates().Lookup(name)
	if cert == nil {
		e.answer(0, fmt.Sprintf("no handshake: nobody has a certificate for %q%s", name, e.refusedCertificates()))
		return
	}
	t.SSL, t.Mutual = e.object(config.SSLs, cert.ID), cert.Client != nil
	r.TLS = new(certs.Server).Conn(tls.ConnectionState{ServerName: name})
	if !e.src.Snapshot.Certificates().Admits(r.TLS, r.Host, e.admitted, e.src.Now) {
		e.a.Notes = append(e.a.Notes, "a certificate of the client is demanded: without one, or for a host of another name, the answer is 400")
	}
}

// search finds the route, and lists those that were not taken.
func (e *account) search() *config.Route {
	snap := e.src.Snapshot
	asked := e.query
	matched := snap.Match(&asked)
	if err := e.vars.Refused(); err != nil {
		e.answer(413, err.Error())
	}
	if e.vars.NeedsBody() {
		e.a.Notes = append(e.a.Notes, "a condition needs the body of the request, which the question does not have: with one, another route may match")
	}
	found := false
	for c := range snap.Candidates(&e.query) {
		switch {
		case !found && c.Holds && c.Route == matched:
			found = true
			e.a.Route = &e.candidate(&c).Route
		case !found:
			e.list(&e.a.Refused, &e.a.RefusedMore, &c)
		default:
			e.list(&e.a.Behind, &e.a.BehindMore, &c)
		}
	}
	for c := range snap.Disabled(&e.query) {
		e.list(&e.a.Disabled, &e.a.DisabledMore, &c)
	}
	slices.SortFunc(e.a.Disabled, func(a, b Candidate) int { return strings.Compare(a.Key, b.Key) })
	if e.q.Route != "" {
		e.about(e.q.Route)
	}
	if matched == nil {
		e.answer(404, "no route matches")
	} else {
		e.object(config.Routes, matched.ID)
	}
	return matched
}

// about says what keeps the route that the question names from the request.
func (e *account) about(id string) {
	key := e.src.Prefix + "/routes/" + id
	r := e.src.Snapshot.Route(id)
	if r == nil {
		why := "there is no such route"
		if refused := e.src.Refused[key]; refused != "" {
			why = "it was refused: " + refused
		}
		e.a.Asked = &Candidate{Route: Route{Key: key}, Why: why}
		return
	}
	c := e.src.Snapshot.Why(r, &e.query)
	one := e.candidate(&c)
	switch {
	case e.a.Route != nil && e.a.Route.Key == key:
		one.Why = ""
	case one.Why == "" && e.a.Route != nil:
		one.Why = "all its conditions hold; " + e.a.Route.Key + " is found first"
	}
	e.a.Asked = one
	e.object(config.Routes, id)
}

func (e *account) candidate(c *config.Candidate) *Candidate {
	if e.vars.NeedsBody() { // perhaps not this one
		e.vars = vars.Of(&e.x)
	}
	why := c.Why()
	if e.vars.NeedsBody() && why != "" {
		why += " (the question has no body)"
	}
	return &Candidate{Route{e.src.Prefix + "/routes/" + c.Route.ID, c.Route.Name(), c.Host, c.Path, c.Route.Priority()}, why}
}

// list adds a candidate, or counts it when there are enough.
func (e *account) list(to *[]Candidate, more *int, c *config.Candidate) {
	if len(*to) == e.most {
		*more++
		return
	}
	*to = append(*to, *e.candidate(c))
}

// merge lists the plugins. This gateway runs none yet, so Runs stays false: those that guard
// close the route.
func (e *account) merge(r *config.Route) {
	uses, err := e.src.Snapshot.Plugins(r, e.q.Consumer)
	for _, u := range uses {
		e.a.Plugins = append(e.a.Plugins, Plugin{Name: u.Name, Priority: u.Priority, From: e.object(u.From.Kind, u.From.ID), Late: u.Late, Guards: u.Guards})
	}
	if e.q.Consumer == "" {
		return
	}
	e.object(config.Consumers, e.q.Consumer)
	var missing *config.MissingError
	if errors.As(err, &missing) && (missing.What == config.MissingConsumer || missing.What == config.MissingConsumerGroup) {
		e.a.Notes = append(e.a.Notes, e.missing(err))
		if missing.What == config.MissingConsumerGroup {
			e.answer(proxy.StatusOf(err), e.missing(err))
		}
	}
}

// resolve follows the references of the route to its targets.
func (e *account) resolve(r *config.Route) {
	if r == nil {
		return
	}
	for _, ref := range []struct {
		kind config.Kind
		id   string
	}{{config.Services, r.ServiceID}, {config.PluginConfigs, r.PluginConfigID}, {config.Upstreams, r.UpstreamID}} {
		if ref.id != "" {
			e.object(ref.kind, ref.id)
		}
	}
	res, err := e.src.Snapshot.Resolve(r)
	if err != nil {
		e.answer(proxy.StatusOf(err), e.missing(err))
	}
	if up := res.Upstream; up != nil {
		e.upstream(up, res)
		e.next(up, err)
	}
}

func (e *account) upstream(up *config.Upstream, res config.Resolved) {
	kind, id := config.Locate(up.Key)
	u := &Upstream{
		Key: e.object(kind, id), Type: up.Type, Scheme: up.Scheme, PassHost: up.PassHost,
		Connect: res.Timeouts.Connect.Seconds(), Send: res.Timeouts.Send.Seconds(), Read: res.Timeouts.Read.Seconds(),
		Tries: up.Tries, RetryTimeout: up.RetryTimeout.Seconds(), Websocket: res.Websocket, Targets: []Target{},
	}
	e.a.Upstream = u
	var views []health.View
	if e.src.Health != nil {
		views = e.src.Health(up)
	}
	for i := range up.Targets {
		if i == maxTargets {
			u.TargetsMore = len(up.Targets) - i
			break
		}
		t := Target{Address: up.Targets[i].Name, Host: e.hostFor(up, &up.Targets[i]), Weight: up.Members[i].Weight,
			Priority: up.Members[i].Priority, Zone: up.Targets[i].Zone}
		if i < len(views) {
			t.Health = &views[i]
		}
		u.Targets = append(u.Targets, t)
	}
}

// next tells who would be tried, unless nobody will be.
func (e *account) next(up *config.Upstream, err error) {
	if e.src.Next == nil || err != nil {
		return
	}
	for _, order := range e.src.Next(up) {
		var next []string
		for _, i := range order {
			next = append(next, up.Targets[i].Name)
		}
		e.a.Upstream.Next = append(e.a.Upstream.Next, next)
	}
}

// hostFor is the Host that a target sees.
func (e *account) hostFor(up *config.Upstream, t *config.Target) string {
	return proxy.UpstreamHost(&e.x, up, t)
}

// answer notes what the gateway itself would answer; the first reason counts.
func (e *account) answer(status int, why string) {
	if e.a.Generated == nil {
		e.a.Generated = &Generated{status, why}
	}
}

func (e *account) conclude() {
	slices.SortStableFunc(e.a.Objects, func(a, b Object) int { return strings.Compare(a.Key, b.Key) })
	switch g := e.a.Generated; {
	case g != nil && g.Status == 0:
		e.a.Outcome = g.Why
	case g != nil:
		e.a.Outcome = fmt.Sprintf("answered %d by the gateway: %s", g.Status, g.Why)
	case len(e.a.Upstream.Next) == 0:
		e.a.Outcome = fmt.Sprintf("goes to %s, by %s", e.a.Upstream.Key, e.a.Route.Key)
	default:
		e.a.Outcome = e.nextOutcome()
	}
}

func (e *account) nextOutcome() string {
	var firsts []string
	for _, next := range e.a.Upstream.Next {
		if len(next) > 0 && !slices.Contains(firsts, next[0]) {
			firsts = append(firsts, next[0])
		}
	}
	if len(firsts) == 0 {
		e.answer(502, "no valid upstream node")
		return "answered 502 by the gateway: no valid upstream node"
	}
	return fmt.Sprintf("goes to %s next, by %s", strings.Join(firsts, " or "), e.a.Route.Key)
}

// object notes the revisions of an object, once, and returns its key.
func (e *account) object(k config.Kind, id string) string {
	key := e.src.Prefix + "/" + k.Directory() + "/" + id
	if slices.ContainsFunc(e.a.Objects, func(o Object) bool { return o.Key == key }) {
		return key
	}
	stored, ok := e.src.Snapshot.Stored(k, id)
	e.a.Objects = append(e.a.Objects, Object{Key: key, Created: stored.Create, Modified: stored.Mod, Refused: e.src.Refused[key], Missing: !ok})
	return key
}
