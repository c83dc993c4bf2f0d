package std

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

const (
	// maxPools bounds the number of pools. A TLS pool also depends on the name
	// asked for, which may come from the client; beyond the bound connections
	// are used once.
	maxPools = 65536
	// sweepEvery is how often pools that nobody uses are let go.
	sweepEvery = 30 * time.Second
	// maxAnswerHead bounds the head of an upstream's answer, in bytes.
	maxAnswerHead = 256 << 10
)

// transport is what a pool is made of: *http.Transport or *multiplexed.
type transport interface{ CloseIdleConnections() }

// pools holds one transport for each exchange.Pool. A pool ends when it was not
// used for twice its idle time, that is when it holds no connection any more;
// so nobody has to tell it which targets still exist.
type pools struct {
	roots *x509.CertPool // of authorities that targets are verified by; nil: the system's
	mu    sync.RWMutex
	by    map[exchange.Pool]*pool
	stop  chan struct{}
	once  sync.Once
}

type pool struct {
	tr   transport
	mu   sync.Mutex
	used time.Time
}

func newPools(roots *x509.CertPool) *pools {
	p := &pools{roots: roots, by: map[exchange.Pool]*pool{}, stop: make(chan struct{})}
	go p.sweep()
	return p
}

// get returns the transport for a key.
func (p *pools) get(key exchange.Pool) transport {
	p.mu.RLock()
	e := p.by[key]
	p.mu.RUnlock()
	if e == nil {
		p.mu.Lock()
		if e = p.by[key]; e == nil {
			if len(p.by) >= maxPools {
				p.mu.Unlock()
				key.IdleConns = 0
				return newTransport(key, p.roots)
			}
			e = &pool{tr: newTransport(key, p.roots)}
			p.by[key] = e
		}
		p.mu.Unlock()
	}
	e.mu.Lock()
	e.used = time.Now()
	e.mu.Unlock()
	return e.tr
}

func (p *pools) sweep() {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-p.stop:
			return
		case now := <-t.C:
			p.expire(now)
		}
	}
}

func (p *pools) expire(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, e := range p.by {
		e.mu.Lock()
		unused := now.Sub(e.used)
		e.mu.Unlock()
		if unused/2 > max(k.IdleTimeout, sweepEvery) { // twice the longest timeout would be negative
			e.tr.CloseIdleConnections()
			delete(p.by, k)
		}
	}
}

func (p *pools) close() {
	p.once.Do(func() { close(p.stop) })
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.by {
		e.tr.CloseIdleConnections()
	}
}

// connectKey carries the connect timeout of a request to the dialer. (The
// transport dials with the values, but without the end, of a request's context:
// another request may get the connection.)
type connectKey struct{}

// dialError is a failure to connect: nothing was sent.
type dialError struct {
	err     error
	timeout bool
}

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

func newTransport(key exchange.Pool, roots *x509.CertPool) transport {
	var secure *tls.Config
	if key.TLS {
		secure = key.TLSConfig(roots)
	}
	if key.HTTP2 {
		return newMultiplexed(key, func(ctx context.Context) (net.Conn, error) {
			c, err := connect(ctx, key.Address, secure)
			if t, ok := c.(*tls.Conn); err == nil && ok && t.ConnectionState().NegotiatedProtocol != "h2" {
				_ = c.Close() // nobody has used it
				return nil, &dialError{err: errNotAgreed}
			}
			return c, err
		})
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := connect(ctx, key.Address, secure)
		if err != nil {
			return nil, err
		}
		return &counted{Conn: c}, nil
	}
	return &http.Transport{
		DialContext: dial, DialTLSContext: dial,
		DisableCompression:     true, // bodies pass as they are
		DisableKeepAlives:      !reusable(key),
		MaxIdleConnsPerHost:    key.IdleConns,
		IdleConnTimeout:        key.IdleTimeout,
		MaxResponseHeaderBytes: maxAnswerHead,
		// An empty map keeps HTTP/2 off.
		TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
	}
}

var errNotAgreed = errors.New("target does not agree on HTTP/2 (ALPN)")

// reusable tells whether connections are used more than once.
func reusable(key exchange.Pool) bool { return key.IdleConns > 0 && key.IdleTimeout > 0 }

// connect connects to an address, with TLS unless secure is nil.
func connect(ctx context.Context, address string, secure *tls.Config) (net.Conn, error) {
	if limit, ok := ctx.Value(connectKey{}).(time.Duration); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, newDialError(ctx, err)
	}
	if secure == nil {
		return c, nil
	}
	tc := tls.Client(whole{c.(*net.TCPConn)}, secure)
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = c.Close() // the handshake's error is the one to tell
		return nil, newDialError(ctx, err)
	}
	return tc, nil
}

// whole is a connection below TLS, whose own end is an error: anybody can cut it, and
// only the peer's word in TLS ends an answer that has no length (RFC 8446, 6.1).
// crypto/tls lets an end between two records pass.
type whole struct{ *net.TCPConn }

var errCut = errors.New("target closed the connection without ending TLS")

func (c whole) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if errors.Is(err, io.EOF) {
		err = errCut
	}
	return n, err
}

func newDialError(ctx context.Context, err error) error {
	var ne net.Error
	return &dialError{err, errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.As(err, &ne) && ne.Timeout()}
}
