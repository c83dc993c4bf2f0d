package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
)

// Descriptors that Launch hands to the supervisor.
const (
	fdSocket = 3 + iota
	fdOrder
	fdReport
	fdLifeline
)

// A supervisor owns one lab.
type supervisor struct {
	entry   Entry
	log     *slog.Logger
	cancel  context.CancelCauseFunc // ends the bringing up
	stop    chan struct{}           // closed when the lab is to go
	stopped sync.Once
	gone    chan struct{} // closed when it is down

	mu      sync.Mutex
	lab     *lab.Lab // nil while it comes up
	working bool     // a job is under way
}

var errAbandoned = errors.New("the command that brought the lab up has died")

// Supervise is the supervisor: it brings the lab up, serves its clients and ends
// when the lab is down. It runs in the inner process of a sandbox, with the files
// of Launch or Run. Jobs turns what Run was given into a job; the exit code is the
// job's.
func Supervise(jobs JobFunc) (int, error) {
	if _, err := unix.FcntlInt(fdLifeline, unix.F_GETFD, 0); err != nil {
		return 0, fmt.Errorf("supervise: this command is started by lbsim up alone")
	}
	// Each descriptor is wrapped once and closed by its wrapper alone: closing a
	// number twice closes somebody else's file.
	orders, socket := os.NewFile(fdOrder, "order"), os.NewFile(fdSocket, "socket")
	var o order
	err := json.NewDecoder(orders).Decode(&o)
	orders.Close()
	if err != nil {
		return 0, fmt.Errorf("supervise: read order: %w", err)
	}
	l, err := net.FileListener(socket)
	socket.Close() // the listener has a copy
	if err != nil {
		return 0, fmt.Errorf("supervise: take over socket: %w", err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	s := &supervisor{
		entry: o.Entry, cancel: cancel, stop: make(chan struct{}), gone: make(chan struct{}),
		log: slog.New(slog.NewJSONHandler(os.Stderr, nil)),
	}
	report := os.NewFile(fdReport, "report")
	job, err := makeJob(jobs, o.Job)
	if err != nil {
		return 0, fmt.Errorf("supervise: %w", err)
	}
	s.working = len(o.Job) > 0
	go s.watchLauncher(os.NewFile(fdLifeline, "lifeline"))
	go s.watchSignals()
	go s.serve(l)
	if !s.working {
		return 0, s.run(ctx, o, report)
	}
	return s.runJob(ctx, job, o, report), nil
}

// teller sends what happens to the process that launched us, which may be gone.
func teller(report *os.File) func(event) {
	var mu sync.Mutex
	return func(e event) {
		mu.Lock()
		defer mu.Unlock()
		_ = json.NewEncoder(report).Encode(e)
	}
}

// run is the life of a lab without a job.
func (s *supervisor) run(ctx context.Context, o order, report *os.File) error {
	defer close(s.gone)
	tell := teller(report)
	running, err := bringUp(ctx, o.Plan, s.options(o, tell))
	s.show(running)
	if err != nil {
		var missing *lab.Unavailable
		tell(event{Error: err.Error(), Unavailable: errors.As(err, &missing)})
		return err
	}
	tell(event{Ready: true})
	report.Close()
	<-s.stop
	return takeDown(running)
}

// runJob is the life of a lab with one.
func (s *supervisor) runJob(ctx context.Context, job Job, o order, report *os.File) int {
	defer close(s.gone)
	tell := teller(report)
	say := func(v any) {
		line, err := json.Marshal(v)
		if err != nil {
			s.log.Error("cannot say what happens", "err", err)
			return
		}
		tell(event{Said: line})
	}
	code, kept := Do(ctx, job, o.Plan, s.options(o, tell), s.show, say)
	s.mu.Lock()
	s.working = false
	stays := kept != nil && ctx.Err() == nil
	s.mu.Unlock()
	tell(event{Done: &done{Code: code, Kept: stays}})
	report.Close()
	if stays {
		<-s.stop
	}
	if kept != nil {
		if err := takeDown(kept); err != nil {
			s.log.Error("lab was not taken down completely", "err", err)
		}
	}
	return code
}

// options are those of every lab of a supervisor.
func (s *supervisor) options(o order, tell func(event)) lab.Options {
	return lab.Options{
		BinDir: o.BinDir, Dir: o.Entry.Dir, Log: s.log,
		Progress: func(st lab.Step) { tell(event{Step: &st}) },
	}
}

// show lets clients see the lab; nil hides nothing.
func (s *supervisor) show(l *lab.Lab) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lab = l
}

// end begins to take the lab down.
func (s *supervisor) end(why error) {
	s.stopped.Do(func() {
		s.log.Info("lab is taken down", "why", why.Error())
		s.cancel(why)
		close(s.stop)
	})
}

// watchLauncher ends a lab whose launcher died before it was up. The launcher
// closes its end, too, when it has seen the lab come up.
func (s *supervisor) watchLauncher(f *os.File) {
	_, _ = io.Copy(io.Discard, f)
	s.mu.Lock()
	comingUp, working := s.lab == nil, s.working
	s.mu.Unlock()
	switch {
	case working:
		s.end(errInterrupted)
	case comingUp:
		s.end(errAbandoned)
	}
}

func (s *supervisor) watchSignals() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT)
	s.end(fmt.Errorf("signal %v", <-signals))
}

func (s *supervisor) running() *lab.Lab {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lab
}

func (s *supervisor) inject(ctx context.Context, r request) reply {
	f, err := fault.Decode(r.Fault)
	if err != nil {
		return reply{Error: err.Error(), Input: true}
	}
	a, err := s.running().Inject(ctx, f)
	if err != nil {
		var cannot *fault.Unavailable
		is := errors.As(err, &cannot)
		return reply{Error: err.Error(), Input: is && !cannot.Machine, Unavailable: is && cannot.Machine}
	}
	return reply{Faults: []lab.FaultStatus{{ID: a.ID(), Text: f.String(), Since: a.Window().From}}}
}

// heal reverts faults, all of them when none is named, and says which it did.
func (s *supervisor) heal(ctx context.Context, r request) reply {
	active := s.running().Active()
	for _, id := range r.IDs {
		if !slices.ContainsFunc(active, func(a *fault.Active) bool { return a.ID() == id }) {
			return reply{Error: fmt.Sprintf("no active fault %q", id), Input: true}
		}
	}
	if len(r.IDs) > 0 {
		active = slices.DeleteFunc(active, func(a *fault.Active) bool { return !slices.Contains(r.IDs, a.ID()) })
	}
	var out reply
	if err := fault.HealAll(ctx, active); err != nil {
		out.Error = err.Error()
	}
	for _, a := range active {
		if a.Healed() {
			out.Faults = append(out.Faults, lab.FaultStatus{ID: a.ID(), Text: a.Fault().String(), Since: a.Window().From})
		}
	}
	return out
}
