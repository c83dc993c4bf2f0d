package traffic

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
)

// A Stream is a load under way.
type Stream struct {
	load     Load
	rec      *history.Recorder
	sessions []*Session
	stopping chan struct{} // closed: no further request begins
	cutting  context.CancelFunc
	drained  chan struct{} // closed: no request is under way
	once     sync.Once
	slots    chan struct{}

	mu   sync.Mutex
	rng  *rand.Rand
	next int // session of the next request

	health pulse
}

// Start begins sending from all clients in turn. It returns at once; requests
// fail or not as they may. The stream ends by Stop, not by ctx.
func Start(ctx context.Context, clients []Client, rec *history.Recorder, l Load) (*Stream, error) {
	if err := l.check(clients); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("start load %q: %w", l.Name, err)
	}
	run, cut := context.WithCancel(context.WithoutCancel(ctx))
	s := &Stream{
		load: l, rec: rec, stopping: make(chan struct{}), cutting: cut, drained: make(chan struct{}),
		slots: make(chan struct{}, MaxInFlight),
		rng:   rand.New(rand.NewPCG(l.Seed, uint64(len(clients)))),
	}
	s.health.init()
	for i, c := range clients {
		o := Options{Stream: l.Name, Timeout: l.Timeout, KeepBody: 1, Headers: l.Headers}
		if l.Conns.Keep > 0 {
			// The connections are shared out; every client gets at least one.
			o.Conns.Keep = max(1, (l.Conns.Keep+len(clients)-1-i)/len(clients))
		}
		s.sessions = append(s.sessions, NewSession(c, l.To, rec, o))
	}
	if l.Rate > 0 {
		go s.paced(run)
	} else {
		go s.closedLoop(run)
	}
	return s, nil
}

// paced sends at a fixed rate.
func (s *Stream) paced(ctx context.Context) {
	var running sync.WaitGroup
	defer close(s.drained)
	defer running.Wait()
	gap := time.Duration(float64(time.Second) / s.load.Rate)
	start := s.rec.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := 0; ; n++ {
		at := start + time.Duration(n)*gap
		timer.Reset(at - s.rec.Now())
		select {
		case <-timer.C:
		case <-s.stopping:
			return
		}
		select {
		case s.slots <- struct{}{}:
		case <-s.stopping:
			return
		}
		running.Go(func() {
			defer func() { <-s.slots }()
			s.one(ctx, at)
		})
	}
}

// closedLoop keeps a fixed number of requests under way.
func (s *Stream) closedLoop(ctx context.Context) {
	var running sync.WaitGroup
	for range s.load.Workers {
		running.Go(func() {
			for {
				select {
				case <-s.stopping:
					return
				default:
				}
				s.one(ctx, s.rec.Now())
			}
		})
	}
	running.Wait()
	close(s.drained)
}

func (s *Stream) one(ctx context.Context, intended time.Duration) {
	session, req := s.choose()
	s.health.add(session.DoAt(ctx, req, intended).Op)
}

// choose picks the client and the request.
func (s *Stream) choose() (*Session, Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	session := s.sessions[s.next%len(s.sessions)]
	s.next++
	var req Request
	if n := len(s.load.Mix); n > 0 {
		total := 0
		for _, w := range s.load.Mix {
			total += max(1, w.Weight)
		}
		pick := s.rng.IntN(total)
		for _, w := range s.load.Mix {
			if pick -= max(1, w.Weight); pick < 0 {
				req = w.Request
				break
			}
		}
	}
	if s.load.Slow > 0 {
		d := time.Duration(float64(s.load.Slow) * (0.8 + 0.4*s.rng.Float64()))
		req = req.With(echo.HeaderDelay, d.Round(time.Millisecond).String())
	}
	return session, req
}

// Stop sends nothing new and waits for the requests under way; when ctx ends
// first they are cut and recorded as such. Then one more request on a fresh
// connection must succeed: a path that is broken at the end makes the whole
// history doubtful. The history holds the stream's operations, the arrivals
// that belong to them or to nobody, and everything else of the run; it is
// returned also together with an error. Stop may be called more than once.
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
		err = s.probe(ctx)
	}
	h := s.rec.Snapshot().Only(func(o history.Op) bool { return o.Stream == s.load.Name })
	return h, err
}

func (s *Stream) probe(ctx context.Context) error {
	var req Request
	if len(s.load.Mix) > 0 {
		req = s.load.Mix[0].Request
	}
	session := NewSession(s.sessions[0].client, s.load.To, s.rec, Options{Stream: s.load.Name, Timeout: s.load.Timeout, KeepBody: 1})
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
