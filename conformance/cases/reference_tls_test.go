package cases

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// startTLS serves the data plane over TLS, too, until the test ends.
func (g *reference) startTLS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.tls = netip.MustParseAddrPort(l.Addr().String())
	g.serveTLS(l)
	t.Cleanup(func() { _, _ = g.secure.Close(), g.http2.Load().Close() })
}

// serveTLS serves what a listener gives.
func (g *reference) serveTLS(l net.Listener) {
	srv := &http.Server{Handler: g.byName(g.handler), TLSConfig: &tls.Config{GetConfigForClient: g.hello}, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}
	g.secure = srv
	g.startHTTP2()
	srv.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){"h2": g.multiplex}
	if g.is("promises h2") {
		srv.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	}
	if g.is("shakes hands one after the other") {
		go func() { _ = srv.Serve(oneByOne{l, srv.TLSConfig}) }()
	} else {
		go func() { _ = srv.ServeTLS(spoiling{l, g}, "", "") }()
	}
}

// byName stands before the handler of requests over TLS.
func (g *reference) byName(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil && !g.is("checks clients by the handshake's name") {
			g.mu.Lock()
			o := g.certificateFor(strings.ToLower(r.Host))
			g.mu.Unlock()
			if o != nil && !g.admits(o.value, r) {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			if o != nil {
				r = r.WithContext(context.WithValue(r.Context(), verified{}, g.verified(o.value, r)))
			}
		}
		if r.TLS != nil && g.is("routes by the handshake's name") {
			r.Host = r.TLS.ServerName
		}
		h.ServeHTTP(w, r)
	})
}

// admits says whether a request may go to a host whose certificate says this.
func (g *reference) admits(o object, r *http.Request) bool {
	conf, ok := o["client"].(object)
	if !ok {
		return true
	}
	for _, text := range texts(conf, "", "skip_mtls_uri_regex") {
		if regexp.MustCompile(text).MatchString(path.Clean(r.URL.Path)) || g.is("opens all paths when some are open") {
			return true
		}
	}
	if !strings.EqualFold(r.Host, r.TLS.ServerName) {
		return false
	}
	if g.is("looks at clients in handshakes only") || g.is("looks at clients in full handshakes only") || g.is("asks clients and does not look") {
		return true
	}
	shown := r.TLS.PeerCertificates
	if len(shown) == 0 {
		return false
	}
	if len(texts(conf, "", "skip_mtls_uri_regex")) == 0 {
		return true // the handshake has looked
	}
	return g.verify(conf, shown[0]) == nil
}

// scheme is what a client used.
func (g *reference) scheme(r *http.Request) string {
	if r.TLS != nil && !g.is("says http over TLS") {
		return "https"
	}
	return "http"
}

// certificateFor is the object that serves a name; nil: none. g.mu is held.
func (g *reference) certificateFor(name string) *stored {
	view := g.objects
	if g.is("applies late") && time.Since(g.swapped) < 30*time.Millisecond && g.old != nil {
		view = g.old
	}
	var all []*stored
	for at, o := range view {
		off := o.value["status"] == 0.0 && !g.is("serves what is switched off")
		if strings.HasPrefix(at, "ssls/") && !off && (o.value["type"] != "client" || g.is("serves certificates for upstreams")) {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b *stored) int { return a.order - b.order })
	var best *stored
	rank := 0
	for _, o := range all {
		if r := g.fits(texts(o.value, "sni", "snis"), name); r > rank && (best == nil || !g.is("serves the first certificate that fits")) {
			best, rank = o, r
		}
	}
	if len(all) > 0 && (g.is("serves one certificate to all") || best == nil && g.is("falls back to any certificate")) {
		return all[0]
	}
	return best
}

// fits is 2 for the name itself, 1 for a wildcard, 0 for neither.
func (g *reference) fits(snis []string, name string) int {
	for _, s := range snis {
		below, wild := strings.CutPrefix(s, "*.")
		label, rest, _ := strings.Cut(name, ".")
		switch {
		case s == name:
			return 2
		case !wild || g.is("knows no wildcard certificates"):
		case label != "" && rest == below,
			g.is("wildcard certificates cover all below") && strings.HasSuffix(name, "."+below),
			g.is("wildcard certificates cover the domain") && name == below:
			return 1
		}
	}
	return 0
}

// hello is how a handshake goes on that begins so.
func (g *reference) hello(h *tls.ClientHelloInfo) (*tls.Config, error) {
	name := h.ServerName
	if !g.is("compares names with their case") {
		name = strings.ToLower(name)
	}
	g.mu.Lock()
	o := g.certificateFor(name)
	g.mu.Unlock()
	switch {
	case o == nil:
		return nil, errors.New("nobody has that name")
	case g.is("wants h2") && !slices.Contains(h.SupportedProtos, "h2"):
		return nil, errors.New("no h2")
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	c.SetSessionTicketKeys([][32]byte{{1}})
	if err := g.certify(c, o.value); err != nil {
		if o.before == nil || g.is("serves nothing without a secret") {
			return nil, err
		}
		c.Certificates = nil
		if err := g.certify(c, o.before); err != nil {
			return nil, err
		}
	}
	g.versions(c, o.value)
	known := func(p string) bool { return slices.Contains(c.NextProtos, p) }
	switch {
	case g.is("knows no h2"):
		c.NextProtos = c.NextProtos[1:]
	case g.is("ignores unknown protocols") && !slices.ContainsFunc(h.SupportedProtos, known):
		c.NextProtos = nil
	}
	g.clients(c, o.value)
	g.sessions(c)
	return c, nil
}

// certify takes the certificates of an object.
func (g *reference) certify(c *tls.Config, o object) error {
	certs, keys := append([]string{o["cert"].(string)}, texts(o, "", "certs")...), append([]string{o["key"].(string)}, texts(o, "", "keys")...)
	for i := range certs {
		p, err := tls.X509KeyPair([]byte(g.fetched(certs[i])), []byte(g.fetched(keys[i])))
		if err != nil {
			return err
		}
		if g.is("serves the certificate without its chain") {
			p.Certificate = p.Certificate[:1]
		}
		g.staple(&p)
		c.Certificates = append(c.Certificates, p)
	}
	if g.is("serves the first of several certificates") {
		c.Certificates = c.Certificates[:1]
	}
	return nil
}

func (g *reference) versions(c *tls.Config, o object) {
	if list := texts(o, "", "ssl_protocols"); len(list) > 0 && !g.is("has one set of versions") {
		if !slices.Contains(list, "TLSv1.2") {
			c.MinVersion = tls.VersionTLS13
		}
		if !slices.Contains(list, "TLSv1.3") {
			c.MaxVersion = tls.VersionTLS12
		}
	}
	switch {
	case g.is("speaks TLS 1.3 only"):
		c.MinVersion = tls.VersionTLS13
	case g.is("speaks TLS 1.2 only"):
		c.MaxVersion = tls.VersionTLS12
	case g.is("speaks old TLS"):
		c.MinVersion = tls.VersionTLS10
	case g.is("takes weak ciphers"):
		c.CipherSuites = []uint16{
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_RC4_128_SHA, tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA,
			tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA,
		}
	}
}

// clients asks for certificates of clients if the object says so.
func (g *reference) clients(c *tls.Config, o object) {
	conf, ok := o["client"].(object)
	if !ok {
		return
	}
	c.ClientCAs = x509.NewCertPool()
	c.ClientCAs.AppendCertsFromPEM([]byte(conf["ca"].(string)))
	c.ClientAuth = tls.RequireAndVerifyClientCert
	switch {
	case len(texts(conf, "", "skip_mtls_uri_regex")) > 0 && !g.is("wants certificates for every path"):
		c.ClientAuth = tls.RequestClientCert // requests are looked at
	case g.is("asks clients and does not look"):
		c.ClientAuth = tls.RequestClientCert
	case g.is("takes any client certificate"):
		c.ClientAuth = tls.RequireAnyClientCert
	case g.is("looks at clients in full handshakes only"):
		c.ClientAuth = tls.VerifyClientCertIfGiven
		c.VerifyConnection = func(s tls.ConnectionState) error {
			if !s.DidResume && len(s.PeerCertificates) == 0 {
				return errors.New("no certificate")
			}
			return nil
		}
	}
}

// sessions binds each session to its name.
func (g *reference) sessions(c *tls.Config) {
	if g.is("resumes with any name") || g.is("looks at clients in full handshakes only") {
		return
	}
	mark := func(s tls.ConnectionState) []byte { return []byte("name " + s.ServerName) }
	c.WrapSession = func(s tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		ss.Extra = append(ss.Extra, mark(s))
		return c.EncryptTicket(s, ss)
	}
	c.UnwrapSession = func(id []byte, s tls.ConnectionState) (*tls.SessionState, error) {
		ss, err := c.DecryptTicket(id, s)
		if err != nil || ss == nil || !slices.ContainsFunc(ss.Extra, func(b []byte) bool { return bytes.Equal(b, mark(s)) }) {
			return nil, err
		}
		return ss, nil
	}
}

// oneByOne accepts a connection when the handshake of the one before has ended.
type oneByOne struct {
	net.Listener
	config *tls.Config
}

func (l oneByOne) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := tls.Server(raw, l.config)
		_ = raw.SetDeadline(time.Now().Add(10 * time.Second))
		if c.Handshake() == nil {
			return c, raw.SetDeadline(time.Time{})
		}
		_ = raw.Close()
	}
}

// spoiling gives connections that do something wrong below TLS.
type spoiling struct {
	net.Listener
	g *reference
}

func (l spoiling) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	s := &spoilt{Conn: c, r: bufio.NewReaderSize(c, 32<<10), g: l.g}
	if !l.g.is("takes plain HTTP for TLS") {
		return s, nil
	}
	if first, err := s.r.Peek(1); err == nil && first[0] != handshake {
		plain, err := net.Dial("tcp", l.g.data.Listener.Addr().String())
		if err != nil {
			return nil, err
		}
		go func() { _, _ = io.Copy(plain, s.r); _ = plain.Close() }()
		go func() { _, _ = io.Copy(c, plain); _ = c.Close() }()
		return l.Accept()
	}
	return s, nil
}

// Types of TLS records.
const (
	alert     = 21
	handshake = 22
	sealed    = 23
)

type spoilt struct {
	net.Conn
	r     *bufio.Reader
	g     *reference
	began bool
}

const recordHead = 5 // bytes of a TLS record before what it carries

func (c *spoilt) Read(b []byte) (int, error) {
	if !c.began {
		c.began = true
		if err := c.begin(); err != nil {
			return 0, err
		}
	}
	return c.r.Read(b)
}

var errRefused = errors.New("this gateway does not take that")

// begin looks at the first record.
func (c *spoilt) begin() error {
	head, err := c.r.Peek(recordHead + 4)
	if err != nil {
		return err
	}
	record, message := int(head[3])<<8|int(head[4]), int(head[6])<<16|int(head[7])<<8|int(head[8])
	switch {
	case c.g.is("wants a hello in one segment") && c.r.Buffered() < recordHead+record,
		c.g.is("wants a hello in one record") && record < message+4,
		c.g.is("wants a short hello") && record > 2048:
		_ = c.Close()
		return errRefused
	}
	return nil
}

// Write leaves out the last word of a connection: an alert of its own record.
func (c *spoilt) Write(b []byte) (int, error) {
	const sealedAlert = recordHead + 2 + 1 + 16
	if c.g.is("closes without a word") && (b[0] == alert || b[0] == sealed && len(b) == sealedAlert) {
		return len(b), nil
	}
	return c.Conn.Write(b)
}
