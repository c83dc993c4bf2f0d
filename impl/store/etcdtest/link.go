package etcdtest

import (
	"net"
	"sync"
	"sync/atomic"
)

// A Link is a TCP path to a member that a test can cut, or freeze so that
// connections stay open and nothing passes. It is safe for concurrent use.
type Link struct {
	ln     net.Listener
	to     string
	mu     sync.Mutex
	down   bool
	frozen chan struct{} // nil when traffic passes; closed when it passes again
	conns  map[net.Conn]bool
	wg     sync.WaitGroup
	sent   atomic.Int64
}

// NewLink returns a path to addr (host:port) that lives until the test ends.
func NewLink(t T, addr string) *Link {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen for link: %v", err)
		return nil
	}
	l := &Link{ln: ln, to: addr, conns: map[net.Conn]bool{}}
	l.wg.Go(l.accept)
	t.Cleanup(l.close)
	return l
}

// Endpoint is the client URL of the member behind the link.
func (l *Link) Endpoint() string { return "http://" + l.ln.Addr().String() }

// Sent is how many bytes clients have sent over the link.
func (l *Link) Sent() int64 { return l.sent.Load() }

// Cut closes all connections and refuses new ones.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for c := range l.conns {
		_ = c.Close() // reading side reports it
	}
}

// Freeze lets connections stay and new ones begin, and passes nothing.
func (l *Link) Freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.frozen == nil {
		l.frozen = make(chan struct{})
	}
}

// Heal undoes Cut and Freeze.
func (l *Link) Heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
	if l.frozen != nil {
		close(l.frozen)
		l.frozen = nil
	}
}

func (l *Link) close() {
	_ = l.ln.Close() // ends accept
	l.Cut()
	l.mu.Lock()
	if l.frozen != nil {
		close(l.frozen)
		l.frozen = nil
	}
	l.mu.Unlock()
	l.wg.Wait()
}

func (l *Link) accept() {
	for {
		c, err := l.ln.Accept()
		if err != nil {
			return
		}
		if !l.keep(c) {
			continue
		}
		l.wg.Go(func() { l.serve(c) })
	}
}

// keep remembers a connection so that Cut can close it, or closes it now.
func (l *Link) keep(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		_ = c.Close() // refused
		return false
	}
	l.conns[c] = true
	return true
}

func (l *Link) drop(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
	_ = c.Close() // may be closed already
}

func (l *Link) serve(client net.Conn) {
	defer l.drop(client)
	server, err := net.Dial("tcp", l.to)
	if err != nil || !l.keep(server) {
		return
	}
	defer l.drop(server)
	done := make(chan struct{})
	l.wg.Go(func() {
		defer close(done)
		l.pipe(server, client, &l.sent)
	})
	l.pipe(client, server, nil)
	<-done
}

// pipe passes bytes until one end closes, and then closes the other. It counts
// them when it is given a counter.
func (l *Link) pipe(dst, src net.Conn, count *atomic.Int64) {
	defer func() { _ = dst.Close() }()
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if count != nil {
			count.Add(int64(n))
		}
		l.mu.Lock()
		frozen := l.frozen
		l.mu.Unlock()
		if frozen != nil {
			<-frozen
		}
		if _, werr := dst.Write(buf[:n]); werr != nil || err != nil {
			_ = src.Close() // ends the other direction too
			return
		}
	}
}
