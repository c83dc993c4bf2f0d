package fault

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/unilb/unilb/topology"
)

// PowerOff takes the power of nodes. Their links go first and their processes
// after, so that peers see neither FIN nor RST: silence. Revert switches the nodes
// on again; what was on disk is there, what was in memory is not.
type PowerOff struct {
	On topology.Selector `json:"on" arg:"1" need:"true" doc:"nodes"`
}

// Spelling implements Spelled.
func (f PowerOff) Spelling() error { return f.On.Check() }

// Kind implements Fault.
func (PowerOff) Kind() string { return "power-off" }

func (f PowerOff) String() string { return fmt.Sprintf("%s loses power", f.On) }

// Touches implements Fault.
func (f PowerOff) Touches(t Target) []topology.Ref { return refs(t, f.On) }

// Check implements Fault.
func (f PowerOff) Check(t Target) error {
	machines, err := selected(t, f, f.On)
	if err != nil {
		return err
	}
	for _, m := range machines {
		if m.Unplugged() {
			return unavailable(f, "%s has no power already", m.Ref())
		}
	}
	return nil
}

// Claims implements Claimer: a boot starts every process and raises every
// interface, whoever had taken it down.
func (f PowerOff) Claims(t Target) []Claim {
	out := processClaims(t, f.On, "")
	for _, m := range t.Machines(f.On) {
		out = append(out, PowerClaim(m.Ref()))
		for _, ifname := range m.Interfaces() {
			out = append(out, InterfaceClaim(m.Ref(), ifname))
		}
	}
	return out
}

// Apply implements Fault.
func (f PowerOff) Apply(_ context.Context, t Target) error {
	machines := t.Machines(f.On)
	// Everything is cut before anything is killed: a node that is killed while
	// its router still forwards would send its FINs.
	if err := parallel(machines, Machine.Unplug); err != nil {
		return err
	}
	for _, m := range machines {
		if !m.Unplugged() {
			return fmt.Errorf("%s still has a link", m.Ref())
		}
	}
	if err := parallel(machines, Machine.Lose); err != nil {
		return err
	}
	for _, m := range machines {
		for _, p := range m.ProcessNames() {
			if m.Running(p) {
				return fmt.Errorf("%s on %s runs without power", p, m.Ref())
			}
		}
	}
	return nil
}

// Revert implements Fault.
func (f PowerOff) Revert(ctx context.Context, t Target) error {
	machines := t.Machines(f.On)
	if err := parallel(machines, func(m Machine) error { return m.Boot(ctx) }); err != nil {
		return err
	}
	// As on real machines nothing starts in order: a process that needs another
	// one waits for it.
	return parallel(machines, func(m Machine) error {
		return parallel(m.ProcessNames(), func(p string) error { return m.Start(ctx, p) })
	})
}

// parallel calls do for all and joins the errors.
func parallel[T any](all []T, do func(T) error) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, one := range all {
		wg.Go(func() { errs[i] = do(one) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
