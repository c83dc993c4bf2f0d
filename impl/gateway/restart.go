package gateway

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/handover"
	"github.com/unilb/unilb/impl/obs"
)

// Names of the sockets that a process leaves to the next.
const (
	statusSocket   = "status"
	controlSocket  = "control"
	listenerSocket = "listener " // and its address, as it was asked for
)

const (
	restartTimeout = time.Minute // when Options has none
	// leaveCheck is how often a process that was succeeded looks whether all have gone.
	leaveCheck = 100 * time.Millisecond
	// tellEvery and logEvery are how often it says how many have not: to its successor, and
	// in its log.
	tellEvery = time.Second
	logEvery  = 5 * time.Second
)

// succeed starts a successor and waits until it could serve. It returns nil, and has said
// why, when nobody will take over: this process then goes on as before.
func (g *Gateway) succeed(ctx context.Context) *handover.Successor {
	o := &g.o
	if o.Successor.Path == "" || !g.serving.Load() {
		o.Log.Warn("no restart: this process cannot be succeeded, or is starting itself")
		return nil
	}
	legacy, err := g.legacy()
	if err != nil {
		o.Log.Error("restart failed, going on as before", obs.Err, err)
		return nil
	}
	s, err := handover.Start(o.Successor, legacy)
	closeSockets(legacy.Sockets)
	if err != nil {
		o.Log.Error("restart failed, going on as before", obs.Err, err)
		return nil
	}
	o.Log.Info("restart: successor started", "pid", s.PID(), "path", o.Successor.Path)
	limit := o.RestartTimeout
	if limit == 0 {
		limit = restartTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		s.Stop()
		o.Log.Error("restart failed, going on as before", "pid", s.PID(), obs.Err, err)
		return nil
	}
	return s
}

// legacy is what a successor gets. Its sockets are the caller's to close.
func (g *Gateway) legacy() (handover.Legacy, error) {
	sockets, err := g.listeners.sockets()
	if err != nil {
		return handover.Legacy{}, err
	}
	for _, side := range []*sideServer{g.status, g.control} {
		if side == nil {
			continue
		}
		fds, err := stdEngine{}.Sockets(side.ln)
		for _, fd := range fds {
			sockets = append(sockets, handover.Socket{Name: side.name, FD: fd})
		}
		if err != nil {
			closeSockets(sockets)
			return handover.Legacy{}, err
		}
	}
	return handover.Legacy{Sockets: sockets, TicketSecret: g.o.TicketSecret}, nil
}

func closeSockets(sockets []handover.Socket) {
	for _, s := range sockets {
		_ = unix.Close(s.FD)
	}
}

// handOver leaves to a successor that is ready what only one process may do: to report
// for this node. It tells whether there is a successor still.
func (g *Gateway) handOver(background context.Context, s *handover.Successor) bool {
	g.reporting.end() // or our last report could follow its first
	g.last.end()
	if err := s.Yours(); err != nil {
		g.o.Log.Error("restart failed, going on as before", "pid", s.PID(), obs.Err, err)
		g.reporting.begin(background, g.node)
		g.last.begin(background)
		return false
	}
	// The service manager follows the successor from now on. It believes this process,
	// which was the main one.
	if err := obs.MainPID(s.PID()); err != nil {
		g.o.Log.Warn("the service manager does not know the successor", "pid", s.PID(), obs.Err, err)
	}
	return true
}

// leave accepts no more, which the successor does, and waits until clients have gone by
// themselves: each is asked with its next answer, or by GOAWAY. A connection that is idle
// may carry a request at any moment, so those are closed only in the last tenth of
// DrainTimeout. The node still calls itself serving where it is asked on old connections:
// it is, by another process.
func (g *Gateway) leave(hard context.Context, s *handover.Successor) {
	log := g.o.Log.With("successor", s.PID())
	log.Info("handed over, draining", "in_flight", g.engine.InFlight(), "connections", g.engine.Numbers().Open)
	end := time.Now().Add(g.o.DrainTimeout)
	last := end.Add(-g.o.DrainTimeout / 10)
	g.status.leave()
	g.control.leave()
	g.listeners.close()
	g.engine.SendAway()
	var told, logged time.Time
	tick := time.NewTicker(leaveCheck)
	defer tick.Stop()
	for now := time.Now(); now.Before(last) && hard.Err() == nil; {
		p := handover.Progress{PID: os.Getpid(), InFlight: g.engine.InFlight(), Connections: int(g.engine.Numbers().Open),
			SecondsLeft: int((end.Sub(now) + time.Second - 1) / time.Second)}
		if p.Connections == 0 && g.status.open() == 0 && g.control.open() == 0 {
			break
		}
		if now.Sub(told) >= tellEvery {
			told = now
			s.Tell(p)
		}
		if now.Sub(logged) >= logEvery {
			logged = now
			log.Info("draining", "in_flight", p.InFlight, "connections", p.Connections, "seconds_left", p.SecondsLeft)
		}
		select {
		case now = <-tick.C:
		case <-hard.Done():
		}
	}
	ctx, cancel := context.WithDeadline(hard, end)
	defer cancel()
	if err := g.engine.Shutdown(ctx); err != nil {
		log.Warn("connections were cut", obs.Err, err)
	}
	log.Info("drained")
}

// inherit tells the predecessor, if there is one, that we could serve, and waits until it
// has left the rest to us. False: this process is to end before that.
func (g *Gateway) inherit(ctx context.Context) bool {
	if g.o.Heir == nil {
		return true
	}
	g.o.Heir.Ready(ctx)
	if ctx.Err() != nil {
		return false
	}
	for _, name := range g.o.Heir.CloseRest() {
		g.o.Log.Info("inherited socket closed, nobody wants it", "name", name)
	}
	return true
}

// sockets returns duplicates of all listening sockets. They are the caller's to close.
func (l *listeners) sockets() ([]handover.Socket, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []handover.Socket
	add := func(ln opened) error {
		fds, err := l.engine.Sockets(ln.Listener)
		for _, fd := range fds {
			out = append(out, handover.Socket{Name: listenerSocket + ln.address, FD: fd})
		}
		return err
	}
	for _, ln := range l.static {
		if err := add(ln); err != nil {
			closeSockets(out)
			return nil, err
		}
	}
	for _, ln := range l.open {
		if err := add(ln); err != nil {
			closeSockets(out)
			return nil, err
		}
	}
	return out, nil
}

// reporting is a node's registration and report under way.
type reporting struct {
	stop context.CancelFunc
	done chan struct{}
}

func (r *reporting) begin(ctx context.Context, n interface{ Run(context.Context) error }) {
	ctx, r.stop = context.WithCancel(ctx)
	done := make(chan struct{})
	r.done = done
	go func() {
		defer close(done)
		_ = n.Run(ctx) // ends with ctx only: New has seen the registration
	}()
}

// end returns when nothing more is written. Idempotent.
func (r *reporting) end() {
	r.stop()
	<-r.done
}
