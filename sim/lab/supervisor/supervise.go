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
	"sync"
	"time"

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

// downLimit bounds the taking down of a lab.
const downLimit = 30 * time.Second

// A supervisor owns one lab.
type supervisor struct {
	entry   Entry
	log     *slog.Logger
	cancel  context.CancelCauseFunc // ends the bringing up
	stop    chan struct{}           // closed when the lab is to go
	stopped sync.Once
	gone    chan struct{} // closed when it is down

	mu  sync.Mutex
	lab *lab.Lab // nil while it comes up
}

var errAbandoned = errors.New("the command that brought the lab up has died")

// Supervise is the supervisor: it brings the lab up, serves its clients and ends
// when the lab is down. It runs in the inner process of a sandbox, with the files
// of Launch.
func Supervise() error {
	if _, err := unix.FcntlInt(fdLifeline, unix.F_GETFD, 0); err != nil {
		return fmt.Errorf("supervise: this command is started by lbsim up alone")
	}
	// Each descriptor is wrapped once and closed by its wrapper alone: closing a
	// number twice closes somebody else's file.
	orders, socket := os.NewFile(fdOrder, "order"), os.NewFile(fdSocket, "socket")
	var o order
	err := json.NewDecoder(orders).Decode(&o)
	orders.Close()
	if err != nil {
		return fmt.Errorf("supervise: read order: %w", err)
	}
	l, err := net.FileListener(socket)
	socket.Close() // the listener has a copy
	if err != nil {
		return fmt.Errorf("supervise: take over socket: %w", err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	s := &supervisor{
		entry: o.Entry, cancel: cancel, stop: make(chan struct{}), gone: make(chan struct{}),
		log: slog.New(slog.NewJSONHandler(os.Stderr, nil)),
	}
	report := os.NewFile(fdReport, "report")
	go s.watchLauncher(os.NewFile(fdLifeline, "lifeline"))
	go s.watchSignals()
	go s.serve(l)
	return s.run(ctx, o, report)
}

func (s *supervisor) run(ctx context.Context, o order, report *os.File) error {
	tell := func(e event) { _ = json.NewEncoder(report).Encode(e) } // the launcher may be gone
	running, err := lab.Up(ctx, o.Plan, lab.Options{
		BinDir: o.BinDir, Dir: o.Entry.Dir, Log: s.log,
		Progress: func(st lab.Step) { tell(event{Step: &st}) },
	})
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause // it failed because it was called off
		}
		var missing *lab.Unavailable
		if errors.As(err, &missing) {
			err = missing // one line
		}
		tell(event{Error: err.Error(), Unavailable: missing != nil})
		close(s.gone)
		return err
	}
	s.mu.Lock()
	s.lab = running
	s.mu.Unlock()
	tell(event{Ready: true})
	report.Close()
	<-s.stop
	down, cancel := context.WithTimeout(context.Background(), downLimit)
	defer cancel()
	err = running.Down(down)
	close(s.gone)
	return err
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
	if s.running() == nil {
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
	var cannot *fault.Unavailable
	if err != nil {
		return reply{Error: err.Error(), Input: errors.As(err, &cannot)}
	}
	return reply{Faults: []lab.FaultStatus{{ID: a.ID(), Text: f.String(), Since: a.Window().From}}}
}

// heal reverts faults, the last one first.
func (s *supervisor) heal(ctx context.Context, r request) reply {
	wanted := map[string]bool{}
	for _, id := range r.IDs {
		wanted[id] = true
	}
	var out reply
	active := s.running().Active()
	for i := len(active) - 1; i >= 0; i-- {
		a := active[i]
		if len(wanted) > 0 && !wanted[a.ID()] {
			continue
		}
		delete(wanted, a.ID())
		if err := a.Heal(ctx); err != nil {
			out.Error = err.Error()
			return out
		}
		out.Faults = append(out.Faults, lab.FaultStatus{ID: a.ID(), Text: a.Fault().String(), Since: a.Window().From})
	}
	for id := range wanted {
		return reply{Error: fmt.Sprintf("no active fault %q", id), Input: true}
	}
	return out
}
