package traffic

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
)

// A Stream is a load under way.
type Stream struct {
	load     Load
	rec      *history.Recorder
	sessions []*Session    // of the clients, in order
	mix      []prepared    // as Load.Mix, or GET /
	prefix   string        // of the ids of operations
	stopping chan struct{} // closed: no further request begins
	cutting  context.CancelFunc
	drained  chan struct{} // closed: no request is under way
	once     sync.Once
	health   pulse

	probing sync.Mutex // one Stop at a time
	probed  bool       // the last request has been sent
	broken  error      // what became of it
}

// Start begins sending what Load.Shot says. It returns at once; requests fail or
// not as they may. The stream ends by Stop, not by ctx. The request of shot n has
// the id "<stream>-<n>". A second stream of one name in one run gets another, with
// ".2", and so on: see Load.
func Start(ctx context.Context, clients []Client, rec *history.Recorder, l Load) (*Stream, error) {
	if err := l.check(clients); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start load %q: %w", l.Name, err)
	}
	run, cut := context.WithCancel(context.WithoutCancel(ctx))
	prefix, _ := rec.Reserve(idOf(l.Name))
	if prefix != idOf(l.Name) {
		l.Name = prefix
	}
	s := &Stream{load: l, rec: rec, prefix: prefix, stopping: make(chan struct{}), cutting: cut, drained: make(chan struct{})}
	for i, c := range clients {
		o := Options{Stream: l.Name, Timeout: l.Timeout, KeepBody: 1, Headers: l.Headers}
		if l.Conns.Keep > 0 {
			// The connections are shared out; every client gets at least one.
			o.Conns.Keep = max(1, (l.Conns.Keep+len(clients)-1-i)/len(clients))
		}
		s.sessions = append(s.sessions, newSession(c, l.To, rec, o, l.Name+"/"+string(c.Ref)))
	}
	for _, w := range l.Mix {
		s.mix = append(s.mix, w.prepare(l.To.String()))
	}
	if len(s.mix) == 0 {
		s.mix = []prepared{Request{}.prepare(l.To.String())}
	}
	if l.Rate > 0 {
		go s.paced(run)
	} else {
		go s.closedLoop(run)
	}
	return s, nil
}

// Load is the load as it is sent, with the name that the stream has in the history.
func (s *Stream) Load() Load { return s.load }

// paced sends each shot at its moment, whatever has become of those before.
func (s *Stream) paced(ctx context.Context) {
	var running sync.WaitGroup
	defer close(s.drained)
	defer running.Wait()
	idle := make(chan Shot) // a worker that has nothing to do receives from it
	defer close(idle)
	slots := make(chan struct{}, MaxInFlight)
	start := s.rec.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for shot := range s.load.Shots(len(s.sessions)) {
		if !s.until(timer, start+shot.At) {
			return
		}
		select {
		case slots <- struct{}{}:
		case <-s.stopping:
			return
		}
		work := func(shot Shot) {
			s.fire(ctx, shot, start+shot.At)
			<-slots
		}
		select {
		case idle <- shot:
		default: // all are at work: one more, who stays
			running.Go(func() {
				work(shot)
				for shot := range idle {
					work(shot)
				}
			})
		}
	}
}

// until waits for a moment of the run; false when the stream ends before.
func (s *Stream) until(timer *time.Timer, at time.Duration) bool {
	wait := at - s.rec.Now()
	if wait <= 0 {
		select {
		case <-s.stopping:
			return false
		default:
			return true
		}
	}
	timer.Reset(wait)
	select {
	case <-timer.C:
		return true
	case <-s.stopping:
		return false
	}
}

// closedLoop keeps a fixed number of requests under way.
func (s *Stream) closedLoop(ctx context.Context) {
	var running sync.WaitGroup
	var next atomic.Uint64
	for range s.load.Workers {
		running.Go(func() {
			for {
				select {
				case <-s.stopping:
					return
				default:
				}
				s.fire(ctx, s.load.Shot(next.Add(1)-1, len(s.sessions)), s.rec.Now())
			}
		})
	}
	running.Wait()
	close(s.drained)
}

// fire sends one shot and waits for its end.
func (s *Stream) fire(ctx context.Context, shot Shot, intended time.Duration) {
	p := s.mix[max(0, shot.Pick)]
	if shot.Slow > 0 {
		p.Request = p.With(echo.HeaderDelay, shot.Slow.String())
	}
	s.health.begin(shot.N, intended)
	s.health.end(shot.N, s.sessions[shot.Client].do(ctx, p, opID(s.prefix, shot.N), intended).Op)
}

// Stop sends nothing new and waits for the requests under way; when ctx ends
// first they are cut and recorded as such. Then one more request on a fresh
// connection must succeed: a path that is broken at the end makes the whole
// history doubtful. The history holds the stream's operations, the arrivals
// that belong to them or to nobody, and everything else of the run; it is
// returned also together with an error. Stop may be called more than once; what the
// last request found is not asked again: a load that has ended sends nothing.
func (s *Stream) Stop(ctx context.Context) (*history.History, error) {
	var err error
	s.once.Do(func() { close(s.stopping) })
	select {
	case <-s.drained:
	case <-ctx.Done():
		err = fmt.Errorf("drain load %q: %w", s.load.Name, ctx.Err())
	}
	s.cutting()
	<-s.drained
	for _, session := range s.sessions {
		session.Close()
	}
	if err == nil && !s.load.NoFinalProbe {
		err = s.probeOnce(ctx)
	}
	h := s.rec.Snapshot().Only(func(o history.Op) bool { return o.Stream == s.load.Name })
	return h, err
}

func (s *Stream) probeOnce(ctx context.Context) error {
	s.probing.Lock()
	defer s.probing.Unlock()
	if !s.probed {
		s.probed, s.broken = true, s.probe(ctx)
	}
	return s.broken
}

func (s *Stream) probe(ctx context.Context) error {
	var req Request
	if len(s.load.Mix) > 0 {
		req = s.load.Mix[0].Request
	}
	o := Options{Stream: s.load.Name, Timeout: s.load.Timeout, KeepBody: 1}
	session := newSession(s.sessions[0].client, s.load.To, s.rec, o, s.load.Name+"/probe")
	r := session.Do(ctx, req)
	if r.Op.Outcome == history.OK {
		return nil
	}
	err := r.Err
	if err == nil {
		err = errors.New(r.Op.Error)
	}
	return fmt.Errorf("final probe of load %q (op %s): %w", s.load.Name, r.Op.ID, err)
}
