package fault

import (
	"context"
	"errors"
	"fmt"

	"github.com/unilb/unilb/topology"
)

// ExhaustFDs leaves processes no more descriptors than they have open. Their
// kernel still completes handshakes, but nobody accepts them; connections that
// were there go on as long as nothing new is needed for them. What a process
// closes it can open again. Revert gives each process its old limit; one that was
// started again meanwhile has its own.
type ExhaustFDs struct {
	On      topology.Selector `json:"on" arg:"1" need:"true" doc:"nodes"`
	Process string            `json:"process,omitempty" arg:"2" doc:"name of the process in the plan; all of the node without it"`
	Keep    int               `json:"keep,omitempty" arg:"3" doc:"how many more descriptors it may open; none without it"`

	Was []FileLimit `json:"was,omitempty" yaml:"-"` // decided by Resolve
}

// Spelling implements Spelled.
func (f ExhaustFDs) Spelling() error { return errors.Join(f.On.Check(), checkKeep(f.Keep)) }

// Kind implements Fault.
func (ExhaustFDs) Kind() string { return "exhaust-fds" }

func (f ExhaustFDs) String() string {
	return fmt.Sprintf("%s on %s runs out of descriptors%s", named(f.Process), f.On, kept(f.Keep))
}

// Touches implements Fault.
func (f ExhaustFDs) Touches(t Target) []topology.Ref { return refs(t, f.On) }

// Claims implements Claimer.
func (f ExhaustFDs) Claims(t Target) []Claim {
	var out []Claim
	for _, m := range t.Machines(f.On) {
		for _, p := range processesOf(m, f.Process) {
			out = append(out, Claim(fmt.Sprintf("the descriptors of %s on %s", p, m.Ref())))
		}
	}
	return out
}

// Check implements Fault.
func (f ExhaustFDs) Check(t Target) error {
	if err := f.Spelling(); err != nil {
		return unavailable(f, "%v", err)
	}
	if err := needProcess(t, f, f.On, f.Process); err != nil {
		return err
	}
	return each(t, f.On, f.Process, func(m Machine, name string) error {
		all, err := m.Files(name)
		if err != nil {
			return unavailable(f, "%v", err)
		}
		for _, files := range all {
			if files.room() <= f.Keep {
				return unavailable(f, "%s on %s may open %d more descriptors as it is", name, m.Ref(), files.room())
			}
		}
		return nil
	})
}

// Resolve implements Resolver: it keeps the limits that there were.
func (f ExhaustFDs) Resolve(_ context.Context, t Target) (Fault, error) {
	f.Was = nil
	err := each(t, f.On, f.Process, func(m Machine, name string) error {
		all, err := m.Files(name)
		for _, files := range all {
			files.Open = nil
			f.Was = append(f.Was, FileLimit{Node: m.Ref(), Process: name, Files: files})
		}
		return err
	})
	return f, err
}

// tightenings is how often the limit is lowered after a process that closes
// descriptors at that very moment.
const tightenings = 20

// Apply implements Fault.
func (f ExhaustFDs) Apply(_ context.Context, t Target) error {
	return each(t, f.On, f.Process, func(m Machine, name string) error {
		for range tightenings {
			all, err := m.Files(name)
			if err != nil {
				return err
			}
			tight := len(all) > 0
			for _, files := range all {
				if files.room() <= f.Keep {
					continue
				}
				tight = false
				if err := m.LimitFiles(name, files, files.limitFor(f.Keep)); err != nil {
					return err
				}
			}
			if tight {
				return nil
			}
		}
		return fmt.Errorf("%s on %s can still open more than %d descriptors", name, m.Ref(), f.Keep)
	})
}

// Revert implements Fault.
func (f ExhaustFDs) Revert(_ context.Context, t Target) error {
	return each(t, f.On, f.Process, func(m Machine, name string) error {
		all, err := m.Files(name)
		if err != nil {
			return err
		}
		old := f.limits(m.Ref(), name, all)
		for i, files := range all {
			if old[i] == files.Limit {
				continue
			}
			if err := m.LimitFiles(name, files, old[i]); err != nil {
				return err
			}
		}
		if all, err = m.Files(name); err != nil {
			return err
		}
		for i, limit := range f.limits(m.Ref(), name, all) {
			if all[i].Limit != limit {
				return fmt.Errorf("%s on %s may open %d descriptors, and %d before", name, m.Ref(), all[i].Limit, limit)
			}
		}
		return nil
	})
}
