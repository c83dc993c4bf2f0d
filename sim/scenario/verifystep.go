package scenario

import (
	"reflect"
	"slices"
	"strings"

	"github.com/unilb/unilb/topology"
	"github.com/unilb/unilb/topology/strict"
)

// steps that may have a name, and what they name.
func (s *Step) names() string {
	switch {
	case s.Inject != nil:
		return aFault
	case s.Edits != nil, s.Admins != nil:
		return edits
	case s.Wait != nil && s.Wait.Recovers != nil, s.changes():
		return aSpan
	default:
		return ""
	}
}

// changes says whether the step changes what a tenant has published.
func (s *Step) changes() bool { return s.Rule != nil || s.DropRule != nil || s.Retarget != nil }

func (c *checker) step(at string, s *Step) {
	acts := s.acts()
	switch {
	case len(acts) > 1:
		c.report.Fail(at, "a step does one thing, not %s", strings.Join(acts, " and "))
	case len(acts) == 0 && s.Say == "":
		c.report.Fail(at, "the step does nothing and says nothing")
	}
	c.act(at, s)
	if s.As == "" {
		if s.Edits != nil {
			c.report.Fail(at, "a series of edits needs a name by which it is stopped: as: ...")
		}
		return
	}
	what := s.names()
	switch {
	case what == "":
		c.report.Fail(at+".as", "only faults, changes, series of edits and recoveries have names")
	case c.named[s.As] != "":
		c.report.Fail(at+".as", "the name %q is given twice", strict.Shorten(s.As))
	default:
		c.named[s.As] = what
	}
}

// acts are the keys of the step that do something.
func (s *Step) acts() []string {
	var out []string
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Pointer && !f.IsNil() {
			out = append(out, v.Type().Field(i).Tag.Get("yaml"))
		}
	}
	return out
}

func (c *checker) act(at string, s *Step) {
	switch {
	case s.Inject != nil && s.Inject.value != nil:
		c.fault(at+".inject."+s.Inject.kind, s.Inject)
	case s.Heal != nil && *s.Heal != healAll:
		c.given(at+".heal", *s.Heal, aFault)
	case s.Wait != nil:
		c.wait(at+".wait", s.Wait)
	case s.Publish != nil:
		c.known(at+".publish", "service", *s.Publish, c.services)
		if c.published[*s.Publish] {
			c.report.Fail(at+".publish", "service %q is published already; say later: true where it is defined", *s.Publish)
		}
		c.published[*s.Publish] = true
	case s.Retarget != nil:
		c.changes(at+".retarget", s.Retarget.Service)
		c.selectsAll(at+".retarget.to", s.Retarget.To)
	case s.Edit != nil:
		c.changes(at+".edit", s.Edit.Service)
		c.selectsAll(at+".edit.to", s.Edit.To)
	case s.Edits != nil:
		c.changes(at+".edits", s.Edits.Service)
		c.selectsAll(at+".edits.to", s.Edits.To)
	case s.StopEdits != nil:
		c.given(at+".stop-edits", *s.StopEdits, edits)
	case s.Rule != nil:
		c.changes(at+".rule", s.Rule.Service)
	case s.DropRule != nil:
		c.changes(at+".drop-rule", s.DropRule.Service)
	case s.Misdirect != nil:
		c.changes(at+".misdirect", s.Misdirect.Service)
		c.selects(at+".misdirect.targets", s.Misdirect.Targets)
	case s.Start != nil:
		c.start(at+".start", *s.Start)
	case s.Stop != nil:
		c.sends(at+".stop", *s.Stop)
	case s.Havoc != nil:
		c.havoc(at+".havoc", s.Havoc)
	case s.Exec != nil:
		c.node(at+".exec.on", s.Exec.On)
	}
}

// node checks that there is such a node.
func (c *checker) node(at string, ref topology.Ref) {
	var known []string
	for _, n := range c.Plan.Nodes {
		known = append(known, string(n.Ref))
	}
	if !slices.Contains(known, string(ref)) {
		c.report.Fail(at, "no node %q%s", strict.Shorten(string(ref)), strict.DidYouMean(string(ref), known))
	}
}

// serves checks that a service has been published when the step begins.
func (c *checker) serves(at, service string) {
	c.known(at, "service", service, c.services)
	if c.services[service] && !c.published[service] {
		c.report.Fail(at, "service %q is not published yet: a step publish must come before", service)
	}
}

// changes checks that a service can be changed by the tenant's API.
func (c *checker) changes(at, service string) {
	c.serves(at+".service", service)
	if len(c.Plan.OfKind(topology.KindAPI)) == 0 {
		c.report.Fail(at, "the topology has no lbc-api: nobody can change a service there")
	}
}

// sends checks that a load has been begun when the step begins.
func (c *checker) sends(at, load string) {
	c.known(at, "load", load, c.loads)
	if c.loads[load] && !c.sending[load] {
		c.report.Fail(at, "load %q has not begun yet: a step start must come before", load)
	}
}

func (c *checker) start(at, load string) {
	c.known(at, "load", load, c.loads)
	if c.sending[load] {
		c.report.Fail(at, "load %q has begun already; say later: true where it is defined", load)
	}
	c.sending[load] = true
	for _, l := range c.File.Traffic {
		if l.Name == load && c.services[l.To] && !c.published[l.To] {
			c.report.Fail(at, "service %q is not published yet: a step publish must come before", l.To)
		}
	}
}

func (c *checker) wait(at string, w *Wait) {
	switch {
	case w.Steady != nil:
		c.sends(at, w.Steady.Load)
	case w.Recovers != nil:
		c.sends(at, w.Recovers.Load)
		c.given(at, w.Recovers.From, aFault)
	case w.Carried != nil:
		c.sends(at, w.Carried.Load)
	case w.Serves != nil:
		c.serves(at, w.Serves.Service)
	case w.TakesTraffic != nil:
		c.serves(at, w.TakesTraffic.Service)
		c.selects(at, w.TakesTraffic.Through)
	case w.InForce != nil:
		c.serves(at, w.InForce.Service)
	case w.Agree != nil:
		c.selects(at+".agree.gateways", w.Agree.Gateways)
		for _, n := range c.Plan.Select(w.Agree.Gateways) {
			if n.Kind != topology.KindL7 {
				c.report.Fail(at+".agree.gateways", "%s is no gateway", n.Ref)
			}
		}
	}
}

// given checks that an earlier step named a thing of that kind.
func (c *checker) given(at, name, what string) {
	if c.named[name] == what {
		return
	}
	var known []string
	for n, w := range c.named {
		if w == what {
			known = append(known, n)
		}
	}
	slices.Sort(known)
	c.report.Fail(at, "no step before names a %s %q%s", what, strict.Shorten(name), strict.DidYouMean(name, known))
}
