package echo

import (
	"net/http"
	"strings"
	"time"
	"unique"

	"github.com/unilb/unilb/sim/history"
)

// exchange serves one request; false ends the connection.
func (s *Server) exchange(c *conn, q *request) bool {
	at := s.now()
	b, refused := s.behaviourFor(q)
	body, framing := q.body(&c.r)
	if refused != nil || framing != nil {
		b = Behaviour{Status: http.StatusBadRequest}
	}
	id := q.Get(HeaderOpID)
	a := history.Arrival{
		ID: id, Backend: s.o.Ref, VNI: s.o.VNI, From: c.from, At: at, Cut: framing != nil, Unread: body != nil && b.Unread,
		Seen: history.Request{Method: q.method, Target: q.target, Proto: q.proto, Host: q.Get("Host"), Header: q.Fields},
	}
	if body != nil && !b.Unread {
		a.Cut = c.receive(q, body, &a.Seen) != nil
	}
	probe := q.target == s.o.HealthPath
	if probe {
		switch Health(s.health.Load()) {
		case Sick:
			b.Status = http.StatusServiceUnavailable
		case Hanging:
			b.Hang = true
		}
	}
	p := s.payloadOf(c, q, b, id, a.Seen)
	if probe && id == "" {
		s.probes.Add(1)
	} else {
		s.requests.Add(1)
		if framing != nil || !a.Cut {
			a.Answer = p.answer(b)
		}
		s.record(a)
	}
	switch {
	case a.Cut && framing == nil:
		return false
	case b.Hang:
		s.hold(c, a.Unread)
		return false
	}
	again := s.answer(c, b, p)
	if again && a.Unread {
		s.hold(c, true)
	}
	return again && framing == nil && !a.Unread && !q.close()
}

func (s *Server) now() time.Duration {
	if s.o.Sink == nil {
		return 0
	}
	return s.o.Sink.Now()
}

// record hands an arrival over. All strings of a head share memory, so a lean
// record takes copies, and one copy of what every request has.
func (s *Server) record(a history.Arrival) {
	if s.o.Sink == nil {
		return
	}
	if s.o.Lean {
		a.ID = strings.Clone(a.ID)
		r := &a.Seen
		r.Header = nil
		r.Method, r.Target, r.Proto, r.Host = shared(r.Method), shared(r.Target), shared(r.Proto), shared(r.Host)
	}
	s.o.Sink.Arrival(a)
}

func shared(s string) string { return unique.Make(s).Value() }
