package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/topology"
)

// MaxDiskDelay bounds what a disk may add to one operation: a process that is
// killed while it waits for its disk ends only when the disk answers.
const MaxDiskDelay = 10 * time.Second

// diskErrors are what a disk can fail with.
var diskErrors = []string{"EIO", "ENOSPC"}

// EtcdSlowDisk makes the disks of etcd members slow, or lets them fail. Each write
// to the store waits for an fsync on a majority: a slow leader makes every write
// late, one slow follower none. Above half a second or so (the election timeout is
// one) a leader may lose its office. etcd ends when an fsync or a write fails:
// Revert starts again what has ended.
type EtcdSlowDisk struct {
	On    topology.Selector `json:"on" arg:"1" need:"true" doc:"etcd nodes whose disk is impairable"`
	Delay time.Duration     `json:"delay,omitempty" arg:"2" doc:"added to each fsync, at most 10s"`
	Write time.Duration     `json:"write,omitempty" doc:"added to each write, at most 10s"`
	Error string            `json:"error,omitempty" doc:"EIO or ENOSPC: what each write and fsync fails with, after its delay"`
	// Ran is what ran on each node; Resolve notes it.
	Ran map[topology.Ref][]string `json:"ran,omitempty" yaml:"-"`
}

// Spelling implements Spelled.
func (f EtcdSlowDisk) Spelling() error {
	switch {
	case f.Delay == 0 && f.Write == 0 && f.Error == "":
		return errors.New("it says neither delay nor error, for example delay=200ms")
	case min(f.Delay, f.Write) < 0 || max(f.Delay, f.Write) > MaxDiskDelay:
		return fmt.Errorf("delays of %v and %v are not between 0 and %v", f.Delay, f.Write, MaxDiskDelay)
	case f.Error != "" && !slices.Contains(diskErrors, f.Error):
		return fmt.Errorf("error %q is none of %s", f.Error, strings.Join(diskErrors, ", "))
	}
	return f.On.Check()
}

func (f EtcdSlowDisk) slowness() Slowness {
	return Slowness{Fsync: f.Delay, Write: f.Write, Fails: f.Error}
}

// Kind implements Fault.
func (EtcdSlowDisk) Kind() string { return "etcd-slow-disk" }

func (f EtcdSlowDisk) String() string {
	var how []string
	if f.Delay > 0 {
		how = append(how, fmt.Sprintf("%v to each fsync", f.Delay))
	}
	if f.Write > 0 {
		how = append(how, fmt.Sprintf("%v to each write", f.Write))
	}
	text := fmt.Sprintf("the disk of %s", f.On)
	if len(how) > 0 {
		text += " adds " + strings.Join(how, " and ")
	}
	if f.Error != "" {
		text += " fails with " + f.Error
	}
	return text
}

// Touches implements Fault.
func (f EtcdSlowDisk) Touches(t Target) []topology.Ref { return refs(t, f.On) }

// Claims implements Claimer: a disk that only is slow ends no process.
func (f EtcdSlowDisk) Claims(t Target) []Claim {
	var out []Claim
	if f.Error != "" {
		out = processClaims(t, f.On, "")
	}
	for _, m := range t.Machines(f.On) {
		out = append(out, DiskClaim(m.Ref()))
	}
	return out
}

// Survey implements Surveyor.
func (f EtcdSlowDisk) Survey(t Target) error {
	if err := storeSurvey(f.Kind(), t); err != nil {
		return err
	}
	err := errors.New("no member has a disk")
	for _, region := range t.Stores() {
		for _, m := range t.Store(region) {
			if err = m.Slowable(); err == nil {
				return nil
			}
		}
	}
	return &Unavailable{Fault: f.Kind(), Machine: true, Why: err.Error()}
}

// Check implements Fault.
func (f EtcdSlowDisk) Check(t Target) error {
	if err := f.Spelling(); err != nil {
		return unavailable(f, "%v", err)
	}
	if err := needDisk(t, f, f.On); err != nil {
		return err
	}
	for _, m := range t.Machines(f.On) {
		if err := m.Slowable(); err != nil {
			return &Unavailable{Fault: f.String(), Machine: true, Why: err.Error()}
		}
	}
	return nil
}

// Resolve implements Resolver.
func (f EtcdSlowDisk) Resolve(_ context.Context, t Target) (Fault, error) {
	f.Ran = runningOn(t.Machines(f.On))
	return f, nil
}

// Apply implements Fault.
func (f EtcdSlowDisk) Apply(ctx context.Context, t Target) error {
	return parallel(t.Machines(f.On), func(m Machine) error {
		if err := m.SlowDisk(f.slowness()); err != nil {
			return err
		}
		got, err := m.TryDisk(ctx)
		switch {
		case err != nil:
			return err
		case f.Error == "" && got.Err != nil:
			return fmt.Errorf("the disk of %s fails: %w", m.Ref(), got.Err)
		case f.Error != "" && got.Err == nil:
			return fmt.Errorf("the disk of %s does not fail", m.Ref())
		case got.Write < f.Write || f.Error == "" && got.Fsync < f.Delay:
			return fmt.Errorf("the disk of %s took %v for a write and %v for an fsync, want at least %v and %v",
				m.Ref(), got.Write, got.Fsync, f.Write, f.Delay)
		case max(f.Write, f.Delay) > 0 && got.Delayed == 0:
			return fmt.Errorf("the disk of %s has delayed nothing", m.Ref())
		}
		return nil
	})
}

// Revert implements Fault.
func (f EtcdSlowDisk) Revert(ctx context.Context, t Target) error {
	machines := t.Machines(f.On)
	err := parallel(machines, func(m Machine) error {
		if err := m.SlowDisk(Slowness{}); err != nil {
			return err
		}
		return mended(ctx, m)
	})
	if err != nil || f.Error == "" {
		return err
	}
	return restart(ctx, machines, f.Ran)
}
