package scenario

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/topology"
	"github.com/unilb/unilb/topology/strict"
)

// A checker says what the tags of a File cannot: that names exist, that selectors
// select something, that a step does one thing.
type checker struct {
	*Scenario
	report   *strict.Report
	services map[string]bool
	loads    map[string]bool
	named    map[string]string // name given by a step: what it is
}

// validName is what a scenario may be called: a folder is.
var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,59}$`)

// Things that a step can name.
const (
	aFault = "fault"
	aSpan  = "span"
	edits  = "series of edits"
)

func (c *checker) all() {
	c.services, c.loads, c.named = map[string]bool{}, map[string]bool{}, map[string]string{}
	if !validName.MatchString(c.File.Scenario) {
		c.report.Fail("scenario", "scenario %q: want a-z, 0-9 and \"-\", at most 60 characters", strict.Shorten(c.File.Scenario))
	}
	for _, s := range c.File.Objects.Services {
		c.service(s)
	}
	for _, l := range c.File.Traffic {
		c.load(l)
	}
	for i := range c.File.Steps {
		c.step(fmt.Sprintf("steps[%d]", i), &c.File.Steps[i])
	}
	for i := range c.File.Checks {
		c.check(fmt.Sprintf("checks[%d]", i), &c.File.Checks[i])
	}
}

func (c *checker) service(s Service) {
	at := "objects.services." + s.Name
	c.services[s.Name] = true
	c.selects(at+".targets", s.Targets)
	if s.VPC != "" && !slices.ContainsFunc(c.Plan.VPCs, func(v topology.PlannedVPC) bool { return v.Name == s.VPC }) {
		var known []string
		for _, v := range c.Plan.VPCs {
			known = append(known, v.Name)
		}
		c.report.Fail(at+".vpc", "the topology has no vpc %q%s", strict.Shorten(s.VPC), strict.DidYouMean(s.VPC, known))
	}
	tenants := len(c.Plan.OfKind(topology.KindAPI)) > 0
	switch {
	case !tenants && (s.VIP != "" || s.VPC != "" || s.Health != nil):
		c.report.Fail(at, "the topology has no lbc-api: a service has neither vip, vpc nor health there")
	case tenants && s.VIP == "":
		c.report.Fail(at, "vip is missing; the topology has %s", strings.Join(c.vips(), ", "))
	case tenants && !slices.Contains(c.vips(), s.VIP):
		c.report.Fail(at+".vip", "the topology has no vip %q%s", strict.Shorten(s.VIP), strict.DidYouMean(s.VIP, c.vips()))
	}
}

func (c *checker) vips() []string {
	var out []string
	for _, v := range c.Plan.VIPs {
		if v.Path != topology.PathAdmin {
			out = append(out, v.Name)
		}
	}
	return out
}

func (c *checker) load(l Load) {
	at := "traffic." + l.Name
	c.loads[l.Name] = true
	if !validName.MatchString(l.Name) {
		c.report.Fail(at, "load %q: want a-z, 0-9 and \"-\", at most 60 characters", strict.Shorten(l.Name))
	}
	c.known(at+".to", "service", l.To, c.services)
	c.selects(at+".from", l.From)
	if (l.Rate > 0) == (l.Workers > 0) {
		c.report.Fail(at, "want either rate or workers")
	}
}

// selects checks a selector against the plan.
func (c *checker) selects(at string, sel topology.Selector) {
	if err := sel.Check(); err != nil {
		c.report.Fail(at, "%v", err)
	} else if len(c.Plan.Select(sel)) == 0 {
		c.report.Fail(at, "no node of %s is selected by %q", c.Plan.Lab, strict.Shorten(string(sel)))
	}
}

func (c *checker) selectsAll(at string, sels []topology.Selector) {
	for i, sel := range sels {
		c.selects(fmt.Sprintf("%s[%d]", at, i), sel)
	}
}

// known checks that a name has been given to something.
func (c *checker) known(at, what, name string, names map[string]bool) {
	if !names[name] {
		all := slices.Sorted(maps.Keys(names))
		c.report.Fail(at, "no %s %q%s", what, strict.Shorten(name), strict.DidYouMean(name, all))
	}
}

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
		if spelled, ok := s.Inject.Fault().(fault.Spelled); ok {
			if err := spelled.Spelling(); err != nil {
				c.report.Fail(at+".inject", "%v", err)
			}
		}
	case s.Heal != nil && *s.Heal != healAll:
		c.given(at+".heal", *s.Heal, aFault)
	case s.Wait != nil:
		c.wait(at+".wait", s.Wait)
	case s.Publish != nil:
		c.known(at+".publish", "service", *s.Publish, c.services)
	case s.Retarget != nil:
		c.known(at+".retarget.service", "service", s.Retarget.Service, c.services)
		c.selectsAll(at+".retarget.to", s.Retarget.To)
	case s.Edit != nil:
		c.known(at+".edit.service", "service", s.Edit.Service, c.services)
		c.selectsAll(at+".edit.to", s.Edit.To)
	case s.Edits != nil:
		c.known(at+".edits.service", "service", s.Edits.Service, c.services)
		c.selectsAll(at+".edits.to", s.Edits.To)
	case s.StopEdits != nil:
		c.given(at+".stop-edits", *s.StopEdits, edits)
	case s.Rule != nil:
		c.known(at+".rule.service", "service", s.Rule.Service, c.services)
	case s.DropRule != nil:
		c.known(at+".drop-rule.service", "service", s.DropRule.Service, c.services)
	case s.Misdirect != nil:
		c.known(at+".misdirect.service", "service", s.Misdirect.Service, c.services)
		c.selects(at+".misdirect.targets", s.Misdirect.Targets)
	case s.Start != nil:
		c.known(at+".start", "load", *s.Start, c.loads)
	case s.Stop != nil:
		c.known(at+".stop", "load", *s.Stop, c.loads)
	case s.Exec != nil:
		c.selects(at+".exec.on", topology.Selector(s.Exec.On))
	}
}

func (c *checker) wait(at string, w *Wait) {
	switch {
	case w.Steady != nil:
		c.known(at, "load", w.Steady.Load, c.loads)
	case w.Recovers != nil:
		c.known(at, "load", w.Recovers.Load, c.loads)
		c.given(at, w.Recovers.From, aFault)
	case w.Carried != nil:
		c.known(at, "load", w.Carried.Load, c.loads)
	case w.Serves != nil:
		c.known(at, "service", w.Serves.Service, c.services)
	case w.TakesTraffic != nil:
		c.known(at, "service", w.TakesTraffic.Service, c.services)
		c.selects(at, w.TakesTraffic.Through)
	case w.InForce != nil:
		c.known(at, "service", w.InForce.Service, c.services)
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

// check checks what a check says of itself, and the names that it refers to.
func (c *checker) check(at string, a *check.Any) {
	if a.Value == nil {
		return // it has been said what is wrong with it
	}
	spec := a.Spec()
	if err := spec.Spelling(); err != nil {
		c.report.Fail(at, "%v", err)
	}
	for _, name := range check.During(spec) {
		if what := c.named[name]; what != aFault && what != aSpan {
			var known []string
			for n, w := range c.named {
				if w == aFault || w == aSpan {
					known = append(known, n)
				}
			}
			slices.Sort(known)
			c.report.Fail(at, "no step names %q%s", strict.Shorten(name), strict.DidYouMean(name, known))
		}
	}
	for _, stream := range check.StreamsOf(spec) {
		c.known(at, "load", stream, c.loads)
	}
}
