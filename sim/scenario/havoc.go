package scenario

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/sim/act"
	"github.com/unilb/unilb/sim/havoc"
	"github.com/unilb/unilb/topology"
)

// havocOptions are what a step makes havoc of.
func (s *Scenario) havocOptions(h *Havoc) havoc.Options {
	return act.HavocOptions(s.Plan, s.Seed, h.Edits, h.Targets)
}

// havocs are the plans of all steps that make havoc, for the digest.
func (s *Scenario) havocs() []havoc.Plan {
	var out []havoc.Plan
	for _, step := range s.File.Steps {
		if step.Havoc != nil {
			out = append(out, havoc.New(s.havocOptions(step.Havoc)))
		}
	}
	return out
}

// havoc carries out the plan of the step, looks that the gateways have all that is
// good of what came of it, and clears up.
func (r *runner) havoc(ctx context.Context, h *Havoc) (string, error) {
	r.havocked = r.s.havocOptions(h)
	said, err := r.region.Havoc(ctx, act.Havoc{
		Plan: havoc.New(r.havocked), Options: r.havocked, Every: h.Every, Site: r.services[h.Service],
	})
	if err != nil {
		return "", err
	}
	agreed, err := r.region.Agree(ctx, r.havocked)
	if err != nil {
		return "", fmt.Errorf("after %s: %w", said, err)
	}
	junk, err := r.region.Clear(ctx, r.havocked)
	return fmt.Sprintf("%s; %s; %d objects removed that nobody can use", said, agreed, junk), err
}

// havoc checks that there is enough to make havoc of.
func (c *checker) havoc(at string, h *Havoc) {
	c.serves(at+".service", h.Service)
	c.selects(at+".targets", h.Targets)
	o := c.havocOptions(h)
	const members, gateways = 3, 2
	if len(o.Members) < members || len(o.Gateways) < gateways {
		c.report.Fail(at, "the first store has %d members and %d gateways; havoc needs %d and %d", len(o.Members), len(o.Gateways), members, gateways)
	}
	if len(o.Targets) == 0 {
		c.report.Fail(at+".targets", "none of them has an address that a route could name: want servers of the data centre")
	}
	for _, s := range c.File.Objects.Services {
		if s.Name == h.Service && len(c.Plan.OfKind(topology.KindAPI)) > 0 {
			c.report.Fail(at, "the topology has lbc-api, which would tidy up what others write")
		}
	}
}
