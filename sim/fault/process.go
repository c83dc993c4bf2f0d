package fault

import (
	"context"
	"fmt"

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

// Revert implements Fault. What was killed starts together: members of a store get
// ready only when there are enough of them.
func (f Kill) Revert(ctx context.Context, t Target) error { return startAll(ctx, t, f.On, f.Process) }

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

// Revert implements Fault, as for Kill.
func (f Stop) Revert(ctx context.Context, t Target) error { return startAll(ctx, t, f.On, f.Process) }

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
