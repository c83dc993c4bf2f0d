package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/unilb/unilb/topology"
)

// Kill ends processes with SIGKILL. The kernel closes their sockets: peers see a
// reset or an end, and new connections are refused. Revert starts them again.
type Kill struct {
	On      topology.Selector `json:"on" arg:"1" need:"true" doc:"nodes"`
	Process string            `json:"process,omitempty" arg:"2" doc:"name of the process in the plan; all of the node without it"`
}

// Spelling implements Spelled.
func (f Kill) Spelling() error { return f.On.Check() }

// Kind implements Fault.
func (Kill) Kind() string { return "kill" }

func (f Kill) String() string { return fmt.Sprintf("kill -9 %s on %s", named(f.Process), f.On) }

// Touches implements Fault.
func (f Kill) Touches(t Target) []topology.Ref { return refs(t, f.On) }

// Check implements Fault.
func (f Kill) Check(t Target) error { return needProcess(t, f, f.On, f.Process) }

// Claims implements Claimer.
func (f Kill) Claims(t Target) []Claim { return processClaims(t, f.On, f.Process) }

// Apply implements Fault.
func (f Kill) Apply(_ context.Context, t Target) error {
	return each(t, f.On, f.Process, func(m Machine, name string) error {
		if err := m.Kill(name); err != nil {
			return err
		}
		if m.Running(name) {
			return fmt.Errorf("%s on %s still runs after SIGKILL", name, m.Ref())
		}
		return nil
	})
}

// Revert implements Fault.
func (f Kill) Revert(ctx context.Context, t Target) error {
	return each(t, f.On, f.Process, func(m Machine, name string) error { return m.Start(ctx, name) })
}

// Stop ends processes with SIGTERM, as an operator does who takes a server out of
// service: they finish what they have in hand. Apply returns when they have ended.
// Revert starts them again.
type Stop struct {
	On      topology.Selector `json:"on" arg:"1" need:"true" doc:"nodes"`
	Process string            `json:"process,omitempty" arg:"2" doc:"name of the process in the plan; all of the node without it"`
}

// Spelling implements Spelled.
func (f Stop) Spelling() error { return f.On.Check() }

// Kind implements Fault.
func (Stop) Kind() string { return "stop" }

func (f Stop) String() string { return fmt.Sprintf("stop %s on %s", named(f.Process), f.On) }

// Touches implements Fault.
func (f Stop) Touches(t Target) []topology.Ref { return refs(t, f.On) }

// Check implements Fault.
func (f Stop) Check(t Target) error { return needProcess(t, f, f.On, f.Process) }

// Claims implements Claimer.
func (f Stop) Claims(t Target) []Claim { return processClaims(t, f.On, f.Process) }

// Apply implements Fault.
func (f Stop) Apply(ctx context.Context, t Target) error {
	return parallel(t.Machines(f.On), func(m Machine) error {
		return parallel(processesOf(m, f.Process), func(name string) error {
			if err := m.Terminate(ctx, name); err != nil {
				return err
			}
			if m.Running(name) {
				return fmt.Errorf("%s on %s still runs after SIGTERM", name, m.Ref())
			}
			return nil
		})
	})
}

// Revert implements Fault.
func (f Stop) Revert(ctx context.Context, t Target) error {
	return each(t, f.On, f.Process, func(m Machine, name string) error { return m.Start(ctx, name) })
}

// Freeze stops processes with SIGSTOP. Their kernel still accepts connections and
// acknowledges data, and nobody answers: the grey failure that health checks must
// see. Revert lets them go on.
type Freeze struct {
	On      topology.Selector `json:"on" arg:"1" need:"true" doc:"nodes"`
	Process string            `json:"process,omitempty" arg:"2" doc:"name of the process in the plan; all of the node without it"`
}

// Spelling implements Spelled.
func (f Freeze) Spelling() error { return f.On.Check() }

// Kind implements Fault.
func (Freeze) Kind() string { return "freeze" }

func (f Freeze) String() string { return fmt.Sprintf("freeze %s on %s", named(f.Process), f.On) }

// Touches implements Fault.
func (f Freeze) Touches(t Target) []topology.Ref { return refs(t, f.On) }

// Check implements Fault.
func (f Freeze) Check(t Target) error { return needProcess(t, f, f.On, f.Process) }

// Claims implements Claimer.
func (f Freeze) Claims(t Target) []Claim { return processClaims(t, f.On, f.Process) }

// Apply implements Fault.
func (f Freeze) Apply(_ context.Context, t Target) error {
	return each(t, f.On, f.Process, func(m Machine, name string) error {
		if err := m.Freeze(name); err != nil {
			return err
		}
		if !m.Frozen(name) {
			return fmt.Errorf("%s on %s is not stopped", name, m.Ref())
		}
		return nil
	})
}

// Revert implements Fault.
func (f Freeze) Revert(_ context.Context, t Target) error {
	return each(t, f.On, f.Process, func(m Machine, name string) error {
		if err := m.Continue(name); err != nil {
			return err
		}
		if m.Frozen(name) {
			return fmt.Errorf("%s on %s is still stopped", name, m.Ref())
		}
		return nil
	})
}

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
	machines := t.Machines(on)
	if len(machines) == 0 {
		return &Unavailable{Fault: f.String(), Why: fmt.Sprintf("no node is selected by %q", on)}
	}
	found := false
	for _, m := range machines {
		for _, p := range processesOf(m, name) {
			found = true
			if !m.Running(p) {
				return &Unavailable{Fault: f.String(), Why: fmt.Sprintf("%s on %s does not run", p, m.Ref())}
			}
		}
	}
	if !found {
		return &Unavailable{Fault: f.String(), Why: fmt.Sprintf("no node of %q runs %s", on, named(name))}
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
