package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/impl/handover"
	"github.com/unilb/unilb/impl/obs"
)

// sideServer serves a listener that is for those who run the gateway: of the status or of
// the control API. A nil one serves nothing.
type sideServer struct {
	name  string // of its socket
	ln    net.Listener
	srv   *http.Server
	log   *slog.Logger
	begun sync.Once
	ended chan struct{} // closed when it accepts no more
	conns atomic.Int64
}

// openSide opens such a listener, or takes over that of the predecessor: which then
// answers until serve is called here, because it serves and we do not.
func openSide(name, address string, heir *handover.Heir, h http.Handler, log *slog.Logger) (*sideServer, error) {
	const limit = 10 * time.Second
	s := &sideServer{name: name, log: log, ended: make(chan struct{})}
	s.srv = &http.Server{Handler: h, ReadHeaderTimeout: limit, IdleTimeout: 2 * time.Minute, ConnState: s.count}
	var err error
	if fds := heir.Take(name); len(fds) > 0 {
		s.ln, err = adopt(fds)
	} else if s.ln, err = net.Listen("tcp", address); err == nil {
		s.serve()
	}
	if err != nil {
		return nil, fmt.Errorf("%s listener: %w", name, err)
	}
	return s, nil
}

func (s *sideServer) count(_ net.Conn, to http.ConnState) {
	switch to {
	case http.StateNew:
		s.conns.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.conns.Add(-1)
	}
}

// serve begins to answer. Idempotent.
func (s *sideServer) serve() {
	if s == nil {
		return
	}
	s.begun.Do(func() {
		go func() {
			defer close(s.ended)
			if err := s.srv.Serve(s.ln); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				s.log.Error("listener ended", "listener", s.name, obs.Err, err)
			}
		}()
	})
}

// leave stops accepting at once, which the successor does; who has asked, or is about to on
// a connection that is new, is answered still. Shutdown would not: the library hangs up on
// requests that it reads later. Only after serve.
func (s *sideServer) leave() {
	if s == nil {
		return
	}
	_ = s.ln.Close() // it only fails when it is closed already
	<-s.ended
	s.srv.SetKeepAlivesEnabled(false) // and closes those that are idle
}

// open is the number of its connections.
func (s *sideServer) open() int64 {
	if s == nil {
		return 0
	}
	return s.conns.Load()
}

// close ends it. Idempotent.
func (s *sideServer) close() {
	if s == nil {
		return
	}
	_ = s.srv.Close() // what is cut here asks again
	_ = s.ln.Close()
}
