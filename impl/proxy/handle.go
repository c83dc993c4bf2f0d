package proxy

import (
	"errors"

	"github.com/unilb/unilb/impl/balance"
	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/route"
	"github.com/unilb/unilb/impl/vars"
)

var _ exchange.Handler = (*Pipeline)(nil)

// OnRequest finds the route and sends the request to a first target. A condition that needs
// the body has it called twice.
func (p *Pipeline) OnRequest(x *exchange.Exchange) exchange.Verdict {
	f := flowOf(x)
	if x.CollectLimit > 0 {
		return p.collected(x, f)
	}
	*f = flow{tries: f.tries[:0], snap: p.snap.Load(), vars: vars.Of(x), begin: x.Now, since: x.Now}
	x.Phase = exchange.Rewrite
	r := &x.Request
	p.o.Peers.Apply(r)
	path, ok := p.o.Paths.Apply(x)
	if !ok {
		f.failure = "path that segments with parameters make ambiguous"
		return errorPage(x, 400)
	}
	if !f.snap.Certificates().Admits(r.TLS, r.Host, r.Path, f.begin) {
		f.failure = "client certificate missing, bad or for another name"
		return errorPage(x, 400)
	}
	return p.routed(x, f, path)
}

// routed finds the route by a path, and begins with it.
func (p *Pipeline) routed(x *exchange.Exchange, f *flow, path string) exchange.Verdict {
	r := &x.Request
	f.match(r, path)
	switch refused := f.vars.Refused(); {
	case f.vars.NeedsBody():
		return p.collect(x, f, path)
	case refused != nil:
		f.route, f.failure = nil, refused.Error()
		return errorPage(x, 413)
	case f.route == nil:
		return notFound(x)
	}
	var err error
	if f.res, err = f.snap.Resolve(f.route); err != nil {
		f.failure = err.Error()
		return missing(x, err)
	}
	x.Phase = exchange.Access
	return p.try(x, f)
}

// match finds the route by a path, which variables show for so long.
func (f *flow) match(r *exchange.Request, path string) {
	f.query = route.Query{Local: r.Local, Remote: r.Remote.Addr().Unmap(), Method: r.Method, Host: r.Host, Authority: r.Authority, Path: path, Vars: &f.vars}
	was := r.Path
	r.Path = path
	f.route = f.snap.Match(&f.query)
	r.Path = was
	if f.vars.NeedsBody() { // it was no match
		f.route, f.query = nil, route.Query{}
		return
	}
	f.vars.ForgetBody() // it is for the match alone
	if f.query.Matched != nil {
		r.Captures = exchange.Captures{Path: path, By: f.query.Matched}
	}
}

// missing answers for an object that a route needs and that is not there. A route that is
// closed is answered 503 with the reason.
func missing(x *exchange.Exchange, err error) exchange.Verdict {
	var c *config.ClosedError
	if errors.As(err, &c) {
		return closed(x, c.Error())
	}
	return errorPage(x, StatusOf(err))
}

// StatusOf is the status that a request is answered with whose route does not resolve, as
// in APISIX: service gone 404; upstream or client certificate gone, or an algorithm that nobody
// knows, 502; none named 503, as when a plugin config, a registry, a consumer or his group is
// not there, or the route is closed.
func StatusOf(err error) int {
	var c *config.ClosedError
	if errors.As(err, &c) {
		return 503
	}
	var m *config.MissingError
	if !errors.As(err, &m) {
		return 500
	}
	switch m.What {
	case config.MissingService:
		return 404
	case config.MissingAnyBackend, config.MissingDiscovery, config.MissingPluginConfig, config.MissingConsumer, config.MissingConsumerGroup:
		return 503
	}
	return 502
}

// try forwards to the next target.
func (p *Pipeline) try(x *exchange.Exchange, f *flow) exchange.Verdict {
	up := f.res.Upstream
	i, ok := p.pick(x.Lane, f.snap, up, &f.tried)
	if !ok {
		if f.failure == "" {
			f.failure = "no valid upstream node"
		}
		return p.giveUp(x, f, 502)
	}
	f.tried.Add(i)
	f.target, f.index = &up.Targets[i], i
	x.Phase = exchange.BeforeProxy
	x.Own() // what follows keeps strings of the request
	plan := exchange.Plan{
		Target: &f.target.Target, ClientCert: f.res.ClientCert, Host: UpstreamHost(x, up, f.target),
		Connect: f.res.Timeouts.Connect, Send: f.res.Timeouts.Send, Read: f.res.Timeouts.Read,
		Upgrade: f.res.Websocket && x.Request.Upgrade != "",
	}
	editRequest(x)
	return x.Forward(plan)
}

// OnFailure tries another target when that is safe. As in nginx: what never
// reached a target may always be sent again; what may have reached one only
// when doing it twice does no harm, and when the whole body is still at hand.
func (p *Pipeline) OnFailure(x *exchange.Exchange, fail exchange.Failure) exchange.Verdict {
	f := flowOf(x)
	f.failure = fail.Kind.String()
	if fail.Err != nil {
		f.failure += ": " + fail.Err.Error()
	}
	if p.counts.m != nil {
		p.seriesOf(f).Failed(x.Lane, fail.Kind)
		f.heard = x.Now
	}
	switch fail.Kind {
	case exchange.ClientGone:
		return exchange.Abort
	case exchange.ClientTooBig:
		return errorPage(x, 413)
	}
	p.observe(f, Observation{Failure: fail.Kind})
	status := 502
	if fail.Kind.Timeout() {
		status = 504
	}
	f.tries = append(f.tries, status)
	again := !fail.Sent || fail.Replayable && exchange.Idempotent(x.Request.Method)
	if !again || len(f.tries) >= f.res.Upstream.Tries {
		return p.giveUp(x, f, status)
	}
	if limit := f.res.Upstream.RetryTimeout; limit > 0 && x.Now.Sub(f.since) >= limit {
		return p.giveUp(x, f, 502)
	}
	return p.try(x, f)
}

func (p *Pipeline) observe(f *flow, o Observation) {
	if c := f.res.Upstream.Checks; p.o.Observe != nil && c != nil && c.Passive != nil {
		p.o.Observe(f.res.Upstream, f.index, o)
	}
}

func (p *Pipeline) giveUp(x *exchange.Exchange, f *flow, status int) exchange.Verdict {
	v := errorPage(x, status)
	if len(f.tries) > 0 {
		x.ResponseEdits.Set(upstreamStatus, statusList(&x.Arena, f.tries))
	}
	return v
}

// OnResponse passes the upstream's answer on.
func (p *Pipeline) OnResponse(x *exchange.Exchange) exchange.Verdict {
	f := flowOf(x)
	x.Phase = exchange.HeaderFilter
	f.failure = "" // that of an earlier try
	if p.counts.m != nil {
		f.heard, f.answered = x.Now, true
	}
	f.tries = append(f.tries, x.Response.Status)
	p.observe(f, Observation{Status: x.Response.Status})
	editResponse(x)
	if x.Response.Status >= 500 {
		x.ResponseEdits.Set(upstreamStatus, statusList(&x.Arena, f.tries))
	}
	return exchange.Continue
}

// OnBody is never asked for: nothing filters bodies yet.
func (p *Pipeline) OnBody(_ *exchange.Exchange, chunk []byte, _ bool) []byte { return chunk }

// OnDone counts and logs, and lets go of the snapshot.
func (p *Pipeline) OnDone(x *exchange.Exchange, rec exchange.Record) {
	f := flowOf(x)
	x.Phase = exchange.Log
	x.Refund()
	if p.counts.m != nil {
		p.count(x, f, rec)
	}
	if p.o.Log != nil {
		e := Entry{Record: rec, Ended: f.begin.Add(rec.Duration), Tries: f.tries, Failure: f.failure}
		if rec.Refused != "" {
			e.Failure = rec.Refused
		}
		if f.route != nil {
			e.Route = f.route.ID
		}
		if f.res.Upstream != nil {
			e.Upstream = f.res.Upstream.Key
		}
		if f.target != nil {
			e.Target = f.target.Name
		}
		p.o.Log(x, e)
	}
	// An idle Exchange must not keep an old configuration, nor views, alive.
	f.snap, f.route, f.res, f.target = nil, nil, config.Resolved{}, nil
	f.query, f.vars, f.tried, f.failure, f.path = route.Query{}, vars.Request{}, balance.Tried{}, "", ""
}
