package scenario

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

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
	// What is there when a step begins.
	published, sending map[string]bool
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
	c.published, c.sending = map[string]bool{}, map[string]bool{}
	if !validName.MatchString(c.File.Scenario) {
		c.report.Fail("scenario", "scenario %q: want a-z, 0-9 and \"-\", at most 60 characters", strict.Shorten(c.File.Scenario))
	}
	for _, s := range c.File.Objects.Services {
		c.service(s)
	}
	for _, l := range c.File.Traffic {
		c.load(l)
	}
	for _, s := range c.File.Objects.Services {
		c.published[s.Name] = !s.Later
	}
	for _, l := range c.File.Traffic {
		c.sending[l.Name] = !l.Later
		if !l.Later && c.services[l.To] && !c.published[l.To] {
			c.report.Fail("traffic."+l.Name+".to", "service %q is published by a step: begin the load after it, with later: true and a step start", l.To)
		}
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
	for i, q := range l.Mix {
		c.request(fmt.Sprintf("%s.mix[%d]", at, i), q)
	}
}

// What may stand in a request line and in a header, after RFC 9110 sections 5.1, 5.5
// and 9.1.
var (
	isToken  = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	isTarget = regexp.MustCompile(`^/[!-~]*$`)
	isValue  = regexp.MustCompile(`^[\t -~]*$`)
)

func (c *checker) request(at string, q Request) {
	if q.Method != "" && !isToken.MatchString(q.Method) {
		c.report.Fail(at+".method", "method %q: want a token", strict.Shorten(q.Method))
	}
	if q.Path != "" && !isTarget.MatchString(q.Path) {
		c.report.Fail(at+".path", "path %q: want \"/\" first, and neither spaces nor controls", strict.Shorten(q.Path))
	}
	for name, value := range q.Header {
		if !isToken.MatchString(name) || !isValue.MatchString(value) {
			c.report.Fail(at+".header", "header %q: %q: want a token, and no controls", strict.Shorten(name), strict.Shorten(value))
		}
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
