package certs

import (
	"crypto/tls"
	"strings"
	"sync/atomic"
	"time"
)

// Options of a Server.
type Options struct {
	// Fallback is the name that is served to clients which ask for none; empty:
	// they get no handshake.
	Fallback string
	// Secret is what session tickets are sealed with, 32 bytes or more that all
	// gateways of a cluster share and nobody else knows: then a client resumes its
	// session with any of them, also after a restart. Shorter: no tickets are made.
	Secret []byte
	// Protocols are offered by ALPN, the best first; nil: http/1.1.
	Protocols []string
	// Now is the clock that staples expire by; nil: none is served.
	Now func() time.Time
}

// Server is the TLS side of listeners: it serves the table that it was given last.
type Server struct {
	o      Options
	table  atomic.Pointer[Table]
	keys   *tls.Config // holds the keys of tickets, and nothing else
	config *tls.Config
}

// NewServer returns a server of an empty table.
func NewServer(o Options, now time.Time) *Server {
	if o.Protocols == nil {
		o.Protocols = []string{"http/1.1"}
	}
	s := &Server{o: o, keys: &tls.Config{}}
	s.o.Fallback = strings.ToLower(o.Fallback)
	s.table.Store(&Table{})
	s.config = &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: s.hello}
	s.Rotate(now)
	return s
}

// Use serves a table to all handshakes that begin from now on. Connections that
// stand are not touched; Table.Admits looks at their requests.
func (s *Server) Use(t *Table) { s.table.Store(t) }

// Config is what listeners give to crypto/tls. It stays the same whatever table is
// in use, and must not be changed.
func (s *Server) Config() *tls.Config { return s.config }

// strangers is for clients that ask for a name which nobody has: without a
// certificate the handshake ends with the alert unrecognized_name, and no session
// of earlier times is resumed.
var strangers = &tls.Config{MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true}

func (s *Server) named(name string) string {
	if name == "" {
		return s.o.Fallback
	}
	return strings.ToLower(name)
}

// hello says how a handshake goes on that begins so.
func (s *Server) hello(h *tls.ClientHelloInfo) (*tls.Config, error) {
	c := s.table.Load().Lookup(s.named(h.ServerName))
	if c == nil {
		return strangers, nil
	}
	conf := &tls.Config{
		MinVersion: c.min, MaxVersion: c.max, NextProtos: s.o.Protocols,
		// Small records at first help a client only that draws before all has come, and cost
		// all others; nginx does not make them either.
		DynamicRecordSizingDisabled: true,
		GetCertificate:              func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return c.choose(h).at(s.o.Now), nil },
	}
	if c.Client != nil {
		c.Client.demand(conf)
	}
	s.bind(conf, c)
	return conf, nil
}
