package labenv

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// TrialOptions say what to try.
type TrialOptions struct {
	Gateway  string // name of a driver, or path of a manifest
	Binary   string // replaces the manifest's program
	BinDir   string // of the testbed's binaries
	Topology string // the smallest when empty
	Dir      string // receives the lab's logs
	// OnStep is told each step when it has ended.
	OnStep func(TrialStep)
}

// A TrialStep is one thing that a gateway was tried to do.
type TrialStep struct {
	Name string        `json:"name"`
	Took time.Duration `json:"took"`
	Says string        `json:"says"` // what it did, or why it did not
	OK   bool          `json:"ok"`
}

// A trial is a manifest at work: the steps of the shortest useful life of a gateway.
type trial struct {
	o    TrialOptions
	env  *Env
	back []spec.Backend
}

const trialHost = "trial.unilb.example"

// Try starts a gateway as its manifest says and goes through the shortest useful
// life: ready, a route, a reload, an edit, its end with a request under way.
// It must run inside a sandbox. The error says that a step could not be taken or
// failed; steps that follow from it are not taken.
func Try(ctx context.Context, o TrialOptions) error {
	m, plan, program, err := o.plan()
	if err != nil {
		return err
	}
	f := newFleet(m, plan, program)
	t := &trial{o: o}
	begin := time.Now()
	l, err := lab.Up(ctx, plan, lab.Options{BinDir: o.BinDir, Dir: o.Dir, Recorder: history.NewRecorder(history.NewClock()), Gateway: f.command, AdminArgs: m.Admin.Args})
	if err != nil {
		t.say("start", time.Since(begin), err, "")
		return err
	}
	t.env = newEnv(l, f)
	err = t.run(ctx)
	down, cancel := context.WithTimeout(context.WithoutCancel(ctx), downTimeout)
	defer cancel()
	return errors.Join(err, t.env.Close(), l.Down(down))
}

func (o TrialOptions) plan() (*driver.Manifest, *topology.Plan, string, error) {
	m, err := loadDriver(o.Gateway)
	if err != nil {
		return nil, nil, "", err
	}
	plan, _, err := planFor(cmp.Or(o.Topology, smallest))
	if err != nil {
		return nil, nil, "", err
	}
	if err := checkPrograms(m, plan, o.BinDir, o.Binary); err != nil {
		return nil, nil, "", err
	}
	program, err := m.Locate(o.BinDir, o.Binary)
	return m, plan, program, err
}

func (t *trial) say(name string, took time.Duration, err error, format string, args ...any) {
	s := TrialStep{Name: name, Took: took, OK: err == nil, Says: fmt.Sprintf(format, args...)}
	if err != nil {
		s.Says = err.Error()
	}
	if t.o.OnStep != nil {
		t.o.OnStep(s)
	}
}

func (t *trial) run(ctx context.Context) error {
	for _, gw := range t.env.Gateways() {
		p, _, err := t.env.gatewayProcess(gw.Ref)
		if err != nil {
			return err
		}
		t.say("start", p.ReadyAfter(), nil, "%s is ready", gw.Ref)
	}
	var err error
	if t.back, err = t.env.Start(ctx, spec.Want{N: 2}); err != nil {
		return err
	}
	defer func() {
		for _, b := range t.back {
			_ = b.Server.Close() // the lab ends
		}
	}()
	for _, step := range []struct {
		name string
		do   func(context.Context) (string, error)
	}{
		{"route", func(ctx context.Context) (string, error) { return t.write(ctx, 0) }},
		{"served", func(ctx context.Context) (string, error) { return t.served(ctx, 0) }},
		{"reload", t.reload},
		{"served", func(ctx context.Context) (string, error) { return t.served(ctx, 0) }},
		{"edit", func(ctx context.Context) (string, error) { return t.write(ctx, 1) }},
		{"followed", func(ctx context.Context) (string, error) { return t.served(ctx, 1) }},
		{"drain", t.drain},
	} {
		begin := time.Now()
		says, err := step.do(ctx)
		t.say(step.name, time.Since(begin), err, "%s", says)
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// write publishes the route, to one of the two backends, and waits until it is in
// force.
func (t *trial) write(ctx context.Context, to int) (string, error) {
	body := fmt.Sprintf(`{"host":%q,"uri":"/*","upstream":{"type":"roundrobin","nodes":{%q:1}}}`, trialHost, t.back[to].Addr)
	r, err := t.env.Admin().Do(ctx, spec.Call{Method: http.MethodPut, Path: "/routes/trial", Body: body})
	if err != nil {
		return "", err
	}
	if r.Status/100 != 2 {
		return "", fmt.Errorf("the route was refused: %s", r)
	}
	if err := t.env.Applied(ctx, r.Revision); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s to %s is in force", trialHost, t.back[to].Ref), nil
}

// trialRequests are sent over fresh connections: one answer of several workers'
// is luck.
const trialRequests = 50

func (t *trial) served(ctx context.Context, by int) (string, error) {
	for _, gw := range t.env.Gateways() {
		s := traffic.NewSession(t.env.Clients()[0], gw.Data, t.env.Recorder(), traffic.Options{Stream: "trial"})
		for i := range trialRequests {
			if r := s.Do(ctx, traffic.Request{Host: trialHost, Target: "/trial"}); r.Backend() != t.back[by].Ref || r.Reply.Status != http.StatusOK {
				return "", fmt.Errorf("%s: request %d of %d: got %s, want 200 from %q", gw.Ref, i+1, trialRequests, answered(r), t.back[by].Ref)
			}
		}
	}
	return fmt.Sprintf("%d requests to each gateway, all by %s", trialRequests, t.back[by].Ref), nil
}

func (t *trial) reload(ctx context.Context) (string, error) {
	if p := t.env.fleet.process(t.env.Gateways()[0].Ref); p.ReloadSignal == "" && len(p.ReloadArgv) == 0 {
		return "the driver has no reload", nil
	}
	for _, gw := range t.env.Gateways() {
		if err := t.env.Reload(ctx, gw.Ref); err != nil {
			return "", err
		}
	}
	return "told", nil
}

// drain ends the first gateway while a request is under way. What becomes of the
// request is for the cases to judge; here it is only told.
func (t *trial) drain(ctx context.Context) (string, error) {
	gw := t.env.Gateways()[0]
	s := traffic.NewSession(t.env.Clients()[0], gw.Data, t.env.Recorder(), traffic.Options{Stream: "trial"})
	before := t.back[1].Server.Requests()
	slow := make(chan traffic.Result, 1)
	go func() {
		slow <- s.Do(ctx, traffic.Request{Host: trialHost, Target: "/slow"}.With(echo.HeaderDelay, "1s"))
	}()
	pace := time.NewTicker(pollPace)
	defer pace.Stop()
	for t.back[1].Server.Requests() == before {
		select {
		case <-pace.C:
		case r := <-slow:
			return "", fmt.Errorf("the slow request was answered before it arrived: %s", answered(r))
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
	if err := t.env.Drain(ctx, gw.Ref); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s ended; the request of 1s under way got %s", gw.Ref, answered(<-slow)), nil
}

// DriverFile reads a driver by name or path, and finds its program. The program's
// absence is *driver.NotInstalled beside a good manifest.
func DriverFile(name, binary, binDir string) (*driver.Manifest, string, error) {
	m, err := loadDriver(name)
	if err != nil {
		return nil, "", err
	}
	program, err := m.Locate(binDir, binary)
	return m, program, err
}

// Version is what a gateway says about itself; empty when its driver does not ask.
func Version(ctx context.Context, m *driver.Manifest, program, binDir string) (string, error) {
	v := driver.Sample()
	v.Bin, v.Binary = binDir, program
	p, err := m.Render(v)
	if err != nil || len(p.IdentifyArgv) == 0 {
		return "", err
	}
	return askVersion(ctx, p.IdentifyArgv, m.Identify.Match)
}
