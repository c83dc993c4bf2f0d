package fault

import (
	"context"
	"errors"
	"slices"

	"github.com/unilb/unilb/topology"
)

func named(process string) string {
	if process == "" {
		return "everything"
	}
	return process
}

func refs(t Target, on topology.Selector) []topology.Ref {
	var out []topology.Ref
	for _, m := range t.Machines(on) {
		out = append(out, m.Ref())
	}
	return out
}

// processesOf returns the processes of the machine that the name means.
func processesOf(m Machine, name string) []string {
	all := m.ProcessNames()
	switch {
	case name == "":
		return all
	case slices.Contains(all, name):
		return []string{name}
	default:
		return nil
	}
}

// processClaims are the claims of faults that end or stop processes.
func processClaims(t Target, on topology.Selector, name string) []Claim {
	var out []Claim
	for _, m := range t.Machines(on) {
		for _, p := range processesOf(m, name) {
			out = append(out, ProcessClaim(m.Ref(), p))
		}
	}
	return out
}

// needProcess is the Check of faults that need running processes.
func needProcess(t Target, f Fault, on topology.Selector, name string) error {
	machines, err := selected(t, f, on)
	if err != nil {
		return err
	}
	found := false
	for _, m := range machines {
		for _, p := range processesOf(m, name) {
			found = true
			if !m.Running(p) {
				return unavailable(f, "%s on %s does not run", p, m.Ref())
			}
		}
	}
	if !found {
		return unavailable(f, "no node of %q runs %s", on, named(name))
	}
	return nil
}

// each calls do for every process that is meant and joins the errors.
func each(t Target, on topology.Selector, name string, do func(Machine, string) error) error {
	var errs []error
	for _, m := range t.Machines(on) {
		for _, p := range processesOf(m, name) {
			errs = append(errs, do(m, p))
		}
	}
	return errors.Join(errs...)
}

// startAll starts every process that is meant, the machines at the same time and
// those of one machine in the order of the plan.
func startAll(ctx context.Context, t Target, on topology.Selector, name string) error {
	return parallel(t.Machines(on), func(m Machine) error {
		var errs []error
		for _, p := range processesOf(m, name) {
			errs = append(errs, m.Start(ctx, p))
		}
		return errors.Join(errs...)
	})
}
